"""Tickets: which repository one means, who asked for the run, and what exactly was asked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Literal

from bot.domain.jira import NOBODY, Asked, Change, Part, Person, Remark, Ticket, Trigger
from bot.domain.refs import RepoRef
from bot.errors import BadReference

_LABEL = "repo:"
_NAME_CHARS = 120
_MOST_COMMENTS = 50


@dataclass(frozen=True, slots=True)
class TicketRules:
    """What the operator allows of tickets.

    `repositories` are patterns such as "acme/*"; `projects` and `components` map names to
    repositories, a component as "SHOP/Checkout" or "Checkout". `people` are account ids (user names
    on Data Center). A ticket triggers by entering `status`, by getting `label`, or by a command.
    """

    repositories: tuple[str, ...] = ()
    projects: Mapping[str, str] = field(default_factory=dict)
    components: Mapping[str, str] = field(default_factory=dict)
    people: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    status: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class NoRepository:
    """Why a ticket has no repository; `found` is what was found instead of one."""

    why: Literal["unmapped", "ambiguous", "unreadable", "forbidden", "not installed"]
    found: tuple[str, ...] = ()


def repository(ticket: Ticket, rules: TicketRules) -> str | NoRepository:
    """`owner/name` by the first of: custom field, label, component, project; then the allow-list.

    The first that says anything decides, so a wrong one is never silently passed over.
    """
    by_component = {
        rules.components.get(f"{ticket.project}/{name}") or rules.components.get(name, "")
        for name in ticket.components
    }
    labels = {one[len(_LABEL) :] for one in ticket.labels if one.lower().startswith(_LABEL)}
    ways = (
        {ticket.repository.strip()},
        labels,
        by_component,
        {rules.projects.get(ticket.project, "")},
    )
    named = next((found for way in ways if (found := way - {""})), set())
    if not named:
        return NoRepository("unmapped")
    try:
        full = {str(RepoRef.parse(one)) for one in named}
    except BadReference:
        return NoRepository("unreadable", tuple(sorted(named)))
    if len({one.lower() for one in full}) > 1:
        return NoRepository("ambiguous", tuple(sorted(full)))
    (only,) = sorted(full)[:1]
    if not any(fnmatchcase(only.lower(), one.lower()) for one in rules.repositories):
        return NoRepository("forbidden", (only,))
    return only


@dataclass(frozen=True, slots=True)
class Moment:
    """What triggered: `id` names it among all that ever happened to the ticket; `by` did it."""

    id: str
    at: str
    by: Person


def moment(ticket: Ticket, trigger: Trigger, rules: TicketRules) -> Moment | None:
    """The entry of the ticket's own history behind a trigger, or None if nothing there fits.

    A delivery without a signature tells nobody who did it, and the history does. What was undone
    since (moved on, label taken off) does not fit any more.
    """
    if trigger.cause == "command":
        return Moment(f"comment:{trigger.comment}", trigger.at, trigger.by)
    fitting = [one for one in ticket.changes if _fits(one, ticket, rules)]
    if trigger.change:
        fitting = [one for one in fitting if one.id == trigger.change]
    if fitting:
        newest = max(fitting, key=lambda one: (_time(one.at), one.id))
        return Moment(f"change:{newest.id}", newest.at, newest.by)
    if trigger.change or not _born_so(ticket, rules):
        return None
    return Moment("created", ticket.created_at, ticket.creator)


def tells(ticket: Ticket, rules: TicketRules) -> bool:
    """Whether the history knows of the status or label at all: then a request may have come late.

    If it does not, the rule that sent the request has another trigger than we know of.
    """
    status, label = rules.status.casefold(), rules.label
    for one in ticket.changes:
        named = {one.before.casefold(), one.after.casefold()} if one.field == "status" else set()
        labelled = {*one.before.split(), *one.after.split()} if one.field == "labels" else set()
        if (status and status in named) or (label and label in labelled):
            return True
    return False


def _fits(change: Change, ticket: Ticket, rules: TicketRules) -> bool:
    if change.field == "status" and rules.status:
        wanted = rules.status.casefold()
        return change.after.casefold() == wanted == ticket.status.casefold()
    if change.field == "labels" and rules.label:
        return rules.label in _added(change) and rules.label in ticket.labels
    return False


def _born_so(ticket: Ticket, rules: TicketRules) -> bool:
    """Whether the ticket was made with the label, or in the status."""
    touched = {one.field for one in ticket.changes}
    labelled = bool(rules.label) and rules.label in ticket.labels and "labels" not in touched
    status = bool(rules.status) and ticket.status.casefold() == rules.status.casefold()
    return labelled or (status and "status" not in touched)


def withdrawn(ticket: Ticket, asked: Asked, at: str, rules: TicketRules, own: str) -> bool:
    """Whether a ticket does not ask any more for the run that it asked for at a moment.

    Somebody else than `own` has closed it since, or what triggered was undone: the label is off, or
    the ticket is back where it was moved from.
    """
    since = [one for one in ticket.changes if _time(one.at) > _time(at) and one.by.id != own]
    moved = any(one.field == "status" for one in since)
    if ticket.closed and moved:
        return True
    kind, _, number = asked.moment.partition(":")
    if kind == "created":
        off = any(one.field == "labels" and rules.label in one.before.split() for one in since)
        return off and rules.label not in ticket.labels
    undone = []
    for one in [one for one in ticket.changes if kind == "change" and one.id == number]:
        if one.field == "status" and one.after.casefold() == rules.status.casefold():
            undone.append(moved and ticket.status.casefold() == one.before.casefold())
        elif one.field == "labels" and rules.label in _added(one):
            undone.append(rules.label not in ticket.labels)
    return True in undone and False not in undone


def _added(change: Change) -> set[str]:
    return set(change.after.split()) - set(change.before.split())


def everybody(ticket: Ticket, asker: Person) -> tuple[Person, ...]:
    """All whose words may become part of a task, each once."""
    said = [asker, ticket.creator, *(one.by for one in ticket.changes)]
    said += [who for one in ticket.remarks for who in (one.by, one.writer)]
    said += [one.by for one in ticket.attached]
    return tuple(dict.fromkeys(one for one in said if one.id))


def parts(
    ticket: Ticket,
    at: str,
    may: Collection[str],
    *,
    own: str,
    hint: str = "",
    by_rule: bool = False,
) -> tuple[Part, ...]:
    """The task as the ticket read at a moment: later changes are undone from its history.

    `may` are the ids of those who may start runs, `own` is our own. A comment counts if one of them
    left it alone since before the moment. `by_rule`: the hint came from a rule of the tracker,
    which may have put anybody's words into it.
    """
    said = [
        _field(ticket, at, may, "summary", ticket.title),
        _field(ticket, at, may, "description", ticket.text),
        _field(ticket, at, may, "criteria", ticket.criteria),
        *_remarks(ticket, at, may, own),
        *_files(ticket, at, may, own),
    ]
    if ticket.linked:
        # No titles: nobody knows here whose words they are.
        lines = (f"- {one.how} {one.key}" for one in ticket.linked)
        said.append(Part("Linked tickets", "\n".join(lines), "", may=True))
    if hint:
        by = "whoever the rule quotes" if by_rule else ""
        said.append(Part("The request adds", hint, by, may=not by_rule))
    return tuple(said[:2]) + tuple(one for one in said[2:] if one.text.strip())


_HEADINGS = {"summary": "", "description": "", "criteria": "Acceptance criteria"}


def _field(ticket: Ticket, at: str, may: Collection[str], name: str, now: str) -> Part:
    """A field as it read then, by the first of its writers who may not, if there is one."""
    text, writers = now, [ticket.creator]
    for change in sorted(ticket.changes, key=lambda one: (_time(one.at), one.id), reverse=True):
        if change.field != name:
            continue
        if _time(change.at) > _time(at):
            text = change.before
        else:
            writers.append(change.by)
    by = next((one for one in writers if one.id not in may), ticket.creator)
    return Part(_HEADINGS[name], text, by.name, may=by.id in may)


def _remarks(ticket: Ticket, at: str, may: Collection[str], own: str) -> Iterable[Part]:
    taken: list[Remark] = [
        one
        for one in ticket.remarks
        if {one.by.id, one.writer.id} <= set(may)
        and one.by.id != own
        and _time(one.edited_at or one.at) < _time(at)
    ]
    for one in sorted(taken, key=lambda one: (_time(one.at), one.id))[-_MOST_COMMENTS:]:
        yield Part(f"Comment of {one.by.name}", one.text, one.by.name, may=True)


def _files(ticket: Ticket, at: str, may: Collection[str], own: str) -> Iterable[Part]:
    files = [one for one in ticket.attached if one.by.id != own and _time(one.at) <= _time(at)]
    if files:
        lines = (f"- {one.name[:_NAME_CHARS]} ({one.size:,} bytes)" for one in files)
        strangers = [one.by for one in files if one.by.id not in may]
        by = strangers[0] if strangers else NOBODY
        heading = "Files attached to the ticket (not readable here)"
        yield Part(heading, "\n".join(lines), by.name, may=not strangers)


def _time(at: str) -> datetime:
    return datetime.fromisoformat(at)
