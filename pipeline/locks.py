"""Locks between processes, held by a file's descriptor: whoever dies lets go of them."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

_POLL_S = 0.05


@asynccontextmanager
async def locked(path: Path) -> AsyncIterator[None]:
    """Hold the file `path`, made where it is not there, alone for a `with` block.

    Waits without a thread, so that a cancel ends the waiting.
    """
    lock = _open(path)
    try:
        while not _taken(lock):  # noqa: ASYNC110 - another process cannot set an event
            await asyncio.sleep(_POLL_S)
        yield
    finally:
        os.close(lock)


@asynccontextmanager
async def locked_if_free(path: Path) -> AsyncIterator[bool]:
    """Hold the file `path` if nobody else does, and say whether it is held."""
    lock = _open(path)
    try:
        yield _taken(lock)
    finally:
        os.close(lock)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _taken(lock: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
