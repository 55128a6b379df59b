"""Keeps one worker process alive beside the web process, and ends it with it."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from contextlib import suppress

WORKER = (sys.executable, "-m", "bot", "worker", "--attached")
_log = logging.getLogger(__name__)
_FIRST_S, _LONGEST_S = 0.5, 60.0
_SETTLED_S = 60.0  # who lived that long starts afresh with the short pause
_GRACE_S = 20.0


class Supervisor:
    """Starts `command`, and starts it again whenever it ends, with growing pauses.

    The worker's standard input is a pipe from us: it ends when this process does, however.
    """

    def __init__(
        self,
        command: Sequence[str] = WORKER,
        *,
        first_s: float = _FIRST_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._command = command
        self._first_s = first_s
        self._clock = clock
        self._process: Process | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin. Nothing where it has begun."""
        if self._task is None:
            self._task = asyncio.create_task(self._keep(), name="supervisor")

    async def stop(self) -> None:
        """Ask the worker to end, and end it where it takes longer than its grace. Idempotent."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        process = self._process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(_GRACE_S):
                await process.wait()
        except TimeoutError:
            _log.warning("the worker did not end within %.0f s and was killed", _GRACE_S)
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _keep(self) -> None:
        pause = self._first_s
        while True:
            began = self._clock()
            ended = await self._once()
            if self._clock() - began > _SETTLED_S:
                pause = self._first_s
            _log.warning("the worker %s; starting it in %.1f s", ended, pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_S)

    async def _once(self) -> str:
        """Run the worker to its end; returns how it ended, in words."""
        # Our own program under our own interpreter: nothing that a model or a repository wrote.
        start = asyncio.create_subprocess_exec  # noqa: TID251
        try:
            self._process = await start(*self._command, stdin=PIPE)
        except OSError as error:
            return f"could not be started ({error.strerror})"
        return f"ended with status {await self._process.wait()}"
