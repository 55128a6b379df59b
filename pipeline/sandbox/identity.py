"""User ids for jobs: when we run as root, every open session gets one that no other session has."""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import SandboxError

# A range that systemd documents as assigned to nobody, below those of containers and subuids.
FIRST_UID = 61000
POOL_SIZE = 64
_PLACES = ("/run", tempfile.gettempdir())
_NAME = "agentic-coding-pipeline-uids"


@dataclass(frozen=True, slots=True)
class Identity:
    """A user id (and group id of that number), held until `release` or until the process dies."""

    uid: int
    lock: int

    def release(self) -> None:
        """Give the id back."""
        os.close(self.lock)


def acquire(directory: Path | None = None) -> Identity:
    """The first free id of the pool, held by a locked file so that no two processes share one.

    Raises SandboxError when all are in use.
    """
    place = directory or _place()
    for uid in range(FIRST_UID, FIRST_UID + POOL_SIZE):
        lock = os.open(
            place / str(uid), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
        )
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        return Identity(uid, lock)
    raise SandboxError(f"all {POOL_SIZE} user ids for sandboxes are in use; wait for a run to end")


def _place() -> Path:
    for parent in _PLACES:
        place = Path(parent) / _NAME
        try:
            place.mkdir(mode=0o700, exist_ok=True)
        except OSError:
            continue
        found = place.lstat()
        # In a directory that all may write, someone else may have made it first.
        if stat.S_ISDIR(found.st_mode) and found.st_uid == 0 and not found.st_mode & 0o022:
            return place
    raise SandboxError(f"no place to keep track of user ids: tried {' and '.join(_PLACES)}")
