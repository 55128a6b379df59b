"""Locks between processes, held by a file's descriptor: whoever dies lets go of them.

Who holds the lock alone may remove its file (`drop`): whoever waited for it sees that, and takes
the file that stands there then.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Held:
    """A lock that is held until `release`."""

    path: Path
    descriptor: int

    def release(self) -> None:
        """Let go of it."""
        os.close(self.descriptor)

    def drop(self) -> None:
        """Remove the file, which nothing needs any longer. Only for who holds it alone."""
        self.path.unlink(missing_ok=True)


async def take(path: Path, *, shared: bool = False) -> Held:
    """Hold the file `path`, made where it is not there: alone, or together with other sharers.

    Waits without a thread, so that a cancel ends the waiting.
    """
    while (held := _tried(path, shared=shared)) is None:  # noqa: ASYNC110 - of another process
        await asyncio.sleep(_POLL_S)
    return held


@asynccontextmanager
async def locked(path: Path) -> AsyncIterator[Held]:
    """Hold the file `path` alone for a `with` block."""
    held = await take(path)
    try:
        yield held
    finally:
        held.release()


@contextmanager
def locked_if_free(path: Path) -> Iterator[Held | None]:
    """Hold the file `path` alone if nobody else holds it; None where somebody does."""
    held = _tried(path)
    try:
        yield held
    finally:
        if held:
            held.release()


def _tried(path: Path, *, shared: bool = False) -> Held | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    taken = False
    try:
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            taken = _still_there(path, descriptor)
    finally:
        if not taken:
            os.close(descriptor)
    return Held(path, descriptor) if taken else None


def _still_there(path: Path, descriptor: int) -> bool:
    """Whether the file has not been removed, and perhaps made anew, since it was opened."""
    with suppress(FileNotFoundError):
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    return False
