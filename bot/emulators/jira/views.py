"""What the emulated Jira shows of its state, as JSON of REST version 2 and 3."""

from __future__ import annotations

from typing import Any

from bot.emulators.jira.model import Account, Entry, Issue, Note, State, Text, Transition, jira_time

Json = dict[str, Any]
_SHOWN = 100


def account(one: Account, *, cloud: bool) -> Json:
    """A person, without whom nothing happens."""
    named = {"accountId": one.id} if cloud else {"name": one.id, "key": one.id}
    return {**named, "displayName": one.name, "active": True}


def document(text: str) -> Json:
    """A document of paragraphs."""
    lines = [line for line in text.split("\n") if line]
    content = [{"type": "paragraph", "content": [{"type": "text", "text": one}]} for one in lines]
    return {"type": "doc", "version": 1, "content": content}


def flat(value: Text) -> str:
    """Wiki text; of a document its words."""
    if not isinstance(value, dict):
        return value or ""
    if value.get("type") == "text":
        return str(value.get("text", ""))
    joint = "\n" if value.get("type") == "doc" else ""
    return joint.join(flat(one) for one in value.get("content") or ())


def body(value: Text, version: str) -> Any:
    """A text as a version of the API gives it."""
    if version == "2":
        return flat(value) or None
    return value if isinstance(value, dict) else document(value or "")


def note(one: Note, version: str, *, cloud: bool) -> Json:
    """A comment."""
    return {
        "id": one.id,
        "author": account(one.by, cloud=cloud),
        "updateAuthor": account(one.by, cloud=cloud),
        "body": body(one.body, version),
        "created": jira_time(one.created),
        "updated": jira_time(one.updated),
    }


def fields(state: State, one: Issue, version: str, *, cloud: bool) -> Json:
    """All fields of a ticket."""
    kind = {"name": "Blocks", "inward": "is blocked by", "outward": "blocks"}
    links = [
        {
            "type": kind,
            "inwardIssue": {"key": other, "fields": {"summary": state.issues[other].summary}},
        }
        for _, other in one.blocks
    ]
    files = [
        {
            "id": file.id,
            "filename": file.name,
            "size": len(file.data),
            "author": account(file.by, cloud=cloud),
            "created": jira_time(file.created),
        }
        for file in one.uploads
    ]
    return {
        "summary": one.summary,
        "description": body(one.description, version),
        "status": {"name": one.status, "statusCategory": {"key": _category(one.status)}},
        "labels": list(one.labels),
        "components": [{"name": name} for name in one.components],
        "project": {"key": one.project},
        "creator": account(one.creator, cloud=cloud),
        "reporter": account(one.creator, cloud=cloud),
        "created": jira_time(one.created),
        "updated": jira_time(one.updated),
        "attachment": files,
        "issuelinks": links,
        **one.fields,
    }


def _category(status: str) -> str:
    return {"To Do": "new", "Done": "done"}.get(status, "indeterminate")


def changelog(one: Issue, *, cloud: bool) -> Json:
    """A ticket's history as it comes with the ticket: on Cloud its newest part, backwards."""
    found = entries(one, cloud=cloud)
    shown = found[: -_SHOWN - 1 : -1] if cloud else found
    return {"startAt": 0, "maxResults": len(shown), "total": len(found), "histories": shown}


def entries(one: Issue, *, cloud: bool) -> list[Json]:
    """A ticket's whole history, the oldest first."""
    return [
        {
            "id": entry.id,
            "author": account(entry.by, cloud=cloud),
            "created": jira_time(entry.at),
            "items": items(entry),
        }
        for entry in one.history
    ]


def items(entry: Entry) -> list[Json]:
    """What changed at once."""
    return [
        {"field": name, "fieldId": name, "fromString": before, "toString": after}
        for name, before, after in entry.items
    ]


def issue(state: State, one: Issue, version: str = "2", *, cloud: bool) -> Json:
    """A ticket."""
    shown = fields(state, one, version, cloud=cloud)
    return {"id": one.id, "key": one.key, "fields": shown}


def transition(one: Transition) -> Json:
    """A step of the workflow that can be taken now."""
    return {"id": one.id, "name": one.name, "to": {"name": one.to}}
