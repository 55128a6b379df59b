"""Small machines: one core of tests runs wherever an emulator is, the rest by `make machines`."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.machines.machine import Machine, Order, like_this_one
from tests.machines.packages import Missing

Report = dict[str, Any]
Booted = Callable[..., Report]


def leave_out(why: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


@pytest.fixture(scope="session")
def booted(tmp_path_factory: pytest.TempPathFactory) -> Booted:
    """What came of an order, by its name; it is run once, whichever worker asks first."""
    own = tmp_path_factory.getbasetemp()
    place = own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own

    def report(name: str, order: Order, build: Callable[[], Machine] = like_this_one) -> Report:
        kept = place / f"{name}.json"
        with (place / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not kept.exists():
                kept.write_text(json.dumps(_run(build, order, place / name)))
        found: Report = json.loads(kept.read_text())
        assert "failed" not in found, found["failed"]
        return found

    return report


def _run(build: Callable[[], Machine], order: Order, place: Path) -> Any:
    place.mkdir(exist_ok=True)
    try:
        return build().run(order, place)
    except AssertionError as why:
        return {"failed": str(why)}
    except Missing as why:
        leave_out(str(why))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = "machines" in str(config.getoption("-m"))
    for item in items:
        if item.get_closest_marker("machines") and not wanted:
            item.add_marker(pytest.mark.skip(reason="takes minutes: make machines"))
