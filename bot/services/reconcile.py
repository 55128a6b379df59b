"""Deliveries that GitHub could not bring are asked for again: at the start, then now and then."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, Protocol, TypeVar

from bot.errors import BotError, NotFound

EVERY_S = 600.0
_MOST = 200
"""Of one sweep: the rest waits for the next, so that a long outage does not end in a storm."""
_log = logging.getLogger(__name__)


class Lost(Protocol):
    """A delivery without a successful attempt."""

    @property
    def guid(self) -> str:
        """Its name, the same for every attempt."""

    @property
    def attempts(self) -> int:
        """How often it was tried."""


L = TypeVar("L", bound=Lost)


class Deliveries(Protocol[L]):
    """The forge's record of what it sent."""

    async def failed(self) -> Sequence[L]:
        """What never arrived, oldest first."""

    async def redeliver(self, delivery: L) -> None:
        """Send it again. Raises NotFound where it is gone."""


class Reconciler(Generic[L]):
    """Asks for each lost delivery once for each attempt that failed."""

    def __init__(self, deliveries: Deliveries[L], *, most: int = _MOST) -> None:
        self._deliveries = deliveries
        self._most = most
        self._asked: dict[str, int] = {}

    async def sweep(self) -> int:
        """One sweep; returns how many were asked for. Raises BotError."""
        lost = await self._deliveries.failed()
        self._asked = {one.guid: self._asked.get(one.guid, 0) for one in lost}
        # The record may not show our last request yet; what it shows twice is asked for once.
        new = [one for one in lost if one.attempts > self._asked[one.guid]][: self._most]
        asked = 0
        for one in new:
            self._asked[one.guid] = one.attempts
            try:
                await self._deliveries.redeliver(one)
                asked += 1
            except NotFound as gone:
                _log.warning("%s", gone)
        if asked:
            _log.info("asked GitHub for %d lost deliveries", asked)
        return asked

    async def keep_sweeping(
        self,
        every_s: float = EVERY_S,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Sweep now, and again every `every_s` seconds, until cancelled."""
        while True:
            try:
                await self.sweep()
            except BotError as error:
                _log.warning("lost deliveries could not be asked for: %s", error)
            await sleep(every_s)
