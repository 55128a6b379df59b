"""What differs between the databases: how to connect, and who may write when.

Nothing else in this room asks which database it talks to.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

WRITES = "acp_writes"
_LOCK = 0x616370  # PostgreSQL's advisory locks are numbers


def connect(url: str, *, wait_s: float) -> sa.Engine:
    """An engine that waits at most `wait_s` seconds for another writer."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed, wait_s)
    wait = f"-c lock_timeout={int(wait_s * 1000)}"
    return sa.create_engine(
        parsed, pool_pre_ping=True, pool_timeout=wait_s, connect_args={"options": wait}
    )


class Turns:
    """Lets the threads of this process write one after another where the database can only so.

    SQLite's own waiting is blind sleeping, and starves some of many writers for a second.
    """

    def __init__(self, engine: sa.Engine, wait_s: float) -> None:
        self._lock = threading.Lock() if engine.dialect.name == "sqlite" else None
        self._wait_s = wait_s

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for our turn. Raises TimeoutError after the waiting time."""
        if self._lock is None:
            yield
            return
        if not self._lock.acquire(timeout=self._wait_s):
            raise TimeoutError(f"no turn to write within {self._wait_s:g} s")
        try:
            yield
        finally:
            self._lock.release()


def hold(connection: sa.Connection) -> None:
    """Let one process at a time pass until the transaction ends.

    On SQLite a writing transaction holds the only lock there is from its first statement.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def _sqlite(url: sa.URL, wait_s: float) -> sa.Engine:
    engine = sa.create_engine(url, pool_timeout=wait_s, connect_args={"timeout": wait_s})

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver begins nothing behind our back
        for pragma in (
            f"busy_timeout = {int(wait_s * 1000)}",
            "foreign_keys = ON",
            "journal_mode = WAL",
            "synchronous = FULL",  # what was acknowledged survives a power cut as well
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        # A reader that turns writer half-way fails at once when another writer came between.
        writes = connection.get_execution_options().get(WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
