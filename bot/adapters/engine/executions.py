"""The executions under way in this process: one task each, cancelled once, never lost silently."""

from __future__ import annotations

import asyncio
import logging

from bot.domain.engine import Die, Execute
from bot.domain.store import Fenced, StoreUnavailable

_log = logging.getLogger(__name__)


class Executions:
    """Runs `execute` and keeps the rules of the engine's port. Use from one event loop."""

    def __init__(self, execute: Execute, die: Die) -> None:
        self._execute = execute
        self._die = die
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._closed = False

    def __contains__(self, run_id: str) -> bool:
        return run_id in self._tasks

    async def run(self, run_id: str) -> None:
        """Execute a run to its end, however often we are cancelled meanwhile.

        Raises CancelledError if the execution was cut short by `close` or by the storage: then it
        is to be executed again.
        """
        if self._closed:
            raise asyncio.CancelledError
        task = asyncio.ensure_future(self._execute(run_id))
        self._tasks[run_id] = task
        while not task.done():
            try:
                await asyncio.wait({task})
            except asyncio.CancelledError:
                _cancel_once(task)
        if self._tasks.get(run_id) is task:
            del self._tasks[run_id]
        self._judge(run_id, task)

    def cancel(self, run_id: str) -> None:
        """Cancel the execution of a run, if there is one."""
        if run_id in self._tasks:
            _cancel_once(self._tasks[run_id])

    async def close(self) -> None:
        """Cancel every execution, wait until each has cleaned up, and accept no more."""
        self._closed = True
        tasks = set(self._tasks.values())
        for task in tasks:
            _cancel_once(task)
        if tasks:
            await asyncio.wait(tasks)

    def _judge(self, run_id: str, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        match error:
            case None if self._closed and task.cancelled():
                raise asyncio.CancelledError
            case None:
                pass
            case Fenced():
                _log.info("run %s was taken over: %s", run_id, error)
            case StoreUnavailable():
                self._die(f"run {run_id} could not be recorded: {error}")
                raise asyncio.CancelledError
            case _:
                _log.error("the execution of run %s ended in an error", run_id, exc_info=error)


def _cancel_once(task: asyncio.Task[None]) -> None:
    # A second cancel would break into the clean-up that the first one began.
    if not task.cancelling():
        task.cancel()
