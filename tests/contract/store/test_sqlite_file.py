"""What holds for the file itself: migrations, locks, power cuts, versions."""

from __future__ import annotations

import multiprocessing
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from bot.adapters.store.database import Database
from bot.adapters.store.sql import QUICK_S, SqlStore
from bot.adapters.store.stamps import new_id, normal
from bot.adapters.store.tables import metadata
from bot.adapters.store.upgrade import MIGRATIONS, NEWEST
from bot.domain.store import Start, StoreUnavailable
from bot.errors import Misconfigured

if TYPE_CHECKING:
    from tests.contract.store.conftest import Desk


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "acp.db"


@pytest.fixture
def quick(file: Path) -> Iterator[SqlStore]:
    """A store that waits a tenth of a second for other writers."""
    opened = SqlStore.open(f"sqlite:///{file}", wait_s=0.1)
    yield opened
    opened.close()


@pytest.fixture
def other(quick: SqlStore, file: Path) -> Iterator[sqlite3.Connection]:
    """Another writer of the same file."""
    connection = sqlite3.connect(file, isolation_level=None, timeout=0.1, check_same_thread=False)
    yield connection
    connection.close()


def made(connection: sqlite3.Connection) -> set[str]:
    rows = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {" ".join(row[0].split()) for row in rows if "alembic_version" not in row[0]}


def test_the_migrations_make_what_the_tables_say(other: sqlite3.Connection, tmp_path: Path) -> None:
    fresh = sa.create_engine(f"sqlite:///{tmp_path / 'fresh.db'}")
    metadata.create_all(fresh)
    fresh.dispose()
    wanted = sqlite3.connect(tmp_path / "fresh.db")
    assert made(other) == made(wanted)
    wanted.close()


def test_the_newest_migration_is_the_one_that_is_named() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [NEWEST]


def test_alembic_finds_nothing_to_add(quick: SqlStore, file: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_the_connections_are_set_up_for_many_processes(quick: SqlStore, file: Path) -> None:
    database = Database(f"sqlite:///{file}", wait_s=QUICK_S)
    with database.reading() as c:
        found = {
            name: c.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "busy_timeout", "foreign_keys", "synchronous")
        }
    database.close()
    assert found == {
        "journal_mode": "wal",
        "busy_timeout": 3000,
        "foreign_keys": 1,
        "synchronous": 2,
    }


def test_a_locked_file_is_said_to_be_unavailable_and_the_redelivery_then_runs(
    quick: SqlStore, other: sqlite3.Connection, desk: Desk
) -> None:
    order, knock = Start(desk.request()), desk.delivery("g")
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        quick.receive(knock, order)
    other.execute("ROLLBACK")
    assert quick.receive(knock, order).outcome == "started"


def test_reading_does_not_wait_for_a_writer(quick: SqlStore, other: sqlite3.Connection) -> None:
    other.execute("BEGIN IMMEDIATE")
    assert list(quick.runs()) == []


def test_a_writer_waits_for_a_short_lock(file: Path, other: sqlite3.Connection, desk: Desk) -> None:
    patient = SqlStore.open(f"sqlite:///{file}", wait_s=20)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.3, other.execute, ["ROLLBACK"])
    release.start()
    assert patient.receive(desk.delivery(), Start(desk.request())).outcome == "started"
    release.join()
    patient.close()


def test_the_database_itself_holds_an_issue_to_one_active_run(
    quick: SqlStore, other: sqlite3.Connection, desk: Desk
) -> None:
    quick.receive(desk.delivery(), Start(desk.request()))
    copied = (
        "INSERT INTO runs (id, request, meaning, installation_id, repository_id, issue,"
        " priority, status, created_at) SELECT 'copy', request, 'other', installation_id,"
        " repository_id, issue, priority, {status}, created_at FROM runs"
    )
    with pytest.raises(sqlite3.IntegrityError, match=r"runs\.repository_id, runs\.issue"):
        other.execute(copied.format(status="'queued'"))
    other.execute(copied.format(status="'finished'"))


def test_a_database_from_the_future_is_refused(file: Path, other: sqlite3.Connection) -> None:
    other.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Misconfigured, match="newer version"):
        SqlStore.open(f"sqlite:///{file}")


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "acp.db").write_bytes(b"not a database" * 200)
    with pytest.raises(StoreUnavailable, match="not a database"):
        SqlStore.open(f"sqlite:///{tmp_path / 'acp.db'}")


def _open(url: str) -> None:
    SqlStore.open(url).close()


def test_processes_that_start_together_upgrade_once(file: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    started = [spawn.Process(target=_open, args=(f"sqlite:///{file}",)) for _ in range(3)]
    for process in started:
        process.start()
    for process in started:
        process.join(60)
    assert [process.exitcode for process in started] == [0, 0, 0]


def test_ids_sort_by_time() -> None:
    moments = [1.0, 1.001, 2.0, 1_800_000_000.0, time.time() + 4e9]
    ids = [new_id(moment) for moment in moments]
    assert ids == sorted(ids)
    assert {len(one) for one in ids} == {26}
    assert len({new_id(1.0) for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "given",
    [
        "2026-11-22T10:00:00Z",
        "2026-11-22T11:00:00.000+01:00",
        "2026-11-22T10:00:00",
    ],
)
def test_everybodys_times_are_compared_as_one(given: str) -> None:
    assert normal(given) == "2026-11-22T10:00:00.000+00:00"
