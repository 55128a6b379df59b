"""Runs by the end of their id, their log page by page, and a cancel by hand."""

from __future__ import annotations

import pytest

from bot.adapters.store.memory import MemoryStore
from bot.domain.runs import Actor, FrozenText, RepositoryId, RunRequest
from bot.domain.store import Delivery, Start
from bot.errors import NotFound, UserError
from bot.services import cancel_run, query_runs

ANN = Actor(7, "ann", "User")


def start(store: MemoryStore, number: int) -> str:
    request = RunRequest(
        origin="label",
        repository=RepositoryId(1, "acme/shop", 1),
        issue=number,
        text=FrozenText("Fix it", "", ANN),
        requester=ANN,
        meaning=f"m{number}",
        at="2026-11-22T10:00:00Z",
    )
    return store.receive(Delivery("github", f"g{number}", "x", ""), Start(request)).run_id


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def test_a_run_is_found_by_its_id_or_by_the_end_of_it(store: MemoryStore) -> None:
    run_id = start(store, 1)
    start(store, 2)
    for name in (run_id, run_id.lower(), run_id[-8:], f" {run_id} "):
        assert query_runs.one(store, name).id == run_id


def test_what_means_no_run_or_several_is_refused(store: MemoryStore) -> None:
    first, second = start(store, 1), start(store, 2)
    shared = next(n for n in range(26, 0, -1) if first[:n] == second[:n])
    assert shared >= 4
    with pytest.raises(UserError, match="means 2 runs; write more of the id"):
        query_runs.one(store, first[:4])
    for name in ("", "ZZZZZZZZ", first[-2:]):
        with pytest.raises(NotFound, match="`acp runs` lists them"):
            query_runs.one(store, name)


def test_a_long_log_comes_whole_and_in_order(store: MemoryStore) -> None:
    run_id = start(store, 1)
    epoch = store.begin(run_id, "w")
    for number in range(1203):
        store.append(run_id, epoch, "step", {"number": number})
    found = [event.data["number"] for event in query_runs.log(store, run_id)]
    assert found == list(range(1203))
    assert [event.seq for event in query_runs.log(store, run_id, after=1200)] == [1201, 1202, 1203]


def test_runs_are_listed_newest_first_and_by_status(store: MemoryStore) -> None:
    first, second = start(store, 1), start(store, 2)
    store.begin(first, "w")
    assert [run.id for run in query_runs.recent(store, None, 10)] == [second, first]
    assert [run.id for run in query_runs.recent(store, "running", 10)] == [first]


def test_a_cancel_ends_a_waiting_run_and_asks_a_running_one(store: MemoryStore) -> None:
    waiting, running = start(store, 1), start(store, 2)
    store.begin(running, "w")
    run, asked = cancel_run.cancel(store, waiting, "me")
    assert (run.outcome, run.cancel_by, asked) == ("cancelled", "me", True)
    run, asked = cancel_run.cancel(store, running[-8:], "me")
    assert (run.status, run.cancel_requested, asked) == ("running", True, True)
    assert cancel_run.cancel(store, waiting, "me")[1] is False
