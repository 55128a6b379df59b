"""A cancel kills what a run started, and a disk that fails ends the process, not the run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.domain.engine import EXIT_STORAGE

if TYPE_CHECKING:
    from tests.resilience.conftest import Place

CALLS = 12
CANCEL_S = 10.0  # proves a kill; on a quiet machine it takes less than one second
pytestmark = pytest.mark.slow


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_a_cancel_kills_child_and_grandchild_that_ignore_the_polite_signal(place: Place) -> None:
    place.worker(job="tree")
    run_id = place.start()
    pids = place.folder / run_id / "pids"
    place.until(lambda: pids.exists() and len(pids.read_text().split()) == 2)
    family = [int(pid) for pid in pids.read_text().split()]
    assert all(alive(pid) for pid in family)
    place.store.request_cancel(run_id, "ann")
    took = place.until(lambda: not any(alive(pid) for pid in family))
    print(f"cancel to dead tree: {took:.2f} s")
    assert took < CANCEL_S
    place.until(lambda: place.finished(run_id))
    assert (place.run(run_id).outcome, place.run(run_id).epoch) == ("cancelled", 1)


@pytest.mark.parametrize("file_kb", [150, 260, 420])
def test_a_full_disk_ends_the_process_and_a_restart_goes_on(place: Place, file_kb: int) -> None:
    ids = [place.start() for _ in range(3)]
    poor = place.worker(calls=CALLS, file_kb=file_kb)
    assert poor.wait(60) == EXIT_STORAGE, place.log()
    assert not place.finished(*ids)
    assert "dying: " in place.log()
    place.worker(calls=CALLS)
    place.until(lambda: place.finished(*ids))
    assert {place.run(run_id).outcome for run_id in ids} == {"completed"}
    for run_id in ids:
        assert sum(place.till.of(run_id).values()) <= CALLS + 1
        assert sorted(place.till.of(run_id)) == list(range(CALLS))
