"""The store's port: deliveries in, runs through, one append-only log out.

Correctness rests here: whoever (re)starts a run raises its epoch, and journal entries, events and
effects are written only under the current epoch (`Fenced` otherwise). Every method is one
transaction. Methods are synchronous and short; async callers use a thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from bot.domain.runs import Outcome, Run, RunRequest, RunStatus
from bot.errors import BotError

Json = Mapping[str, Any]


class Fenced(BotError):
    """Somebody else has taken the run over: stop, and make no effect."""


class StoreUnavailable(BotError):
    """The database did not answer or refused; the process should end and be restarted."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook delivery. `source` is "github" or "jira"; `id` its GUID; `digest` of its body."""

    source: str
    id: str
    event: str
    digest: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a delivery. `run_id` is the run it started or touched, or ""."""

    outcome: Literal["started", "duplicate", "active", "applied", "ignored"]
    run_id: str = ""


@dataclass(frozen=True, slots=True)
class Start:
    """Start a run, unless its meaning was seen or the issue has an active run."""

    request: RunRequest


@dataclass(frozen=True, slots=True)
class Touch:
    """Tell the active run of an issue something: cancel it, or release it from its hold."""

    verb: Literal["cancel", "push"]
    repository_id: int
    issue: int
    by: str


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Cancel every active run of an installation, or of some of its repositories."""

    installation_id: int
    repository_ids: tuple[int, ...] | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Nothing:
    """Remember the delivery, do nothing. `reason` is for the operator's log."""

    reason: str


Order = Start | Touch | Withdraw | Nothing


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One line of a run's log. `seq` counts from 1 within the run and has no gaps."""

    run_id: str
    seq: int
    kind: str
    data: Json
    at: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A journal entry. `reply` is None while only reserved (paid perhaps, answer unknown)."""

    key: str
    digest: str
    reply: Json | None


@dataclass(frozen=True, slots=True)
class Counts:
    """Runs of an issue, a repository and an installation since a moment, and active ones."""

    issue: int
    repository: int
    installation: int
    active_repository: int
    usd_repository: float


@dataclass(frozen=True, slots=True)
class Ending:
    """What is known of a run when it moves; fields left at their default stay as they are."""

    outcome: Outcome | Literal[""] = ""
    reason: str = ""
    cost_usd: float | None = None
    pull_request: int = 0


NO_ENDING = Ending()


class Store(Protocol):
    """The database."""

    def receive(self, delivery: Delivery, order: Order) -> Receipt:
        """Take a delivery in, once: same GUID or same meaning again changes nothing."""

    def run(self, run_id: str) -> Run | None:
        """One run."""

    def runs(
        self,
        *,
        status: RunStatus | None = None,
        repository_id: int | None = None,
        issue: int | None = None,
        limit: int = 50,
    ) -> Sequence[Run]:
        """Runs, newest first."""

    def counts(self, request: RunRequest, since: str) -> Counts:
        """What the caps are held against."""

    def next_runs(self, *, per_repository: int, total: int) -> Sequence[Run]:
        """Queued runs that may start now under both limits, by priority, then age."""

    def begin(self, run_id: str, worker: str) -> int:
        """Raise the epoch and mark the run running; returns the epoch. Fenced if finished."""

    def move(self, run_id: str, epoch: int, status: RunStatus, ending: Ending = NO_ENDING) -> None:
        """Move a run along `MOVES`. Raises Fenced."""

    def request_cancel(self, run_id: str, by: str) -> bool:
        """Ask for a cancel; False if it has finished. A queued or held run finishes at once."""

    def append(self, run_id: str, epoch: int, kind: str, data: Json, *, key: str = "") -> int:
        """Append to the log; returns seq. A `key` seen before returns its seq. Raises Fenced."""

    def events(self, run_id: str, after: int = 0, limit: int = 1000) -> Sequence[StoredEvent]:
        """The log from `after` on, oldest first."""

    def journal(self, run_id: str) -> Mapping[str, Entry]:
        """The whole journal of a run, by key."""

    def reserve(self, run_id: str, epoch: int, key: str, digest: str) -> None:
        """Write an entry before it is paid for. Raises Fenced."""

    def record(self, run_id: str, epoch: int, key: str, digest: str, reply: Json) -> None:
        """Fill the entry. Raises Fenced."""

    def forget(self, run_id: str, epoch: int, prefix: str) -> None:
        """Drop entries whose key starts with `prefix`: a seat is worked anew. Raises Fenced."""

    def effect(self, run_id: str, name: str) -> Json | None:
        """What an effect left behind (a comment's id, a pull request's number), or None."""

    def intend(self, run_id: str, epoch: int, name: str) -> Json | None:
        """Write the intent before an effect; returns what is there already. Raises Fenced."""

    def done(self, run_id: str, epoch: int, name: str, result: Json) -> None:
        """Write what the effect left behind. Raises Fenced."""

    def close(self) -> None:
        """Give connections back."""
