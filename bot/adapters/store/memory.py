"""The store's twin in memory: for tests, and for trying things out. Nothing survives the process.

It keeps the same promises as `SqlStore` and passes the same contract suite.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from bot.adapters.store.memory_inbox import MemoryInbox
from bot.adapters.store.stamps import Clock, normal, stamp
from bot.domain.runs import MOVES, Run, RunRequest, RunStatus
from bot.domain.store import (
    NO_ENDING,
    Counts,
    Ending,
    Fenced,
    Share,
    Spending,
)


class MemoryStore(MemoryInbox):
    """Implements `Store`. Use from any thread."""

    def __init__(self, clock: Clock = time.time) -> None:
        super().__init__(clock)
        self._reserved: dict[str, float] = {}
        self._beat = ""

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
        begun = [run for run in self._all() if not self._turned_away(run)]
        recent = [run for run in begun if run in here and run.created_at >= normal(since)]
        wide = request.repository.installation_id
        return Counts(
            issue=sum(run.request.issue == request.issue for run in recent),
            repository=len(recent),
            installation=sum(
                run.request.repository.installation_id == wide and run.created_at >= normal(since)
                for run in begun
            ),
            active_repository=sum(run.status is not RunStatus.FINISHED for run in here),
        )

    def _turned_away(self, run: Run) -> bool:
        return run.outcome == "refused" and run.cost_usd is None and run.id not in self._reserved

    def allot(self, run_id: str, epoch: int, since: str, share: Share) -> float:
        """Set money aside for the run."""
        with self._fenced(run_id, epoch) as mine:
            if run_id in self._reserved:
                return self._reserved[run_id]
            others = [
                Spending(run.created_at, max(run.cost_usd or 0.0, self._reserved.get(run.id, 0.0)))
                for run in self._all()
                if run.request.repository.id == mine.request.repository.id
                and run.created_at >= normal(since)
                and run.id != run_id
            ]
            if usd := share(others):
                self._reserved[run_id] = usd
            return usd

    def spend(self, run_id: str, epoch: int, usd: float, lost_usd: float = 0.0) -> None:
        """Write what the run has cost so far."""
        with self._fenced(run_id, epoch):
            self._change(run_id, cost_usd=usd, lost_usd=lost_usd)

    def next_runs(self, *, per_repository: int, total: int) -> Sequence[Run]:
        """Claim the queued runs that may start now."""
        with self._lock:
            now = stamp(self._clock())
            queued = [
                run
                for run in self._all()
                if run.status is RunStatus.QUEUED and run.not_before <= now
            ]
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
                not_before="",
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
            if status is RunStatus.QUEUED and ending.not_before:
                # Who is cancelled does not wait.
                later = "" if run.cancel_requested else normal(ending.not_before)
                known |= {"not_before": later, "parked": run.parked + 1}
            if ending.cost_usd is not None:
                known |= {"cost_usd": ending.cost_usd, "lost_usd": ending.lost_usd}
                self._reserved.pop(run_id, None)
            self._change(run_id, status=status, **known)

    def beat(self, worker: str) -> None:  # noqa: ARG002 (one process, so whoever asks is alive)
        """Say that a worker is alive."""
        self._beat = stamp(self._clock())

    def last_beat(self) -> str:
        """When a worker last said that it is alive."""
        return self._beat

    def close(self) -> None:
        """Nothing to give back."""
