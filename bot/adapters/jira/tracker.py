"""Jira as the bot's tracker: the port `Tracker` over the jira library, in worker threads."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from bot.adapters.jira import reading
from bot.adapters.jira.client import Declined, JiraSite
from bot.adapters.jira.to_wiki import to_wiki
from bot.adapters.jira.webhooks import person
from bot.domain.jira import Person, Ticket, WebLink
from bot.errors import Misconfigured, NotFound, Transient

if TYPE_CHECKING:
    from jira import JIRA

T = TypeVar("T")
_PAGE = 100
_MOST_PAGES = 20
_WAITS_S = (0.5, 2.0)


class JiraTracker:
    """One Jira; both fields are ids or names of custom fields, or ""."""

    def __init__(
        self,
        site: JiraSite,
        *,
        repository_field: str = "",
        criteria_field: str = "",
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._site = site
        self._wanted = (repository_field, criteria_field)
        self._ids: tuple[str, str] | None = None
        self._me: Person | None = None
        self._sleep = sleep

    async def me(self) -> Person:
        """The account that we log in with; asked once."""
        if self._me is None:
            self._me = await self._read(lambda jira: person(jira.myself()), "the account")
        return self._me

    async def ticket(self, key: str) -> Ticket:
        """A ticket with its comments and its history."""
        try:
            return await self._read(lambda jira: self.read(jira, key), key)
        except NotFound:
            # Cloud answers so to a token that it does not know any more: then this is refused.
            await self._read(lambda jira: jira.myself(), "the account")
            raise

    def read(self, jira: JIRA, key: str, *, remarks: bool = True) -> Ticket:
        """The same with an open client, and without its comments if they are not wanted; blocks."""
        if self._ids is None:
            self._ids = _field_ids(jira, self._wanted)
        repository, criteria = self._ids
        wanted = ",".join([*reading.FIELDS, *filter(None, self._ids)])
        raw = dict(jira.issue(key, fields=wanted, expand="changelog").raw)
        if self._site.cloud:
            raw["changelog"] = _history(jira, key, raw.get("changelog") or {})
        pages = _comments(jira, key) if remarks else []
        return reading.ticket(raw, pages, self._site.url, repository=repository, criteria=criteria)

    async def groups(self, person: Person) -> frozenset[str]:
        """Names of the groups that an account is in."""

        def look(jira: JIRA) -> frozenset[str]:
            raw = jira.user(person.id, expand="groups").raw
            return frozenset(str(one["name"]) for one in (raw.get("groups") or {}).get("items", ()))

        return await self._read(look, f"the account {person.name}")

    async def said(self, key: str, mark: str) -> bool:
        """Whether our own account has left a comment that holds the mark."""
        me, wanted = await self.me(), _letters(mark)
        found = await self._read(lambda jira: _comments(jira, key), key)
        remarks = [reading.remark(one) for one in found]
        return any(one.by.id == me.id and wanted in _letters(one.text) for one in remarks)

    async def say(self, key: str, text: str) -> None:
        """Comment."""
        await self._write(lambda jira: jira.add_comment(key, to_wiki(text)), key)

    async def attach(self, key: str, name: str, text: str) -> None:
        """Attach a file, unless there is one by that name: the names hold a run's id."""
        ticket = await self.ticket(key)
        if any(one.name == name for one in ticket.attached):
            return
        data = io.BytesIO(text.encode("utf-8", "replace"))
        # The library says BufferedReader and takes any binary file.
        upload: Any = data
        await self._write(lambda jira: jira.add_attachment(key, upload, filename=name), key)

    async def link(self, key: str, link: WebLink) -> None:
        """Make or change a link; Jira knows it by its global id."""
        what = {"url": link.url, "title": link.title}
        await self._write(
            lambda jira: jira.add_remote_link(key, what, globalId=link.global_id), key
        )

    async def move(self, key: str, status: str) -> str:
        """Move a ticket; "" where it is there, else why it is not."""
        wanted = status.casefold()
        ticket = await self.ticket(key)
        if ticket.status.casefold() == wanted:
            return ""
        found: Sequence[Any] = await self._read(lambda jira: jira.transitions(key), key)
        for one in found:
            to = str((one.get("to") or {}).get("name") or "")
            if wanted not in {str(one["name"]).casefold(), to.casefold()}:
                continue
            if to.casefold() == ticket.status.casefold():
                return ""
            try:
                await self._write(partial(_transition, key=key, to=str(one["id"])), key)
            except Declined as declined:
                return declined.said or str(declined)
            return ""
        return f"no transition of that name leads on from {ticket.status}"

    async def search(self, jql: str, limit: int = 50) -> Sequence[str]:
        """Keys of the tickets that a query finds: by search/jql on Cloud, by search elsewhere."""

        def look(jira: JIRA) -> Sequence[str]:
            found = jira.search_issues(jql, maxResults=limit, fields="key")
            return [issue.key for issue in found]

        return await self._read(look, "tickets")

    async def aclose(self) -> None:
        """Nothing stays open."""

    async def _read(self, work: Callable[[JIRA], T], what: str) -> T:
        """Ask, and ask again a little later where Jira was away or busy."""
        for wait_s in _WAITS_S:
            try:
                return await asyncio.to_thread(self._site.call, work, what)
            except Transient:
                await self._sleep(wait_s)
        return await asyncio.to_thread(self._site.call, work, what)

    async def _write(self, work: Callable[[JIRA], object], what: str) -> None:
        """Never sent twice: nobody knows what became of the first."""
        await asyncio.to_thread(self._site.call, work, what)


def _transition(jira: JIRA, key: str, to: str) -> None:
    jira.transition_issue(key, to)


def _comments(jira: JIRA, key: str) -> list[dict[str, Any]]:
    """All comments, as raw JSON, however the server pages."""
    found: dict[str, dict[str, Any]] = {}
    for page in range(_MOST_PAGES):
        part = jira.comments(key, start_at=page * _PAGE, max_results=_PAGE)
        new = {str(one.raw["id"]): one.raw for one in part}
        if not new.keys() - found.keys():
            break
        found |= new
        if len(part) < _PAGE:
            break
    return list(found.values())


def _history(jira: JIRA, key: str, shown: dict[str, Any]) -> dict[str, Any]:
    """The whole history, page by page: with the ticket itself Cloud gives its newest part alone.

    Of what is longer than all pages the middle is missing, and the total tells so.
    """
    total, newest = int(shown.get("total") or 0), shown.get("histories") or []
    found = {str(one["id"]): one for one in newest}
    start = 0
    for _ in range(_MOST_PAGES if total > len(found) else 0):
        path, page = f"issue/{key}/changelog", {"startAt": start, "maxResults": _PAGE}
        part = jira._get_json(path, page)  # noqa: SLF001 - the library knows no method for it
        entries = part.get("values") or []
        found |= {str(one["id"]): one for one in entries}
        start, total = start + len(entries), int(part["total"])
        if not entries or len(found) >= total:
            break
    return {"total": total, "histories": list(found.values())}


def _field_ids(jira: JIRA, wanted: tuple[str, str]) -> tuple[str, str]:
    """Ids of custom fields that are set by id or by name. Raises Misconfigured."""
    if all(not one or one.startswith("customfield_") for one in wanted):
        return wanted
    known = {str(one["name"]).casefold(): str(one["id"]) for one in jira.fields()}
    ids = []
    for one in wanted:
        found = one if one.startswith("customfield_") else known.get(one.casefold(), "")
        if one and not found:
            raise Misconfigured(
                f"Jira has no field {one!r}; mend ACP_JIRA_REPOSITORY_FIELD or "
                "ACP_JIRA_CRITERIA_FIELD"
            )
        ids.append(found)
    return ids[0], ids[1]


def _letters(text: str) -> str:
    """Letters and digits alone: Jira may write the marks between them in its own way."""
    return "".join(char for char in text.casefold() if char.isalnum())
