"""Brings the runs that may start to the engine, and passes on what people asked of them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

from bot.domain.engine import Die, Engine
from bot.domain.messages import ticket
from bot.domain.runs import MAX_STARTS, Run, RunStatus
from bot.domain.store import Ending, Fenced, Store, StoreUnavailable

_log = logging.getLogger(__name__)
_ALL = 10_000
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How many runs at once, and how often to look; a tick is every `tick_s` seconds.

    Every `beat_ticks` the store hears that the worker lives; every `sweep_ticks` runs that nobody
    executes any more are submitted again; every `prune_ticks` what was dealt with more than
    `keep_days` ago is forgotten: deliveries, and what the engine knows. Runs stay.
    """

    per_repository: int = 1
    total: int = 4
    tick_s: float = 0.5
    beat_ticks: int = 10
    sweep_ticks: int = 60
    prune_ticks: int = 7200
    keep_days: int = 30
    clock: Callable[[], float] = time.time


class Dispatcher:
    """Serves the store's queue with an engine. `worker` is the name that the store hears."""

    def __init__(self, store: Store, engine: Engine, die: Die, *, worker: str, pace: Pace) -> None:
        self._store = store
        self._engine = engine
        self._die = die
        self._worker = worker
        self._pace = pace
        self._ticks = count()
        self._passed: set[tuple[str, int]] = set()

    async def run(self) -> None:
        """Start the engine and serve until cancelled; then close the engine.

        Calls `die` where the store does not answer. Raises Misconfigured, StoreUnavailable.
        """
        try:
            # Before the engine recovers them: one of these may be what killed every worker so far.
            for run in filter(_exhausted, await self._running()):
                await asyncio.to_thread(self._give_up, run)
            await self._engine.start()
            while True:
                await self.tick()
                await asyncio.sleep(self._pace.tick_s)
        except StoreUnavailable as error:
            self._die(str(error))
            raise
        finally:
            await self._engine.close()

    async def tick(self) -> None:
        """One look at the store. Raises StoreUnavailable."""
        tick = next(self._ticks)
        running = await self._running()
        await self._pass_cancels(running)
        if tick % self._pace.beat_ticks == 0:
            await asyncio.to_thread(self._store.beat, self._worker)
        if tick % self._pace.sweep_ticks == 0:
            await self._sweep(running)
        if tick % self._pace.prune_ticks == 0:
            await self._prune()
        for run in await asyncio.to_thread(
            self._store.next_runs, per_repository=self._pace.per_repository, total=self._pace.total
        ):
            await self._engine.submit(run.id)

    async def _running(self) -> Sequence[Run]:
        return await asyncio.to_thread(self._store.runs, status=RunStatus.RUNNING, limit=_ALL)

    async def _pass_cancels(self, running: Sequence[Run]) -> None:
        """Pass each cancel on once for each start: what is stopped may be closing the run."""
        starts = {(run.id, run.epoch) for run in running if run.cancel_requested}
        for start in starts - self._passed:
            await self._engine.cancel(start[0])
        self._passed = starts

    async def _sweep(self, running: Sequence[Run]) -> None:
        for run in running:
            if _exhausted(run):
                await asyncio.to_thread(self._give_up, run)
            else:
                await self._engine.submit(run.id)

    async def _prune(self) -> None:
        before = self._pace.clock() - self._pace.keep_days * _DAY_S
        moment = datetime.fromtimestamp(before, UTC).isoformat()
        gone = await asyncio.to_thread(self._store.prune, moment)
        await self._engine.prune(before)
        if gone:
            _log.info("forgot %d deliveries and commands of before %s", gone, moment[:10])

    def _give_up(self, run: Run) -> None:
        reason = f"given up after {run.epoch} starts, none of which came to an end"
        try:
            epoch = self._store.begin(run.id, self._worker)
            if run.request.ticket:
                letter = ticket.last_letter(run, ticket.given_up(run.epoch))
                self._store.post_for(run.id, epoch, letter)
            self._store.move(run.id, epoch, RunStatus.FINISHED, Ending("failed", reason))
        except Fenced:
            return  # it has just ended after all
        _log.error("run %s: %s", run.id, reason)


def _exhausted(run: Run) -> bool:
    """Even the start that should only have told of the end came to none."""
    return run.ill_starts > MAX_STARTS + 2
