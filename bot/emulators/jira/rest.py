"""The emulated Jira's REST API: what it allows, answers and refuses."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email import message_from_bytes
from typing import Any
from urllib.parse import quote

from bot.emulators.jira import views
from bot.emulators.jira.model import Account, Entry, Issue, Note, State, Upload
from bot.emulators.jira.views import Json


@dataclass(frozen=True, slots=True)
class Refused(Exception):
    """Answered with a status and a sentence."""

    status: int
    said: str


@dataclass(frozen=True, slots=True)
class Call:
    """One request of somebody who is logged in."""

    me: Account
    version: str
    query: Mapping[str, str]
    data: Any
    raw: bytes
    content_type: str


Answer = tuple[int, Any]
Work = Callable[["Rest", Call, str], Answer]
_TABLE: list[tuple[str, re.Pattern[str], Work]] = []


def _route(method: str, path: str) -> Callable[[Work], Work]:
    pattern = re.compile(path.replace("KEY", "([A-Z][A-Z0-9_]*-[0-9]+|[0-9]+)"))

    def keep(work: Work) -> Work:
        _TABLE.append((method, pattern, work))
        return work

    return keep


class Rest:
    """Answers requests over a state."""

    def __init__(self, state: State, *, cloud: bool) -> None:
        self.state = state
        self.cloud = cloud

    def answer(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str],
        body: tuple[bytes, Any],
    ) -> Answer:  # fmt: skip
        """Status and JSON; None for no body."""
        found = re.fullmatch(r"/rest/api/(2|3|latest)/(.*)", path)
        if found is None or (found[1] == "3" and not self.cloud):
            return 404, {"message": "null for uri"}
        version = "3" if found[1] == "3" else "2"
        try:
            call = Call(
                self._login(headers), version, query, body[1], body[0],
                headers.get("content-type", ""),
            )  # fmt: skip
            for wanted, pattern, work in _TABLE:
                if wanted == method and (match := pattern.fullmatch(found[2])):
                    return work(self, call, match[1] if pattern.groups else "")
        except Refused as refused:
            return refused.status, {"errorMessages": [refused.said], "errors": {}}
        return 405, {"message": "method not allowed"}

    def issue(self, call: Call, key: str) -> Issue:
        """A ticket that the caller may see."""
        issues = self.state.issues.values()
        found = next((one for one in issues if key in (one.key, one.id)), None)
        if found is None or (found.project in self.state.hidden and call.me.id != "admin"):
            raise Refused(404, "Issue does not exist or you do not have permission to see it.")
        return found

    def change(self, one: Issue, by: Account, *items: tuple[str, str, str]) -> Entry:
        """Note a change in the history."""
        entry = Entry(self.state.id(), by, self.state.clock(), items)
        one.history.append(entry)
        one.updated = entry.at
        return entry

    def _login(self, headers: Mapping[str, str]) -> Account:
        scheme, _, secret = headers.get("authorization", "").partition(" ")
        if scheme == "Basic" and self.cloud:
            secret = b64decode(secret).decode("utf-8", "replace")
        elif scheme != "Bearer" or self.cloud:
            raise Refused(401, "Client must be authenticated to access this resource.")
        if secret not in self.state.tokens:
            raise Refused(401, "Client must be authenticated to access this resource.")
        return self.state.tokens[secret]


@_route("GET", "myself")
def _myself(rest: Rest, call: Call, _: str) -> Answer:
    return 200, views.account(call.me, cloud=rest.cloud)


@_route("GET", "serverInfo")
def _server_info(rest: Rest, _call: Call, _: str) -> Answer:
    kind = "Cloud" if rest.cloud else "Server"
    return 200, {"deploymentType": kind, "versionNumbers": [10, 3, 0]}


@_route("GET", "field")
def _field(rest: Rest, _call: Call, _: str) -> Answer:
    return 200, [{"id": key, "name": name} for key, name in rest.state.custom.items()]


@_route("GET", "user")
def _user(rest: Rest, call: Call, _: str) -> Answer:
    name = call.query.get("accountId" if rest.cloud else "username", "")
    found = rest.state.accounts.get(name)
    if found is None:
        raise Refused(404, "Specified user does not exist or you do not have permission.")
    groups = [{"name": one} for one in found.groups]
    shown = views.account(found, cloud=rest.cloud)
    return 200, shown | {"groups": {"size": len(groups), "items": groups}}


@_route("GET", "search")
def _search(rest: Rest, call: Call, _: str) -> Answer:
    if rest.cloud:
        raise Refused(410, "The requested API has been removed. Please migrate to search/jql.")
    keys = _matching(rest, call)
    start, most = int(call.query.get("startAt", 0)), int(call.query.get("maxResults", 50))
    issues: list[Json] = [{"id": one.id, "key": one.key, "fields": {}} for one in keys]
    page = issues[start : start + most]
    return 200, {"startAt": start, "maxResults": most, "total": len(keys), "issues": page}


@_route("GET", "search/jql")
def _search_jql(rest: Rest, call: Call, _: str) -> Answer:
    if not rest.cloud:
        return 404, {"message": "null for uri"}
    keys = _matching(rest, call)
    start, most = int(call.query.get("nextPageToken", 0)), int(call.query.get("maxResults", 50))
    page: list[Json] = [{"id": one.id} for one in keys[start : start + most]]
    if call.query.get("fields"):
        for shown, one in zip(page, keys[start:], strict=False):
            shown |= {"key": one.key, "fields": {}}
    more = start + most < len(keys)
    return 200, {"issues": page, "isLast": not more} | (
        {"nextPageToken": str(start + most)} if more else {}
    )


def _matching(rest: Rest, call: Call) -> list[Issue]:
    """`project = KEY` and nothing else is understood; an empty query is unbounded and refused."""
    found = re.fullmatch(r'project\s*=\s*"?(\w+)"?', call.query.get("jql", "").strip())
    if found is None:
        raise Refused(400, "Unbounded or unreadable JQL.")
    seen = [one for one in rest.state.issues.values() if one.project == found[1]]
    return [one for one in seen if one.project not in rest.state.hidden]


@_route("GET", "issue/KEY")
def _issue(rest: Rest, call: Call, key: str) -> Answer:
    one = rest.issue(call, key)
    shown = views.issue(rest.state, one, call.version, cloud=rest.cloud)
    if wanted := call.query.get("fields"):
        kept = set(wanted.split(","))
        shown["fields"] = {name: v for name, v in shown["fields"].items() if name in kept}
    if "changelog" in call.query.get("expand", ""):
        shown["changelog"] = views.changelog(one, cloud=rest.cloud)
    return 200, shown


@_route("GET", "issue/KEY/comment")
def _comments(rest: Rest, call: Call, key: str) -> Answer:
    notes = rest.issue(call, key).notes
    start, most = int(call.query.get("startAt", 0)), int(call.query.get("maxResults", 50))
    page = [views.note(one, call.version, cloud=rest.cloud) for one in notes[start : start + most]]
    return 200, {"startAt": start, "maxResults": most, "total": len(notes), "comments": page}


@_route("GET", "issue/KEY/changelog")
def _changelog(rest: Rest, call: Call, key: str) -> Answer:
    if not rest.cloud:
        return 404, {"message": "null for uri"}
    found = views.entries(rest.issue(call, key), cloud=rest.cloud)
    start, most = int(call.query.get("startAt", 0)), int(call.query.get("maxResults", 100))
    page, end = found[start : start + most], start + most >= len(found)
    return 200, {"startAt": start, "maxResults": most, "total": len(found), "isLast": end,
                 "values": page}  # fmt: skip


@_route("POST", "issue/KEY/comment")
def _comment(rest: Rest, call: Call, key: str) -> Answer:
    one, body = rest.issue(call, key), call.data.get("body")
    if call.version == "3" and not isinstance(body, dict):
        raise Refused(400, "Comment body is not valid!")
    if call.version == "2" and (not isinstance(body, str) or len(body) > 32_767):  # noqa: PLR2004
        raise Refused(400, "Comment body is not valid!")
    now = rest.state.clock()
    made = Note(rest.state.id(), call.me, body, now, now)
    one.notes.append(made)
    return 201, views.note(made, call.version, cloud=rest.cloud)


@_route("GET", "issue/KEY/transitions")
def _transitions(rest: Rest, call: Call, key: str) -> Answer:
    one = rest.issue(call, key)
    possible = [step for step in rest.state.workflow if _can(one, step.after)]
    return 200, {"transitions": [views.transition(step) for step in possible]}


@_route("POST", "issue/KEY/transitions")
def _move(rest: Rest, call: Call, key: str) -> Answer:
    one = rest.issue(call, key)
    wanted = str((call.data.get("transition") or {}).get("id"))
    step = next((step for step in rest.state.workflow if step.id == wanted), None)
    if step is None or not _can(one, step.after):
        raise Refused(400, f"It is not possible to do transition {wanted} now.")
    if step.needs and step.needs not in (call.data.get("fields") or {}):
        raise Refused(400, f"Field '{step.needs}' is required.")
    before, one.status = one.status, step.to
    rest.change(one, call.me, ("status", before, step.to))
    return 204, None


def _can(one: Issue, after: tuple[str, ...]) -> bool:
    return not after or one.status in after


@_route("GET", "issue/KEY/remotelink")
def _links(rest: Rest, call: Call, key: str) -> Answer:
    return 200, list(rest.issue(call, key).links.values())


@_route("POST", "issue/KEY/remotelink")
def _link(rest: Rest, call: Call, key: str) -> Answer:
    one, shown = rest.issue(call, key), call.data.get("object") or {}
    if not shown.get("url") or not shown.get("title"):
        raise Refused(400, "Remote link is not valid.")
    name = str(call.data.get("globalId") or rest.state.id())
    new = name not in one.links
    number = one.links[name]["id"] if not new else int(rest.state.id())
    one.links[name] = {"id": number, "globalId": name, "object": shown}
    return (201 if new else 200), {"id": number, "self": f"remotelink/{quote(name)}"}


@_route("POST", "issue/KEY/attachments")
def _attach(rest: Rest, call: Call, key: str) -> Answer:
    one = rest.issue(call, key)
    message = message_from_bytes(f"Content-Type: {call.content_type}\r\n\r\n".encode() + call.raw)
    made = []
    for part in message.walk():
        if name := part.get_filename():
            data = part.get_payload(decode=True)
            assert isinstance(data, bytes)
            file = Upload(rest.state.id(), call.me, name, data, rest.state.clock())
            one.uploads.append(file)
            made.append({"id": file.id, "filename": name, "size": len(data)})
    if not made:
        raise Refused(400, "There is no file.")
    return 200, made
