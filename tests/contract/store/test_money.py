"""Dollars are set aside for a run before it spends them, and no two runs get the same ones."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.domain.runs import RunStatus
from bot.domain.store import Ending, Fenced, Spending
from tests.contract.store.conftest import Desk

LONG_AGO = "2000-01-01T00:00:00+00:00"


def what_is_left_of(dollars: float, wanted: float = 3.0):  # type: ignore[no-untyped-def]
    def share(spent: Sequence[Spending]) -> float:
        return max(0.0, min(wanted, dollars - sum(one.usd for one in spent)))

    return share


def begun(desk: Desk, issue: int, *, repository: int = 1) -> tuple[str, int]:
    run_id = desk.start(issue, repository=repository)
    return run_id, desk.store.begin(run_id, "w")


def test_two_runs_side_by_side_share_the_day_and_the_third_gets_nothing(desk: Desk) -> None:
    one, two, three = (begun(desk, issue) for issue in (1, 2, 3))
    shares = [
        desk.store.allot(run[0], run[1], LONG_AGO, what_is_left_of(5.0))
        for run in (one, two, three)
    ]
    assert shares == [3.0, 2.0, 0.0]
    elsewhere = begun(desk, 1, repository=2)
    assert desk.store.allot(*elsewhere, LONG_AGO, what_is_left_of(5.0)) == 3.0


def test_threads_at_once_are_never_given_more_than_there_is(desk: Desk) -> None:
    runs = [begun(desk, issue) for issue in range(1, 9)]
    with ThreadPoolExecutor(8) as pool:
        shares = list(
            pool.map(
                lambda run: desk.store.allot(run[0], run[1], LONG_AGO, what_is_left_of(5.0)), runs
            )
        )
    assert sorted(shares) == [0, 0, 0, 0, 0, 0, 2.0, 3.0]


def test_a_run_that_starts_again_keeps_its_share(desk: Desk) -> None:
    run_id, epoch = begun(desk, 1)
    assert desk.store.allot(run_id, epoch, LONG_AGO, what_is_left_of(5.0)) == 3.0
    with pytest.raises(Fenced):
        desk.store.allot(run_id, epoch + 1, LONG_AGO, what_is_left_of(5.0))
    epoch = desk.store.begin(run_id, "another")
    assert desk.store.allot(run_id, epoch, LONG_AGO, what_is_left_of(1.0)) == 3.0


def test_what_a_run_did_not_use_is_free_when_it_moves_on(desk: Desk) -> None:
    run_id, epoch = begun(desk, 1)
    desk.store.allot(run_id, epoch, LONG_AGO, what_is_left_of(5.0))
    desk.store.spend(run_id, epoch, 0.75)
    assert desk.run(run_id).cost_usd == 0.75
    seen: list[Spending] = []

    def look(spent: Sequence[Spending]) -> float:
        seen[:] = spent
        return 0.0

    other = begun(desk, 2)
    desk.store.allot(*other, LONG_AGO, look)
    assert seen == [Spending(desk.run(run_id).created_at, 3.0)]
    desk.store.move(run_id, epoch, RunStatus.FINISHED, Ending("completed", cost_usd=1.0))
    desk.store.allot(*other, LONG_AGO, look)
    assert [one.usd for one in seen] == [1.0]


def test_what_was_perhaps_paid_is_kept_apart_from_what_was(desk: Desk) -> None:
    run_id, epoch = begun(desk, 1)
    desk.store.spend(run_id, epoch, 0.75, 0.25)
    assert (desk.run(run_id).paid_usd, desk.run(run_id).lost_usd) == (0.5, 0.25)
    ended = Ending("completed", cost_usd=1.0, lost_usd=0.125)
    desk.store.move(run_id, epoch, RunStatus.FINISHED, ended)
    assert (desk.run(run_id).paid_usd, desk.run(run_id).lost_usd) == (0.875, 0.125)


def test_a_run_that_ended_with_an_unknown_cost_has_perhaps_used_its_share(desk: Desk) -> None:
    run_id, epoch = begun(desk, 1)
    desk.store.allot(run_id, epoch, LONG_AGO, what_is_left_of(5.0))
    desk.store.move(run_id, epoch, RunStatus.FINISHED, Ending("failed", "given up"))
    assert desk.store.allot(*begun(desk, 2), LONG_AGO, what_is_left_of(5.0)) == 2.0


def test_what_was_spent_before_the_day_does_not_count(desk: Desk) -> None:
    early = begun(desk, 1)
    desk.store.allot(*early, LONG_AGO, what_is_left_of(5.0))
    late = begun(desk, 2)
    since = desk.run(late[0]).created_at
    assert desk.store.allot(*late, since, what_is_left_of(5.0)) == 3.0


def test_nobody_writes_costs_of_a_run_that_is_not_theirs(desk: Desk) -> None:
    run_id, epoch = begun(desk, 1)
    with pytest.raises(Fenced):
        desk.store.spend(run_id, epoch + 1, 1.0)
