"""What holds for DBOS alone: one worker on a file, and a process that ends with its disk."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.adapters.engine.dbos_sqlite import connect
from bot.adapters.engine.worker_lock import WorkerLock
from bot.errors import Misconfigured


def test_a_second_worker_is_refused_in_a_sentence(tmp_path: Path) -> None:
    first, second = WorkerLock(tmp_path / "engine.db.lock"), WorkerLock(tmp_path / "engine.db.lock")
    first.take()
    with pytest.raises(Misconfigured, match=r"another worker \(process \d+\) serves .*engine\.db:"):
        second.take()
    first.release()
    first.release()
    second.take()
    second.release()


def test_the_file_is_set_up_for_many_threads(tmp_path: Path) -> None:
    deaths: list[str] = []
    engine = connect(sa.make_url(f"sqlite:///{tmp_path / 'engine.db'}"), deaths.append)
    with engine.connect() as c:
        found = [
            c.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "busy_timeout", "foreign_keys", "synchronous")
        ]
    engine.dispose()
    assert (found, deaths) == (["wal", 30_000, 1, 1], [])


def test_a_full_disk_ends_the_process_and_a_wrong_statement_does_not(tmp_path: Path) -> None:
    deaths: list[str] = []
    engine = connect(sa.make_url(f"sqlite:///{tmp_path / 'engine.db'}"), deaths.append)
    with engine.connect() as c:
        c.exec_driver_sql("CREATE TABLE t (x)")
        with pytest.raises(sa.exc.OperationalError, match="no such table"):
            c.exec_driver_sql("SELECT * FROM nowhere")
        assert deaths == []
        c.exec_driver_sql("PRAGMA max_page_count = 2")
        with pytest.raises(sa.exc.OperationalError, match="full"):
            c.exec_driver_sql("INSERT INTO t VALUES (zeroblob(100000))")
    engine.dispose()
    assert deaths == ["the engine's database failed: database or disk is full"]


def test_an_old_sqlite_knows_the_milliseconds_that_a_new_python_makes_dbos_ask_for(
    tmp_path: Path,
) -> None:
    engine = connect(sa.make_url(f"sqlite:///{tmp_path / 'engine.db'}"), lambda _why: None)
    with engine.begin() as c:
        stamp = "INTEGER NOT NULL DEFAULT (unixepoch('subsec') * 1000)"
        c.exec_driver_sql(f"CREATE TABLE t (x, stamp {stamp})")
        c.exec_driver_sql("INSERT INTO t (x) VALUES (1)")
        stored = c.exec_driver_sql("SELECT stamp, unixepoch() FROM t").one()
    engine.dispose()
    assert isinstance(stored[0], int)
    assert abs(stored[0] // 1000 - stored[1]) <= 60
