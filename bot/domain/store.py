"""The store's port: deliveries in, runs through, one append-only log out.

Correctness rests here: whoever (re)starts a run raises its epoch, and journal entries, events and
effects are written only under the current epoch (`Fenced` otherwise). Every method is one
transaction. Methods are synchronous and short; async callers use a thread. Every method may raise
StoreUnavailable: whoever executes runs then ends its process, whoever answers says "try later".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from bot.domain.jira import Mailbox
from bot.domain.orders import (
    Asked,
    Delivery,
    Hear,
    Nothing,
    Order,
    Receipt,
    Say,
    Settle,
    Start,
    Touch,
    Withdraw,
    asked_again,
    label_again,
)
from bot.domain.runs import Outcome, Run, RunRequest, RunStatus
from bot.errors import BotError

__all__ = [
    "NO_ENDING",
    "Asked",
    "Counts",
    "Delivery",
    "Ending",
    "Entry",
    "Fenced",
    "Hear",
    "Json",
    "Nothing",
    "Order",
    "Receipt",
    "Say",
    "Settle",
    "Share",
    "Spending",
    "Start",
    "Store",
    "StoreUnavailable",
    "StoredEvent",
    "Touch",
    "Withdraw",
    "asked_again",
    "label_again",
]
Json = Mapping[str, Any]


class Fenced(BotError):
    """Somebody else has taken the run over, or it has ended: stop, and make no effect."""


class StoreUnavailable(BotError):
    """The database did not answer or refused; the process should end and be restarted."""


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
    """A journal entry. `reply` is None while only reserved (paid perhaps, answer unknown).

    `tries` counts the reservations: all but the last may have been paid for in vain.
    """

    key: str
    digest: str
    reply: Json | None
    tries: int = 1


@dataclass(frozen=True, slots=True)
class Counts:
    """Runs of an issue, a repository and an installation since a moment, and active ones."""

    issue: int
    repository: int
    installation: int
    active_repository: int


@dataclass(frozen=True, slots=True)
class Spending:
    """What another run has cost, or may yet cost, in US dollars. `at` is when it was asked for."""

    at: str
    usd: float


Share = Callable[[Sequence[Spending]], float]


@dataclass(frozen=True, slots=True)
class Ending:
    """What is known of a run when it moves; fields left at their default stay as they are.

    A run that is queued again with a `not_before` (ISO 8601) is parked: it takes no place until
    then, and a cancel ends the waiting. `lost_usd` is the part of `cost_usd` perhaps paid.
    """

    outcome: Outcome | Literal[""] = ""
    reason: str = ""
    cost_usd: float | None = None
    pull_request: int = 0
    not_before: str = ""
    lost_usd: float = 0.0


NO_ENDING = Ending()


class Store(Mailbox, Protocol):
    """The database."""

    def receive(self, delivery: Delivery, order: Order) -> Receipt:
        """Take a delivery in, once: same GUID or same meaning again changes nothing.

        What was not committed was not taken in: the same delivery again then runs.
        """

    def receive_all(self, deliveries: Sequence[tuple[Delivery, Order]]) -> Sequence[Receipt]:
        """Take several in, in this order, in one transaction: all of them, or none."""

    def asked(self, limit: int = 20) -> Sequence[Asked]:
        """Commands that are due for an answer, the one that was due first before the others.

        Whoever acts on one gives the order to `receive` as a delivery of its own (source "acp",
        the command's meaning as id) and then calls `answered`; dying in between repeats nothing.
        """

    def answered(self, asked_id: str) -> None:
        """The command has had its answer. Idempotent."""

    def answer_later(self, asked_id: str, seconds: float) -> None:
        """Look at a command again after that time; meanwhile others have their turn."""

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
        """What the caps are held against. `since` is ISO 8601; active means not finished.

        Requests that were turned away before any money was set aside do not count: else whoever
        may start nothing could use up the runs of those who may.
        """

    def allot(self, run_id: str, epoch: int, since: str, share: Share) -> float:
        """Set money aside for the run, once: the dollars that `share` gives it, or has given.

        `share` is told what the repository's other runs since then have cost; a run that is at work
        has cost all that was set aside for it. No two runs are given the same money. What is set
        aside stays so until the run moves on with a known cost. Raises Fenced.
        """

    def spend(self, run_id: str, epoch: int, usd: float, lost_usd: float = 0.0) -> None:
        """Write what the run has cost so far, and how much of it perhaps. Raises Fenced."""

    def next_runs(self, *, per_repository: int, total: int) -> Sequence[Run]:
        """Claim the queued runs that may start now under both limits, by priority, then age.

        A claimed run counts against the limits like a running one. It is given again at every
        call until it begins, so whoever dies between the claim and the start loses nothing.
        """

    def begin(self, run_id: str, worker: str) -> int:
        """Raise the epoch and mark the run running; returns the epoch.

        Raises Fenced where there is nothing to execute: the run is held, finished or unknown.
        """

    def move(self, run_id: str, epoch: int, status: RunStatus, ending: Ending = NO_ENDING) -> None:
        """Move a run along `MOVES`. Raises Fenced; ValueError for a move that is none of them."""

    def request_cancel(self, run_id: str, by: str) -> bool:
        """Ask for a cancel; False if it has finished.

        A run that never began finishes at once. Any other is marked, and ends where it is next
        executed, by saying so; a held one is queued for that.
        """

    def append(self, run_id: str, epoch: int, kind: str, data: Json, *, key: str = "") -> int:
        """Append to the log; returns seq. A `key` seen before returns its seq. Raises Fenced."""

    def events(self, run_id: str, after: int = 0, limit: int = 1000) -> Sequence[StoredEvent]:
        """The log from `after` on, oldest first."""

    def journal(self, run_id: str) -> Mapping[str, Entry]:
        """The whole journal of a run, by key."""

    def reserve(self, run_id: str, epoch: int, key: str, digest: str) -> None:
        """Write an entry before it is paid for; an earlier reply under the key is dropped.

        Raises Fenced.
        """

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

    def beat(self, worker: str) -> None:
        """Say that a worker is alive."""

    def last_beat(self) -> str:
        """When a worker last said that it is alive, ISO 8601 in UTC; "" if none ever did."""

    def prune(self, before: str) -> int:
        """Forget what was taken in and dealt with before a moment; returns how many rows.

        Deliveries and answered commands go; runs, their logs and whatever waits stay.
        """

    def close(self) -> None:
        """Give connections back."""
