"""The web process's way to the store: one thread, and one transaction for all that wait."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from bot.domain.store import Delivery, Order, Receipt, Store, StoreUnavailable

T = TypeVar("T")
Read = Callable[[], tuple[Delivery, Order]]
PATIENCE_S = 8.0
"""A forge waits ten seconds; who is not done by then is told to send again."""
_MOST_WAITING = 1_000
_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class _Waiting:
    read: Read
    receipt: asyncio.Future[Receipt]


class Inbox:
    """Opens the store when it is first needed, and again after it could not be.

    One thread: SQLite takes one writer at a time, and who waits in a queue is served in turn,
    while who waits for its lock sleeps and tries again. What came in during one transaction goes
    into the next one together: a disk is as slow for sixty deliveries as for one.
    """

    def __init__(self, open_store: Callable[[], Store]) -> None:
        self._open_store = open_store
        self._store: Store | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="inbox")
        self._queue: deque[_Waiting] = deque()
        self._writer: asyncio.Task[None] | None = None

    async def __call__(self, work: Callable[[Store], T]) -> T:
        """Do one piece of work with the store. Raises StoreUnavailable, also when it takes long."""
        loop = asyncio.get_running_loop()
        return await _in_time(loop.run_in_executor(self._thread, lambda: work(self._opened())))

    async def receive(self, read: Read) -> Receipt:
        """Take one delivery in; returns once it is safe on disk. Raises StoreUnavailable.

        What was given up on may still be done: deliveries are taken in once, however often sent.
        """
        if len(self._queue) >= _MOST_WAITING:
            raise StoreUnavailable("too many deliveries wait for the database")
        waiting = _Waiting(read, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write(), name="inbox")
        return await _in_time(waiting.receipt)

    def close(self) -> None:
        """Finish what is under way and give connections back."""
        self._thread.shutdown(wait=True, cancel_futures=True)
        if self._store is not None:
            self._store.close()
            self._store = None

    async def _write(self) -> None:
        """Write until nobody waits."""
        loop = asyncio.get_running_loop()
        while self._queue:
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), _AT_ONCE))]
            batch = [one for one in batch if not one.receipt.done()]
            job = loop.run_in_executor(self._thread, self._receive, [one.read for one in batch])
            await asyncio.wait({job})
            error = job.exception()
            if error is None:
                for one, receipt in zip(batch, job.result(), strict=True):
                    _answer(one.receipt, receipt)
            elif len(batch) == 1:
                _answer(batch[0].receipt, error)
            else:
                # One of them may be to blame: each gets a transaction of its own.
                for one in batch:
                    await self._write_alone(one)

    async def _write_alone(self, one: _Waiting) -> None:
        loop = asyncio.get_running_loop()
        job = loop.run_in_executor(self._thread, self._receive, [one.read])
        await asyncio.wait({job})
        _answer(one.receipt, job.exception() or job.result()[0])

    def _receive(self, reads: Sequence[Read]) -> Sequence[Receipt]:
        return self._opened().receive_all([read() for read in reads])

    def _opened(self) -> Store:
        if self._store is None:
            self._store = self._open_store()
        return self._store


async def _in_time(answer: asyncio.Future[T]) -> T:
    try:
        return await asyncio.wait_for(answer, PATIENCE_S)
    except TimeoutError:
        raise StoreUnavailable("the database did not answer in time") from None


def _answer(waiting: asyncio.Future[Receipt], said: Receipt | BaseException) -> None:
    if waiting.done():
        return  # whoever asked has gone
    if isinstance(said, BaseException):
        waiting.set_exception(said)
    else:
        waiting.set_result(said)
