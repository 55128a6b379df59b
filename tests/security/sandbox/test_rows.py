"""Every row of the escape table in four places: blocked, or an exception that we name.

The strong sandbox, the degraded one with the rights that we have, the degraded one as an ordinary
user in what a stock container allows, and a runner's containers.
"""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import SandboxUnavailable
from tests.engines import Engine, contained
from tests.security.sandbox import rows
from tests.security.sandbox.batch import BACKENDS, report
from tests.security.sandbox.conftest import AS_ROOT, in_container, leave_out

FACTS = {"secret": "", "outside": "/nowhere", "pid": 0}
# What tests of ordinary projects need, and what the degraded sandbox cannot give them.
USEFUL = {
    "trace an own child": {"strong", "degraded", "container", "runner"},
    "serve and connect on the own loopback": {"strong", "runner"},
    "shared memory and locks": {"strong", "degraded", "runner"} if AS_ROOT else {"strong"},
    "user, time zone and encoding": {"strong", "runner"}
    if AS_ROOT
    else {"strong", "degraded", "container"},
}
# The documented exceptions: Landlock does not govern them. With a user id of its own a command may
# change no mode, but it still sees that a file is there.
EXCEPTIONS = {
    "see the name of a file outside": {"degraded", "container"},
    "change the mode of a file outside": {"container"} if AS_ROOT else {"degraded", "container"},
}
AFTERMATH = ("daemon that outlives the command", "link that the host follows")
ESCAPES = [row for row in (*rows.attempts(FACTS), *AFTERMATH) if row not in USEFUL]

Reports = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def reports(shared: Path) -> Reports:
    found: Reports = {}
    with ThreadPoolExecutor(1) as pool:
        for name, backend in BACKENDS.items():
            try:
                found[name] = pool.submit(asyncio.run, report(backend())).result()
            except SandboxUnavailable as error:
                found[name] = {"unavailable": str(error)}
    return found


@pytest.fixture(scope="module")
def container(shared: Path) -> dict[str, Any]:
    return in_container(shared, str(shared / "batch.py"))


@pytest.fixture(scope="module")
def runner(engine: Engine) -> dict[str, Any]:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, report(contained(engine))).result()


@pytest.fixture(params=["strong", "degraded", "container", "runner"])
def place(request: pytest.FixtureRequest, reports: Reports) -> tuple[str, dict[str, str]]:
    """Where it was tried, and what came of each row."""
    name = request.param
    if name in ("container", "runner"):
        return name, request.getfixturevalue(name)["rows"]
    if reason := reports[name].get("unavailable"):
        leave_out(reason)
    return name, reports[name]["rows"]


@pytest.mark.parametrize("row", ESCAPES)
def test_blocked_is(place: tuple[str, dict[str, str]], row: str) -> None:
    where, came_of_it = place
    worked = came_of_it[row] == "worked"
    assert worked == (where in EXCEPTIONS.get(row, set())), came_of_it[row]


@pytest.mark.parametrize("row", USEFUL)
def test_tests_of_projects_can(place: tuple[str, dict[str, str]], row: str) -> None:
    where, came_of_it = place
    assert (came_of_it[row] == "worked") == (where in USEFUL[row]), came_of_it[row]


def test_a_stock_container_forbids_namespaces_and_gets_the_degraded_sandbox(
    container: dict[str, Any],
) -> None:
    assert "bwrap" in container["bubblewrap"]
    assert container["chosen"] == "Landlock"
    assert container["caps"]["grade"] == "degraded"
    assert not container["caps"]["loopback"]


def test_the_report_names_every_row(reports: Reports) -> None:
    for found in reports.values():
        assert "unavailable" in found or set(found["rows"]) == {*ESCAPES, *USEFUL}, json.dumps(
            found
        )
