"""Scratch directories: gone after the work, and swept away by the next one where a process died."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

_PREFIX = "acp-scratch-"
_LOCK = "held"


@asynccontextmanager
async def scratch(below: Path | None = None) -> AsyncIterator[Path]:
    """A directory of one's own for a `with` block; by default where temporary files belong."""
    below = below or Path(tempfile.gettempdir())
    await asyncio.to_thread(_sweep, below)
    place, lock = await asyncio.to_thread(_make, below)
    try:
        yield place / "work"
    finally:
        # What a job's own user made may resist its removal; the next sweep tries again.
        os.close(lock)
        await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)


def _make(below: Path) -> tuple[Path, int]:
    place = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=below))
    # Held before it has its name: nobody ever sees a lock that nobody holds yet.
    new = place / "new"
    lock = os.open(new, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    (place / "work").mkdir(mode=0o711)
    # A session may run under another user id, which has to pass through to its tree.
    place.chmod(0o711)
    new.rename(place / _LOCK)
    return place, lock


def _sweep(below: Path) -> None:
    for place in below.glob(f"{_PREFIX}*"):
        if _ours(place) and _nobody_holds(place / _LOCK):
            shutil.rmtree(place, ignore_errors=True)


def _ours(place: Path) -> bool:
    """Everybody may write where we make ours: a link, or another's directory, is left alone."""
    with suppress(OSError):
        facts = place.lstat()
        return stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.geteuid()
    return False


def _nobody_holds(path: Path) -> bool:
    with suppress(OSError):  # half made, gone by now, or held
        lock = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.close(lock)
        return True
    return False
