"""What the emulated Jira holds: accounts, tickets, their history, and a workflow."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Text = str | dict[str, Any] | None
"""Wiki text, a document (ADF), or nothing."""


@dataclass(frozen=True, slots=True)
class Account:
    """A person. `id` is the accountId on Cloud and the user name on Data Center."""

    id: str
    name: str
    groups: tuple[str, ...] = ()


@dataclass(slots=True)
class Note:
    """A comment."""

    id: str
    by: Account
    body: Text
    created: float
    updated: float


@dataclass(frozen=True, slots=True)
class Upload:
    """An attachment."""

    id: str
    by: Account
    name: str
    data: bytes
    created: float


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a history: (field, before, after) of everything that changed at once."""

    id: str
    by: Account
    at: float
    items: tuple[tuple[str, str, str], ...]


@dataclass(slots=True)
class Issue:
    """A ticket. `fields` are custom fields by id."""

    id: str
    key: str
    creator: Account
    created: float
    summary: str
    description: Text = ""
    status: str = "To Do"
    labels: list[str] = field(default_factory=list)
    components: list[str] = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    uploads: list[Upload] = field(default_factory=list)
    links: dict[str, dict[str, Any]] = field(default_factory=dict)
    blocks: list[tuple[str, str]] = field(default_factory=list)
    history: list[Entry] = field(default_factory=list)
    updated: float = 0.0

    @property
    def project(self) -> str:
        """The project's key."""
        return self.key.partition("-")[0]


@dataclass(frozen=True, slots=True)
class Transition:
    """A step of the workflow. `needs` is a field without which it is refused."""

    id: str
    name: str
    to: str
    after: tuple[str, ...] = ()
    needs: str = ""


WORKFLOW = (
    Transition("11", "To Do", "To Do"),
    Transition("21", "Ready for ACP", "Ready for ACP"),
    Transition("31", "Start work", "In Progress"),
    Transition("41", "In Review", "In Review"),
    Transition("51", "Close", "Done", needs="resolution"),
)


@dataclass(slots=True)
class State:
    """Everything. `clock` is seconds since the epoch; ids count up over all kinds."""

    clock: Callable[[], float]
    accounts: dict[str, Account] = field(default_factory=dict)
    tokens: dict[str, Account] = field(default_factory=dict)
    issues: dict[str, Issue] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    custom: dict[str, str] = field(default_factory=dict)
    workflow: tuple[Transition, ...] = WORKFLOW
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(10_001))

    def id(self) -> str:
        """The next id."""
        return str(next(self.ids))


def jira_time(at: float) -> str:
    """A time as Jira writes it."""
    moment = datetime.fromtimestamp(at, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}+0000"
