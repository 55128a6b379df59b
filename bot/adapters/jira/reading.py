"""Jira's JSON of a ticket to a ticket in our own words; all its texts become Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bot.adapters.jira.adf import to_markdown
from bot.adapters.jira.webhooks import moment, person
from bot.domain.jira import NOBODY, Attached, Change, Linked, Remark, Ticket

FIELDS = (
    "summary", "description", "status", "labels", "components", "project", "creator", "created",
    "attachment", "issuelinks",
)  # fmt: skip
Json = Mapping[str, Any]
_LONG_AGO = "1970-01-01T00:00:00+00:00"
_MATTERS = ("summary", "description", "criteria", "status", "labels")


def ticket(
    raw: Json, comments: Iterable[Json], base_url: str, *, repository: str = "", criteria: str = ""
) -> Ticket:
    """The ticket; `repository` and `criteria` are ids of custom fields, or "".

    Raises ValueError, TypeError or KeyError for what is no ticket.
    """
    fields, key = raw["fields"], str(raw["key"])
    title = fields.get("summary")
    if not isinstance(title, str) or not title.strip():
        raise ValueError("no summary")
    return Ticket(
        id=int(raw["id"]),
        key=key,
        url=f"{base_url}/browse/{key}",
        title=title.strip(),
        text=to_markdown(fields.get("description")),
        project=key.rpartition("-")[0],
        status=_name(fields.get("status")),
        labels=tuple(str(one) for one in fields.get("labels") or ()),
        components=tuple(_name(one) for one in fields.get("components") or ()),
        creator=person(fields.get("creator")),
        created_at=moment(fields["created"]) if fields.get("created") else "",
        repository=_plain(fields.get(repository)) if repository else "",
        criteria=to_markdown(fields.get(criteria)) if criteria else "",
        attached=tuple(_attached(one) for one in fields.get("attachment") or ()),
        linked=tuple(found for one in fields.get("issuelinks") or () for found in _linked(one)),
        remarks=tuple(remark(one) for one in comments),
        changes=tuple(_changes(raw.get("changelog") or {}, criteria)),
        closed=_closed(fields.get("status")),
    )


def remark(raw: Json) -> Remark:
    """A comment."""
    at = moment(raw["created"])
    edited = moment(raw["updated"]) if raw.get("updated") else at
    known = edited != at and "updateAuthor" in raw
    return Remark(
        id=str(raw["id"]),
        by=person(raw.get("author")),
        text=to_markdown(raw.get("body")),
        at=at,
        edited_at=edited,
        editor=person(raw["updateAuthor"]) if known else None,
    )


def _changes(changelog: Json, criteria: str) -> Iterable[Change]:
    entries = changelog.get("histories") or ()
    if int(changelog.get("total") or 0) > len(entries):
        # Too long to be read whole: who changed what in the rest is not known.
        yield from (Change("0", _LONG_AGO, NOBODY, name, "", "") for name in _MATTERS)
    for entry in entries:
        by, at = person(entry.get("author")), moment(entry["created"])
        for item in entry.get("items") or ():
            name = str(item.get("fieldId") or item.get("field") or "")
            field = "criteria" if criteria and name == criteria else name
            before, after = item.get("fromString") or "", item.get("toString") or ""
            if field in {"description", "criteria"}:
                before, after = to_markdown(before), to_markdown(after)
            yield Change(str(entry["id"]), at, by, field, before, after)


def _attached(raw: Json) -> Attached:
    name = " ".join(str(raw.get("filename", "")).split())
    return Attached(
        name, int(raw.get("size") or 0), person(raw.get("author")), moment(raw["created"])
    )


def _linked(raw: Json) -> Iterable[Linked]:
    kind = raw.get("type") or {}
    for side, how in (("inwardIssue", "inward"), ("outwardIssue", "outward")):
        other = raw.get(side)
        if isinstance(other, dict) and other.get("key"):
            title = str((other.get("fields") or {}).get("summary") or "")
            yield Linked(str(kind.get(how) or "is linked to"), str(other["key"]), title)


def _closed(status: object) -> bool:
    """Jira sorts every status into new, indeterminate or done, whatever it is called."""
    category = status.get("statusCategory") if isinstance(status, dict) else None
    return isinstance(category, dict) and category.get("key") == "done"


def _name(raw: object) -> str:
    return str(raw.get("name") or "") if isinstance(raw, dict) else ""


def _plain(raw: object) -> str:
    """A text field, or the choice of a list."""
    value = raw.get("value") if isinstance(raw, dict) else raw
    return value.strip() if isinstance(value, str) else ""
