"""Keeps writes under what GitHub takes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


class WriteLimiter:
    """Keeps the writes of one installation under GitHub's 80 a minute, in this process."""

    def __init__(
        self,
        burst: float = 20.0,
        per_second: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._burst, self._rate, self._clock = burst, per_second, clock
        self._left, self._at = burst, clock()
        self._turn = asyncio.Lock()

    async def wait(self) -> None:
        """Return when one more write is in order."""
        async with self._turn:
            self._refill()
            if self._left < 1:
                await asyncio.sleep((1 - self._left) / self._rate)
                self._refill()
            self._left -= 1

    def _refill(self) -> None:
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
