"""A run as the bot knows it: what was asked, by whom, and how far it has come."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from bot.domain.jira import Asked

Outcome = Literal["completed", "failed", "no_change", "cancelled", "refused"]
Origin = Literal["label", "comment", "api", "cli", "jira", "mcp"]

MAX_STARTS = 6
"""A run that was begun this often after the first time has taken its worker down too often."""


class RunStatus(StrEnum):
    """Where a run stands. Only `finished` is an end; it carries an `Outcome`."""

    QUEUED = "queued"
    RUNNING = "running"
    HELD = "held"  # proven, and waiting for a writer's `/acp push`
    FINISHED = "finished"


MOVES: dict[RunStatus, frozenset[RunStatus]] = {
    RunStatus.QUEUED: frozenset({RunStatus.RUNNING, RunStatus.FINISHED}),
    RunStatus.RUNNING: frozenset({RunStatus.QUEUED, RunStatus.HELD, RunStatus.FINISHED}),
    RunStatus.HELD: frozenset({RunStatus.QUEUED, RunStatus.FINISHED}),
    RunStatus.FINISHED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Actor:
    """An account of the forge. `kind` is "User", "Bot" or "Organization"."""

    id: int
    login: str
    kind: str


@dataclass(frozen=True, slots=True)
class RepositoryId:
    """A repository as its installation sees it; ids survive renames, `full_name` does not."""

    id: int
    full_name: str
    installation_id: int
    default_branch: str = ""
    private: bool = False


@dataclass(frozen=True, slots=True)
class FrozenText:
    """Text of the task as it was when it triggered; never fetched again.

    It holds every change up to `as_of` (ISO 8601 in UTC; "" where that is not known).
    """

    title: str
    body: str
    author: Actor
    hint: str = ""  # what stood behind `/acp run`
    as_of: str = ""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """Everything that a run is asked to do, frozen at the trigger. JSON-ready by `asdict`.

    `meaning` is the logical key of the trigger: two deliveries with one meaning start one run.
    `priority`: lower goes first. `label` is the one that was set, for origin "label". `at` is the
    trigger's time, ISO 8601 in UTC. A run of a `ticket` has its number for `issue`.
    """

    origin: Origin
    repository: RepositoryId
    issue: int
    text: FrozenText
    requester: Actor
    meaning: str
    at: str
    comment_id: int = 0
    priority: int = 20
    label: str = ""
    ticket: Asked | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A row of the store. `epoch` counts the (re)starts; times are ISO 8601 in UTC, "" for not yet.

    `outcome` and `reason` are "" until finished; `push_by` is the login of the writer whose
    `/acp push` released a held run, or "". `cancel_by` is the login of whoever asked for the
    cancel (or the reason of a withdrawal) and "" while nobody has. `worker` began it last.
    `cost_usd` counts `lost_usd` in: what was perhaps paid, for calls cut off from their answer.
    A queued run waits until `not_before` ("" for not at all); `parked` counts how often it did.
    """

    id: str
    request: RunRequest
    status: RunStatus
    epoch: int
    outcome: Outcome | Literal[""]
    reason: str
    created_at: str
    started_at: str
    finished_at: str
    cancel_requested: bool
    push_by: str
    cost_usd: float | None
    pull_request: int
    cancel_by: str = ""
    worker: str = ""
    not_before: str = ""
    parked: int = 0
    lost_usd: float = 0.0

    @property
    def ill_starts(self) -> int:
        """Starts that ended without a word; those that parked the run said one."""
        return self.epoch - self.parked

    @property
    def paid_usd(self) -> float | None:
        """What was paid for certain; None where a price is unknown, or nothing is known yet."""
        return None if self.cost_usd is None else max(0.0, self.cost_usd - self.lost_usd)
