"""The door for Jira: tells deliveries genuine, and puts what they say into our own words.

Sans I/O. Two keys fit: the header `X-ACP-Token` of an Automation rule, and the HMAC of a webhook
that an administrator made. Only the second says who did something; see `bot.domain.jira_policy`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.adapters.jira.adf import to_markdown
from bot.domain import commands
from bot.domain.jira import NOBODY, Person, Trigger
from bot.domain.refs import JiraKey
from bot.domain.store import Delivery, Hear, Nothing, Order
from bot.errors import BadReference

_PREFIX = "sha256="
_ID = re.compile(r"[\w:.@+\-]{1,200}")
_NAME_CHARS = 100
_HINT_CHARS = 2000
_MILLIS = 10**11  # a time above this counts milliseconds
_KEYS = ("key", "issueKey", "issue_key", "issue")


@dataclass(frozen=True, slots=True)
class Keys:
    """What opens the door: tokens of rules and secrets of webhooks, each present and previous."""

    tokens: tuple[bytes, ...] = ()
    secrets: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Names:
    """What triggers: entering `status`, getting `label`."""

    status: str = ""
    label: str = ""


def has_token(keys: Keys, given: str) -> bool:
    """Whether the header holds one of the tokens; the time taken does not say how nearly."""
    sent = given.encode("utf-8", "replace")
    good = False
    for token in keys.tokens:
        good |= bool(token) and hmac.compare_digest(token, sent)
    return good


def has_signature(keys: Keys, body: bytes, given: str) -> bool:
    """Whether one of the secrets signed these bytes (`X-Hub-Signature: sha256=…`)."""
    if not given.startswith(_PREFIX):
        return False
    sent = given.removeprefix(_PREFIX).lower().encode("utf-8", "replace")
    good = False
    for secret in keys.secrets:
        wanted = hmac.new(secret, body, hashlib.sha256).hexdigest().encode()
        good |= bool(secret) and hmac.compare_digest(wanted, sent)
    return good


def read(
    body: bytes, names: Names, *, identifier: str, now: float, signed: bool
) -> tuple[Delivery, Order]:
    """The delivery for the inbox, and what it asks for. `now` is seconds since the epoch.

    Jira's own `identifier` is the same at every attempt. Without one it is key, event and time of
    the body; a body without a time is a delivery of its own, and the ticket's history tells whether
    it means anything new.
    """
    digest = hashlib.sha256(body).hexdigest()
    payload = _payload(body)
    if payload is None:
        return Delivery("jira", f"body:{digest}", "unreadable", digest), Nothing("no JSON object")
    event = payload.get("webhookEvent")
    known = event[:_NAME_CHARS] if isinstance(event, str) else "request"
    at = _time(_first(payload, "timestamp", "at")) or _time(_field(payload, "updated"))
    trusted = identifier if _ID.fullmatch(identifier) else ""
    delivery_id = trusted or (f"body:{digest}" if at else f"body:{digest}:{now:.6f}")
    order = _order(payload, known, names, (at or _iso(now), signed))
    return Delivery("jira", delivery_id, known, digest), order


def _order(payload: dict[str, Any], event: str, names: Names, seen: tuple[str, bool]) -> Order:
    at, signed = seen
    if event == "request":
        return _request(payload, at)
    if not signed:
        # Anybody who holds the token could write "user" into it.
        return Nothing("events of Jira's webhooks count with a signature only")
    reader = _READERS.get(event)
    if reader is None:
        return Nothing(f"{event} asks for nothing")
    return reader(payload, at, names)


def _request(payload: dict[str, Any], at: str) -> Order:
    """An Automation rule: the issue as Jira writes it, our own small JSON, or a key alone."""
    found = next((payload[name] for name in _KEYS if name in payload), None)
    key = _key(found.get("key") if isinstance(found, dict) else found)
    if key is None:
        return Nothing("there is no issue's key in it")
    hint = payload.get("hint")
    argument = hint.strip()[:_HINT_CHARS] if isinstance(hint, str) else ""
    return Hear(Trigger("request", key, at, argument=_clean(argument)))


def _updated(payload: dict[str, Any], at: str, names: Names) -> Order:
    key = _key(_at(payload, "issue.key"))
    if key is None:
        return Nothing("there is no issue's key in it")
    by, change = person(payload.get("user")), str(_at(payload, "changelog.id") or "")
    items = _at(payload, "changelog.items")
    for item in items if isinstance(items, list) else ():
        if not isinstance(item, dict):
            continue
        field, after = item.get("field"), str(item.get("toString") or "")
        if field == "status" and names.status and after.casefold() == names.status.casefold():
            return Hear(Trigger("status", key, at, by, change[:_NAME_CHARS]))
        before = str(item.get("fromString") or "").split()
        if field == "labels" and names.label in set(after.split()) - set(before):
            return Hear(Trigger("label", key, at, by, change[:_NAME_CHARS]))
    return Nothing("no change that starts anything")


def _created(payload: dict[str, Any], at: str, names: Names) -> Order:
    key = _key(_at(payload, "issue.key"))
    labels = _at(payload, "issue.fields.labels")
    status = str(_at(payload, "issue.fields.status.name") or "")
    labelled = isinstance(labels, list) and bool(names.label) and names.label in labels
    if key is None or not (labelled or (names.status and status == names.status)):
        return Nothing("made without what starts a run")
    return Hear(Trigger("created", key, at, person(payload.get("user"))))


def _commented(payload: dict[str, Any], at: str, _names: Names) -> Order:
    key, comment = _key(_at(payload, "issue.key")), str(_at(payload, "comment.id") or "")
    by = person(_at(payload, "comment.author"))
    if key is None or not comment or by == NOBODY:
        return Nothing("a comment without issue, id or author")
    command = commands.parse(to_markdown(_at(payload, "comment.body")))
    if command is None:
        return Nothing("no command in the comment")
    made = _time(_at(payload, "comment.created")) or at
    argument = _clean(command.argument)
    return Hear(Trigger("command", key, made, by, "", comment[:20], command.verb, argument))


def _payload(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if isinstance(found, str):
        return {"key": found}
    return found if isinstance(found, dict) else None


def _at(payload: Mapping[str, Any], path: str) -> Any:
    found: Any = payload
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _first(payload: Mapping[str, Any], *names: str) -> Any:
    return next((payload[name] for name in names if payload.get(name) is not None), None)


def _field(payload: Mapping[str, Any], name: str) -> Any:
    """A field of the issue, which stands bare in the body or under `issue`."""
    found = _at(payload, f"fields.{name}")
    return _at(payload, f"issue.fields.{name}") if found is None else found


def _key(value: object) -> str | None:
    try:
        return JiraKey.parse(value).key if isinstance(value, str) and "/" not in value else None
    except BadReference:
        return None


def person(value: object) -> Person:
    """An account; the id is Cloud's accountId, or Data Center's user name."""
    if not isinstance(value, dict):
        return NOBODY
    given = next((value[n] for n in ("accountId", "name", "key") if value.get(n)), "")
    name = value.get("displayName")
    shown = name if isinstance(name, str) and name else str(given)
    return Person(_clean(str(given))[:_NAME_CHARS], _clean(shown)[:_NAME_CHARS])


def _time(value: object) -> str:
    """A time as ISO 8601, from milliseconds or text; "" for none."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _iso(value / 1000 if value > _MILLIS else value)
        if isinstance(value, str) and value.strip().isdigit():
            return _time(int(value))
        return moment(value) if isinstance(value, str) else ""
    except (ValueError, OverflowError, OSError):
        return ""


def moment(text: str) -> str:
    """Jira's `2026-11-22T10:00:00.000+0100` as ISO 8601 in UTC. Raises ValueError."""
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC).isoformat()


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _clean(text: str) -> str:
    """Text that every database takes: no half characters, no NUL."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")


Reader = Callable[[dict[str, Any], str, Names], Order]
_READERS: dict[str, Reader] = {
    "jira:issue_updated": _updated,
    "jira:issue_created": _created,
    "comment_created": _commented,
}
