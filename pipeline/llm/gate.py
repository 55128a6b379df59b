"""How many calls may be under way at one provider: a bound for the whole process.

Runs live in event loops of their own, so an `asyncio.Semaphore`, which belongs to one loop, would
bound each run and not the provider.
"""

from __future__ import annotations

import asyncio
from collections import deque
from threading import Lock
from typing import Self

DEFAULT_PLACES = 8
_Waiting = tuple[asyncio.AbstractEventLoop, "asyncio.Future[None]"]


class Gate:
    """An async context manager with room for `places` at a time, first come first served."""

    def __init__(self, places: int = DEFAULT_PLACES) -> None:
        self._lock = Lock()
        self._places = places
        self._inside = 0
        self._queue: deque[_Waiting] = deque()

    @property
    def places(self) -> int:
        """How many may be inside."""
        return self._places

    def resize(self, places: int) -> None:
        """Change the room; who is inside stays."""
        with self._lock:
            self._places = max(1, places)
        self._admit()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        mine: asyncio.Future[None] = loop.create_future()
        with self._lock:
            self._queue.append((loop, mine))
        self._admit()
        try:
            await mine
        except asyncio.CancelledError:
            self._give_up(mine)
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self._leave()

    def _leave(self) -> None:
        with self._lock:
            self._inside -= 1
        self._admit()

    def _admit(self) -> None:
        while True:
            with self._lock:
                if not self._queue or self._inside >= self._places:
                    return
                loop, waiting = self._queue.popleft()
                self._inside += 1
            try:
                loop.call_soon_threadsafe(self._let_in, waiting)
            except RuntimeError:  # its loop is closed: nobody is waiting there
                with self._lock:
                    self._inside -= 1

    def _let_in(self, waiting: asyncio.Future[None]) -> None:
        if waiting.done():  # given up in the meantime
            self._leave()
        else:
            waiting.set_result(None)

    def _give_up(self, mine: asyncio.Future[None]) -> None:
        with self._lock:
            self._queue = deque(entry for entry in self._queue if entry[1] is not mine)
        # Let in, and cancelled before it could go on: the place is free again. Where the future
        # itself was cancelled, `_let_in` sees to that.
        if mine.done() and not mine.cancelled():
            self._leave()


_gates: dict[str, Gate] = {}
_gates_lock = Lock()


def gate_of(provider: str) -> Gate:
    """The process's gate to that provider."""
    with _gates_lock:
        return _gates.setdefault(provider, Gate())
