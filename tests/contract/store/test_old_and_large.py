"""What holds for a file that has been in use for long: rows of old versions, and very many rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from bot.adapters.store.database import Database
from bot.adapters.store.sql import SqlStore
from bot.adapters.store.upgrade import MIGRATIONS, upgrade
from bot.domain.jira import Trigger
from bot.domain.runs import RunStatus
from bot.domain.store import Entry, Hear, Start, Store, Touch

if TYPE_CHECKING:
    from tests.contract.store.conftest import Desk

pytestmark = pytest.mark.parametrize("store", ["memory"], indirect=True)  # the desk's own
AT = "2026-11-22T10:00:00.000+00:00"


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(f"sqlite:///{tmp_path / 'used.db'}", wait_s=5)


def add(connection: sa.Connection, table: str, **values: Any) -> None:
    plain = {n: json.dumps(v) if isinstance(v, dict) else v for n, v in values.items()}
    names = ", ".join(plain)
    slots = ", ".join(f":{name}" for name in plain)
    connection.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({slots})"), plain)


def begin_at(database: Database, revision: str) -> None:
    """The tables of an early version."""
    with database.writing() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def test_rows_of_the_first_version_are_read_after_the_upgrade(
    database: Database, desk: Desk
) -> None:
    begin_at(database, "0001")
    request = asdict(desk.request(7))
    for new in ("label", "ticket"):  # came later
        del request[new]
    where = {"installation_id": 101, "repository_id": 1, "issue": 7, "priority": 20}
    with database.writing() as c:
        state = {"status": "held", "epoch": 1, "cost_usd": 1.5, "created_at": AT}
        add(c, "runs", id="R0", request=request, meaning="m0", **where, **state)
        add(c, "journal", run_id="R0", key="k", digest="d", reply={"a": 1}, tries=1, epoch=1)
        add(c, "effects", run_id="R0", name="push", result={"branch": "b"}, epoch=1)
        add(c, "events", run_id="R0", seq=1, kind="note", data={}, at=AT)
    upgrade(database)
    store = SqlStore(database)
    (run,) = store.runs()
    assert (run.status, run.cost_usd, run.lost_usd, run.parked) == (RunStatus.HELD, 1.5, 0.0, 0)
    assert run.request == desk.request(7, meaning="1:7:label")
    assert store.journal("R0") == {"k": Entry("k", "d", {"a": 1})}
    assert store.effect("R0", "push") == {"branch": "b"}
    assert [event.kind for event in store.events("R0")] == ["note"]
    assert store.receive(desk.delivery(), Touch("push", 1, 7, "ann", AT)).outcome == "applied"
    assert [one.id for one in store.next_runs(per_repository=1, total=1)] == ["R0"]


ASKED: dict[str, Callable[[Store, Desk], object]] = {
    "a trigger": lambda store, desk: store.receive(desk.delivery(), Start(desk.request())),
    "a touch": lambda store, desk: store.receive(desk.delivery(), Touch("cancel", 1, 1, "ann")),
    "a ticket": lambda store, desk: store.receive(
        desk.delivery(), Hear(Trigger("request", "SHOP-1", AT))
    ),
    "what waits for an answer": lambda store, _: store.asked(),
    "what waits for a look": lambda store, _: store.heard(),
    "what waits to be told": lambda store, _: store.due(10.0),
    "what may start": lambda store, _: store.next_runs(per_repository=1, total=4),
    "the caps": lambda store, desk: store.counts(desk.request(), AT),
}


@pytest.mark.parametrize("what", ASKED)
def test_what_is_asked_all_the_time_reads_no_whole_table(
    database: Database, desk: Desk, what: str
) -> None:
    upgrade(database)
    asked: list[tuple[str, Any]] = []

    @sa.event.listens_for(database.engine, "before_cursor_execute")
    def _note(_c: Any, _cursor: Any, statement: str, given: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, given))

    ASKED[what](SqlStore(database), desk)
    sa.event.remove(database.engine, "before_cursor_execute", _note)
    assert asked
    with database.reading() as c:
        for statement, given in asked:
            plan = c.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)
            steps = [str(row[3]) for row in plan]
            assert not any(step.startswith("SCAN") for step in steps), (statement, steps)
            if "runs.issue = ?" in statement and "count(" not in statement:
                # Rows of a repository's ended runs are many, and long.
                assert "uq_runs_one_active_of_an_issue" in steps[0], (statement, steps)
