"""One worker for one SQLite file: the engine's limits hold in one process only."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from bot.errors import Misconfigured


class WorkerLock:
    """A lock that ends with the process, however it ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def take(self) -> None:
        """Take the lock. Raises Misconfigured where another process holds it."""
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(file, 20).decode("ascii", "replace").strip() or "unknown"
            os.close(file)
            raise Misconfigured(
                f"another worker (process {holder}) serves {self._path.with_suffix('')}: an "
                "SQLite file has exactly one; stop it, or move to PostgreSQL for more"
            ) from None
        os.truncate(file, 0)
        os.write(file, f"{os.getpid()}\n".encode())
        self._file = file

    def release(self) -> None:
        """Give the lock back. Idempotent."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
