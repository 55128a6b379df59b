"""The web process's way to the store: writes one after the other, on one thread of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from bot.domain.store import Store, StoreUnavailable

T = TypeVar("T")
PATIENCE_S = 8.0
"""A forge waits ten seconds; who is not done by then is told to send again."""
_MOST_WAITING = 1_000


class Inbox:
    """Opens the store when it is first needed, and again after it could not be.

    One thread: SQLite takes one writer at a time, and who waits in a queue is served in turn,
    while who waits for its lock sleeps and tries again.
    """

    def __init__(self, open_store: Callable[[], Store]) -> None:
        self._open_store = open_store
        self._store: Store | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="inbox")
        self._waiting = 0

    async def __call__(self, work: Callable[[Store], T]) -> T:
        """Do one piece of work with the store. Raises StoreUnavailable, also when it takes long.

        What was given up on may still be done: deliveries are taken in once, however often sent.
        """
        if self._waiting >= _MOST_WAITING:
            raise StoreUnavailable("too many deliveries wait for the database")
        self._waiting += 1
        loop = asyncio.get_running_loop()
        job = loop.run_in_executor(self._thread, lambda: work(self._opened()))
        job.add_done_callback(self._one_less)
        try:
            return await asyncio.wait_for(job, PATIENCE_S)
        except TimeoutError:
            raise StoreUnavailable("the database did not answer in time") from None

    def close(self) -> None:
        """Finish what is under way and give connections back."""
        self._thread.shutdown(wait=True, cancel_futures=True)
        if self._store is not None:
            self._store.close()
            self._store = None

    def _opened(self) -> Store:
        if self._store is None:
            self._store = self._open_store()
        return self._store

    def _one_less(self, job: asyncio.Future[T]) -> None:
        self._waiting -= 1
        if not job.cancelled():
            job.exception()  # looked at: whoever waited for it may have gone
