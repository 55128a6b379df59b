"""A worker may die at any moment: nothing is lost, nothing that was journalled is paid again."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from bot.domain.runs import MAX_STARTS

if TYPE_CHECKING:
    from tests.resilience.conftest import Place

CALLS = 12
pytestmark = pytest.mark.slow


def kill(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_a_worker_killed_at_every_call_in_turn_repeats_that_call_alone(place: Place) -> None:
    victims = [place.worker(calls=CALLS)]
    fatal: list[int] = []

    def strike(_: str, call: int) -> None:
        if fatal == [call]:
            fatal.clear()
            kill(victims[-1])

    place.till.before = strike
    for struck in range(CALLS):
        fatal.append(struck)
        run_id = place.start()
        victims[-1].wait(60)
        victims.append(place.worker(calls=CALLS))
        place.until(partial(place.finished, run_id))
        expected = {call: 2 if call == struck else 1 for call in range(CALLS)}
        assert place.till.of(run_id) == expected, place.log()
        tries = [entry.tries for entry in place.store.journal(run_id).values()]
        assert tries == list(expected.values())
        assert [line.data["call"] for line in place.store.events(run_id)] == list(range(CALLS))
        assert (place.run(run_id).outcome, place.run(run_id).epoch) == ("completed", 2)


def test_a_run_that_kills_every_worker_is_given_up_in_the_end(place: Place) -> None:
    victims = [place.worker(calls=CALLS)]
    place.till.before = lambda _run, _call: kill(victims[-1])
    run_id = place.start()
    while not place.finished(run_id) and len(victims) < 15:
        place.until(lambda: victims[-1].poll() is not None or place.finished(run_id))
        if not place.finished(run_id):
            victims.append(place.worker(calls=CALLS))
    run = place.run(run_id)
    assert (run.outcome, len(victims)) == ("failed", MAX_STARTS + 4), place.log()
    assert "given up" in run.reason
    assert place.till.of(run_id) == {0: MAX_STARTS + 3}


@pytest.mark.parametrize("seed", [1, 2])
def test_a_worker_killed_at_random_moments_finishes_every_run(place: Place, seed: int) -> None:
    chance = random.Random(seed)
    place.till.before = lambda _run, _call: time.sleep(0.03)
    ids = [place.start() for _ in range(6)]
    kills = 0
    paid: dict[tuple[str, int], int] = {}
    worker = place.worker(calls=CALLS)
    while kills < 4 and not place.finished(*ids):
        time.sleep(chance.uniform(0.2, 1.6))
        kill(worker)
        kills += 1
        journalled = {
            (run_id, int(key[-3:]))
            for run_id in ids
            for key, entry in place.store.journal(run_id).items()
            if entry.reply is not None
        }
        paid |= {call: place.till.calls[call] for call in journalled - set(paid)}
        worker = place.worker(calls=CALLS)
    place.until(lambda: place.finished(*ids))
    assert {call: place.till.calls[call] for call in paid} == paid, place.log()
    assert {place.run(run_id).outcome for run_id in ids} == {"completed"}
    for run_id in ids:
        counted, journal = place.till.of(run_id), place.store.journal(run_id)
        assert sorted(counted) == list(range(CALLS))
        assert sum(counted.values()) <= CALLS + kills
        assert all(counted[int(key[-3:])] <= entry.tries for key, entry in journal.items())
        assert len(place.store.events(run_id)) == CALLS


def test_a_frozen_worker_pays_for_nothing_once_another_took_over(place: Place) -> None:
    frozen = place.worker(calls=CALLS, name="frozen")
    place.till.before = lambda _run, call: (
        place.freeze(frozen) if call == 5 and place.till.by["frozen"] == 6 else None
    )
    run_id = place.start()
    place.until(lambda: place.till.by["frozen"] == 6)
    place.worker(calls=CALLS, name="heir")
    place.until(lambda: place.till.by["heir"] >= 2)
    frozen.send_signal(signal.SIGCONT)
    place.until(lambda: place.finished(run_id))
    place.until(lambda: "taken over" in place.log() or frozen.poll() is None)
    time.sleep(1)
    assert dict(place.till.by) == {"frozen": 6, "heir": 7}
    assert place.till.of(run_id) == {call: 2 if call == 5 else 1 for call in range(CALLS)}
    assert (place.run(run_id).worker, place.run(run_id).epoch) == ("heir", 2)
    assert len(place.store.events(run_id)) == CALLS


def test_a_cancel_while_no_worker_lives_is_heard_by_the_next(place: Place) -> None:
    worker = place.worker(calls=CALLS)
    place.till.before = lambda _run, call: kill(worker) if call == 3 else None
    run_id = place.start()
    worker.wait(60)
    place.store.request_cancel(run_id, "ann")
    place.till.before = lambda _run, _call: time.sleep(0.5)
    place.worker(calls=CALLS)
    place.until(lambda: place.finished(run_id))
    assert place.run(run_id).outcome == "cancelled", place.log()
    assert max(place.till.of(run_id)) < CALLS - 1


def test_a_stopped_worker_leaves_its_runs_to_the_next(place: Place) -> None:
    place.till.before = lambda _run, call: time.sleep(0.3 if call == 4 else 0)
    run_id = place.start()
    worker = place.worker(calls=CALLS)
    place.until(lambda: place.till.of(run_id).get(4, 0) == 1)
    worker.send_signal(signal.SIGINT)
    assert worker.wait(30) != 0
    place.worker(calls=CALLS)
    place.until(lambda: place.finished(run_id))
    assert sum(place.till.of(run_id).values()) <= CALLS + 1
