"""An engine without memory: for tests, and for trying the bot out. A restart starts from nothing.

What it forgets the dispatcher submits again, because the store remembers.
"""

from __future__ import annotations

import asyncio

from bot.adapters.engine.executions import Executions
from bot.domain.engine import Die, Execute


class InProcessEngine:
    """Implements `Engine` with the tasks of one event loop."""

    def __init__(self, execute: Execute, die: Die, *, concurrency: int = 4) -> None:
        self._executions = Executions(execute, die)
        self._places = asyncio.Semaphore(concurrency)
        self._jobs: dict[str, asyncio.Task[None]] = {}

    async def start(self) -> None:
        """Nothing was left."""

    async def submit(self, run_id: str) -> None:
        """See that the run is executed."""
        if run_id not in self._jobs:
            job = asyncio.ensure_future(self._take(run_id))
            self._jobs[run_id] = job
            job.add_done_callback(lambda _: self._jobs.pop(run_id))

    async def cancel(self, run_id: str) -> None:
        """Stop the execution of a run."""
        if run_id in self._executions:
            self._executions.cancel(run_id)
        elif run_id in self._jobs:
            self._jobs[run_id].cancel()

    async def prune(self, before: float) -> None:
        """Nothing is remembered."""

    async def close(self) -> None:
        """Stop every execution."""
        await self._executions.close()
        jobs = list(self._jobs.values())
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)

    async def _take(self, run_id: str) -> None:
        async with self._places:
            await self._executions.run(run_id)
