"""The store's twin in memory: for tests, and for trying things out. Nothing survives the process.

It keeps the same promises as `SqlStore` and passes the same contract suite.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot.adapters.store.memory_mailbox import MemoryMailbox
from bot.adapters.store.stamps import Clock, new_id, normal, stamp
from bot.domain.runs import MOVES, Run, RunRequest, RunStatus
from bot.domain.store import (
    NO_ENDING,
    Asked,
    Counts,
    Delivery,
    Ending,
    Fenced,
    Hear,
    Nothing,
    Order,
    Receipt,
    Say,
    Start,
    Touch,
    Withdraw,
)


class MemoryStore(MemoryMailbox):
    """Implements `Store`. Use from any thread."""

    def __init__(self, clock: Clock = time.time) -> None:
        super().__init__(clock)
        self._deliveries: dict[tuple[str, str], Receipt] = {}
        self._said: set[str] = set()
        self._asked: dict[str, Asked] = {}
        self._claimed: set[str] = set()
        self._beat = ""

    def receive(self, delivery: Delivery, order: Order) -> Receipt:
        """Take a delivery in, once."""
        with self._lock:
            guid = (delivery.source, delivery.id)
            if guid in self._deliveries:
                return Receipt("duplicate", self._deliveries[guid].run_id)
            self._deliveries[guid] = self._follow(order)
            return self._deliveries[guid]

    def receive_all(self, deliveries: Sequence[tuple[Delivery, Order]]) -> Sequence[Receipt]:
        """Take several in."""
        with self._lock:
            return [self.receive(delivery, order) for delivery, order in deliveries]

    def asked(self, limit: int = 20) -> Sequence[Asked]:
        """Commands that wait for an answer."""
        with self._lock:
            return sorted(self._asked.values(), key=lambda asked: asked.id)[:limit]

    def answered(self, asked_id: str) -> None:
        """The command has had its answer."""
        with self._lock:
            self._asked.pop(asked_id, None)

    def run(self, run_id: str) -> Run | None:
        """One run."""
        return self._runs.get(run_id)

    def runs(
        self,
        *,
        status: RunStatus | None = None,
        repository_id: int | None = None,
        issue: int | None = None,
        limit: int = 50,
    ) -> Sequence[Run]:
        """Runs, newest first."""
        with self._lock:
            found = [
                run
                for run in self._runs.values()
                if status in (None, run.status)
                and repository_id in (None, run.request.repository.id)
                and issue in (None, run.request.issue)
            ]
        return sorted(found, key=lambda run: run.id, reverse=True)[:limit]

    def counts(self, request: RunRequest, since: str) -> Counts:
        """What the caps are held against."""
        here = [r for r in self._all() if r.request.repository.id == request.repository.id]
        recent = [run for run in here if run.created_at >= normal(since)]
        wide = request.repository.installation_id
        return Counts(
            issue=sum(run.request.issue == request.issue for run in recent),
            repository=len(recent),
            installation=sum(
                run.request.repository.installation_id == wide and run.created_at >= normal(since)
                for run in self._all()
            ),
            active_repository=sum(run.status is not RunStatus.FINISHED for run in here),
            usd_repository=sum(run.cost_usd or 0.0 for run in recent),
        )

    def next_runs(self, *, per_repository: int, total: int) -> Sequence[Run]:
        """Claim the queued runs that may start now."""
        with self._lock:
            queued = [run for run in self._all() if run.status is RunStatus.QUEUED]
            queued.sort(key=lambda run: (run.request.priority, run.id))
            running = [run for run in self._all() if run.status is RunStatus.RUNNING]
            claimed = [run for run in queued if run.id in self._claimed]
            busy = Counter(run.request.repository.id for run in (*running, *claimed))
            for run in queued:
                where = run.request.repository.id
                open_here = busy.total() < total and busy[where] < per_repository
                if run.id not in self._claimed and open_here:
                    busy[where] += 1
                    self._claimed.add(run.id)
            return [run for run in queued if run.id in self._claimed]

    def begin(self, run_id: str, worker: str) -> int:
        """Raise the epoch and mark the run running."""
        with self._lock:
            run = self._runs.get(run_id)
            if run is None or run.status not in (RunStatus.QUEUED, RunStatus.RUNNING):
                raise Fenced(f"run {run_id} is held, finished or unknown: nothing to execute")
            started = run.started_at or stamp(self._clock())
            self._change(
                run_id,
                status=RunStatus.RUNNING,
                epoch=run.epoch + 1,
                started_at=started,
                worker=worker,
            )
            return run.epoch + 1

    def move(self, run_id: str, epoch: int, status: RunStatus, ending: Ending = NO_ENDING) -> None:
        """Move a run along `MOVES`."""
        with self._fenced(run_id, epoch) as run:
            if status not in MOVES[run.status]:
                raise ValueError(f"a run does not move from {run.status} to {status}")
            known: dict[str, Any] = {
                name: value
                for name in ("outcome", "reason", "pull_request")
                if (value := getattr(ending, name))
            }
            if ending.cost_usd is not None:
                known["cost_usd"] = ending.cost_usd
            self._change(run_id, status=status, **known)

    def request_cancel(self, run_id: str, by: str) -> bool:
        """Ask for a cancel."""
        with self._lock:
            run = self._runs.get(run_id)
            if run is None or run.status is RunStatus.FINISHED:
                return False
            asked = run.cancel_by if run.cancel_requested else by
            self._change(run_id, cancel_requested=True, cancel_by=asked)
            if run.status is RunStatus.HELD:
                self._change(run_id, status=RunStatus.QUEUED)
            elif run.epoch == 0:
                over = {"outcome": "cancelled", "reason": f"cancelled: {by}"}
                self._change(run_id, status=RunStatus.FINISHED, **over)
            return True

    def beat(self, worker: str) -> None:  # noqa: ARG002 (one process, so whoever asks is alive)
        """Say that a worker is alive."""
        self._beat = stamp(self._clock())

    def last_beat(self) -> str:
        """When a worker last said that it is alive."""
        return self._beat

    def close(self) -> None:
        """Nothing to give back."""

    def _all(self) -> list[Run]:
        with self._lock:
            return list(self._runs.values())

    def _change(self, run_id: str, **values: Any) -> None:
        if values.get("status") is RunStatus.FINISHED:
            values["finished_at"] = stamp(self._clock())
        if "status" in values:
            self._claimed.discard(run_id)
        self._runs[run_id] = replace(self._runs[run_id], **values)

    def _follow(self, order: Order) -> Receipt:
        match order:
            case Start(request=request):
                return self._start(request)
            case Touch():
                return self._touch(order)
            case Withdraw():
                return self._withdraw(order)
            case Say():
                return self._ask(order)
            case Hear(trigger=trigger):
                self._hear(trigger)
                return Receipt("applied")
            case Nothing():
                return Receipt("ignored")

    def _ask(self, say: Say) -> Receipt:
        if say.meaning in self._said:
            return Receipt("duplicate")
        self._said.add(say.meaning)
        asked = Asked(new_id(self._clock()), say)
        self._asked[asked.id] = asked
        return Receipt("applied")

    def _start(self, request: RunRequest) -> Receipt:
        for run in self._runs.values():
            if run.request.meaning == request.meaning:
                return Receipt("duplicate", run.id)
        active = self._active(request.repository.id, request.issue) if request.issue else None
        if active is not None:
            return Receipt("active", active.id)
        now = self._clock()
        run_id = new_id(now)
        self._runs[run_id] = Run(
            id=run_id,
            request=request,
            status=RunStatus.QUEUED,
            epoch=0,
            outcome="",
            reason="",
            created_at=stamp(now),
            started_at="",
            finished_at="",
            cancel_requested=False,
            push_by="",
            cost_usd=None,
            pull_request=0,
        )
        return Receipt("started", run_id)

    def _touch(self, order: Touch) -> Receipt:
        active = self._active(order.repository_id, order.issue)
        if active is None:
            return Receipt("ignored")
        if order.verb == "cancel":
            self.request_cancel(active.id, order.by)
        elif active.status is RunStatus.HELD:
            self._change(active.id, status=RunStatus.QUEUED, push_by=order.by)
        else:
            return Receipt("ignored", active.id)
        return Receipt("applied", active.id)

    def _withdraw(self, order: Withdraw) -> Receipt:
        gone = order.repository_ids
        found = [
            run.id
            for run in self._all()
            if run.request.repository.installation_id == order.installation_id
            and (gone is None or run.request.repository.id in gone)
        ]
        applied = [run_id for run_id in found if self.request_cancel(run_id, order.reason)]
        return Receipt("applied") if applied else Receipt("ignored")

    def _active(self, repository_id: int, issue: int) -> Run | None:
        for run in self._runs.values():
            where = (run.request.repository.id, run.request.issue)
            if where == (repository_id, issue) and run.status is not RunStatus.FINISHED:
                return run
        return None
