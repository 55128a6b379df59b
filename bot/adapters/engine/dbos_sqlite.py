"""DBOS's SQLite file: how it is opened, and which of its errors end the process."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from bot.domain.engine import Die

_BUSY_MS = 30_000
# SQLite knows `unixepoch('subsec')` from here on. With Python 3.12 and newer DBOS asks for it, and
# Debian 12, on which many images of Python are made, has an older SQLite.
_SUBSECONDS = (3, 42)
_FATAL = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
}


def connect(url: sa.URL, die: Die) -> sa.Engine:
    """An engine that calls `die` when the file cannot be read or written.

    DBOS would log such an error and leave its runs where they are, in a process that lives on and
    never looks at them again; a restart takes them up.
    """
    engine = sa.create_engine(url)

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: object) -> None:
        connection.isolation_level = "IMMEDIATE"
        if sqlite3.sqlite_version_info < _SUBSECONDS:
            connection.create_function("unixepoch", 1, _unix_epoch)
        for pragma in (
            f"busy_timeout = {_BUSY_MS}",
            "foreign_keys = ON",
            "journal_mode = WAL",
            "synchronous = NORMAL",  # what a power cut takes from here, our own tables still know
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "handle_error")
    def _judge(context: sa.engine.ExceptionContext) -> None:
        code = getattr(context.original_exception, "sqlite_errorcode", None)
        if code is not None and code & 0xFF in _FATAL:
            die(f"the engine's database failed: {context.original_exception}")

    return engine


def _unix_epoch(_modifier: str) -> float:
    """What `unixepoch('subsec')` says: seconds, in steps of a millisecond."""
    return round(time.time(), 3)
