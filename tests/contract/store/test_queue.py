"""What every store promises about runs: limits, order, epochs, moves and counts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from bot.domain.runs import MOVES, RunStatus
from bot.domain.store import Ending, Fenced, Touch

if TYPE_CHECKING:
    from tests.contract.store.conftest import Desk

QUEUED, RUNNING, HELD, FINISHED = RunStatus


def next_ids(desk: Desk, *, per_repository: int = 1, total: int = 4) -> list[str]:
    chosen = desk.store.next_runs(per_repository=per_repository, total=total)
    return [run.id for run in chosen]


def test_runs_go_by_priority_then_by_age(desk: Desk) -> None:
    old = desk.start(1, repository=1)
    young = desk.start(1, repository=2)
    urgent = desk.start(1, repository=3, priority=10)
    assert next_ids(desk) == [urgent, old, young]


def test_a_repository_takes_its_turn(desk: Desk) -> None:
    first, second = desk.start(1), desk.start(2)
    assert next_ids(desk) == [first]
    epoch = desk.store.begin(first, "w")
    assert next_ids(desk) == []
    desk.store.move(first, epoch, FINISHED, Ending("completed"))
    assert next_ids(desk) == [second]


def test_a_claimed_run_keeps_its_place_before_a_more_urgent_one(desk: Desk) -> None:
    claimed = desk.start(1)
    assert next_ids(desk) == [claimed]
    desk.start(2, priority=1)
    assert next_ids(desk) == [claimed]


def test_the_total_holds_across_repositories(desk: Desk) -> None:
    ids = [desk.start(1, repository=number) for number in range(1, 6)]
    assert next_ids(desk, total=3) == ids[:3]
    desk.store.begin(ids[0], "w")
    assert next_ids(desk, total=3) == ids[1:3]
    assert next_ids(desk, total=0) == ids[1:3]


def test_a_held_run_takes_no_place(desk: Desk) -> None:
    held, waiting = desk.start(1), desk.start(2)
    desk.store.move(held, desk.store.begin(held, "w"), HELD)
    assert next_ids(desk) == [waiting]


def test_two_dispatchers_together_keep_the_limits(desk: Desk) -> None:
    for number in range(12):
        desk.start(number + 1, repository=number % 6 + 1)
    with ThreadPoolExecutor(4) as pool:
        claims = list(pool.map(lambda _: next_ids(desk, total=4), range(8)))
    assert len({run_id for claim in claims for run_id in claim}) == 4


def test_every_start_raises_the_epoch_and_names_the_worker(desk: Desk) -> None:
    run_id = desk.start()
    assert [desk.store.begin(run_id, "w1"), desk.store.begin(run_id, "w2")] == [1, 2]
    run = desk.run(run_id)
    assert (run.status, run.epoch, run.worker) == ("running", 2, "w2")
    began = run.started_at
    desk.store.begin(run_id, "w3")
    assert desk.run(run_id).started_at == began != ""


@pytest.mark.parametrize("where", ["held", "finished", "unknown"])
def test_there_is_nothing_to_begin_in_a_run_that_is(desk: Desk, where: str) -> None:
    run_id = desk.start()
    if where != "unknown":
        desk.store.move(run_id, desk.store.begin(run_id, "w"), RunStatus(where))
    with pytest.raises(Fenced):
        desk.store.begin("nobody" if where == "unknown" else run_id, "w")


def test_the_end_of_a_run_is_kept(desk: Desk) -> None:
    run_id = desk.start()
    epoch = desk.store.begin(run_id, "w")
    desk.store.move(run_id, epoch, HELD, Ending(cost_usd=0.25))
    desk.store.move(run_id, epoch, FINISHED, Ending("failed", "the tests fail", pull_request=4))
    run = desk.run(run_id)
    assert (run.outcome, run.reason, run.pull_request) == ("failed", "the tests fail", 4)
    assert (run.cost_usd, run.finished_at > run.started_at) == (0.25, True)


def test_a_requeued_run_waits_for_its_turn_again(desk: Desk) -> None:
    run_id = desk.start()
    desk.store.move(run_id, desk.store.begin(run_id, "w"), QUEUED)
    assert desk.run(run_id).status == "queued"
    assert next_ids(desk) == [run_id]
    assert desk.store.begin(run_id, "w") == 2


def test_a_parked_run_waits_until_its_time_and_takes_no_place(desk: Desk) -> None:
    parked, other = desk.start(1), desk.start(2)
    epoch = desk.store.begin(parked, "w")
    desk.store.move(parked, epoch, QUEUED, Ending(not_before="2999-01-01T00:00:00Z"))
    assert (desk.run(parked).not_before[:10], desk.run(parked).parked) == ("2999-01-01", 1)
    assert next_ids(desk) == [other]

    desk.store.move(other, desk.store.begin(other, "w"), FINISHED, Ending("completed"))
    assert next_ids(desk) == []


def test_a_parked_run_goes_on_when_its_time_has_come(desk: Desk) -> None:
    parked = desk.start(1)
    past = desk.run(parked).created_at
    desk.store.move(parked, desk.store.begin(parked, "w"), QUEUED, Ending(not_before=past))
    assert next_ids(desk) == [parked]
    assert desk.store.begin(parked, "w") == 2
    assert (desk.run(parked).not_before, desk.run(parked).parked) == ("", 1)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_parked_run_that_is_cancelled_waits_no_longer(desk: Desk, when: str) -> None:
    parked = desk.start(1)
    epoch = desk.store.begin(parked, "w")
    if when == "before":
        desk.store.request_cancel(parked, "ann")
    desk.store.move(parked, epoch, QUEUED, Ending(not_before="2999-01-01T00:00:00Z"))
    if when == "after":
        desk.store.request_cancel(parked, "ann")
    assert next_ids(desk) == [parked]


@pytest.mark.parametrize("target", list(RunStatus))
@pytest.mark.parametrize("source", [RUNNING, HELD])
def test_a_run_moves_along_the_moves_alone(
    desk: Desk, source: RunStatus, target: RunStatus
) -> None:
    run_id = desk.start()
    epoch = desk.store.begin(run_id, "w")
    if source is HELD:
        desk.store.move(run_id, epoch, HELD)
    if target in MOVES[source]:
        desk.store.move(run_id, epoch, target)
        assert desk.run(run_id).status == target
    else:
        with pytest.raises(ValueError, match="does not move"):
            desk.store.move(run_id, epoch, target)


def test_who_was_overtaken_moves_nothing(desk: Desk) -> None:
    run_id = desk.start()
    old = desk.store.begin(run_id, "w1")
    desk.store.begin(run_id, "w2")
    with pytest.raises(Fenced):
        desk.store.move(run_id, old, FINISHED, Ending("completed"))
    assert desk.run(run_id).status == "running"


def test_a_cancel_reaches_every_run_that_has_not_finished(desk: Desk) -> None:
    run_id = desk.start()
    epoch = desk.store.begin(run_id, "w")
    assert desk.store.request_cancel(run_id, "ann")
    assert desk.store.request_cancel(run_id, "bob")
    assert desk.run(run_id).cancel_by == "ann"
    desk.store.move(run_id, epoch, FINISHED, Ending("cancelled"))
    assert not desk.store.request_cancel(run_id, "ann")
    assert not desk.store.request_cancel("nobody", "ann")


def test_a_held_run_that_is_cancelled_is_queued_for_its_last_word(desk: Desk) -> None:
    run_id = desk.start()
    epoch = desk.store.begin(run_id, "w")
    desk.store.move(run_id, epoch, HELD)
    assert desk.store.request_cancel(run_id, "ann")
    assert (desk.run(run_id).status, desk.run(run_id).cancel_by) == ("queued", "ann")
    assert desk.send(Touch("push", 1, 1, "bob")).outcome == "ignored"
    assert [run.id for run in desk.store.next_runs(per_repository=1, total=1)] == [run_id]
    epoch = desk.store.begin(run_id, "w")
    desk.store.move(run_id, epoch, FINISHED, Ending("cancelled"))
    with pytest.raises(Fenced):
        desk.store.append(run_id, epoch, "log", {})


def test_runs_are_listed_newest_first(desk: Desk) -> None:
    one, two, three = desk.start(1), desk.start(2), desk.start(1, repository=2)
    desk.store.begin(two, "w")
    listed = desk.store.runs
    assert [run.id for run in listed()] == [three, two, one]
    assert [run.id for run in listed(limit=1)] == [three]
    assert [run.id for run in listed(repository_id=1)] == [two, one]
    assert [run.id for run in listed(issue=1)] == [three, one]
    assert [run.id for run in listed(status=RUNNING)] == [two]
    assert desk.store.run("nobody") is None


def test_counts_are_what_the_caps_are_held_against(desk: Desk) -> None:
    early = desk.start(1)
    desk.store.move(early, desk.store.begin(early, "w"), FINISHED, Ending("failed", cost_usd=9.0))
    since = desk.run(desk.start(9, repository=2)).created_at.replace("+00:00", "Z")
    late = desk.start(1, meaning="again")
    desk.store.move(late, desk.store.begin(late, "w"), FINISHED, Ending("failed", cost_usd=0.5))
    desk.start(2)
    desk.start(1, repository=3)
    counts = desk.store.counts(desk.request(1), since)
    assert (counts.issue, counts.repository, counts.installation) == (1, 2, 3)
    assert counts.active_repository == 1


def test_what_was_turned_away_uses_up_no_runs_of_others(desk: Desk) -> None:
    since = "2026-01-01T00:00:00Z"
    for number in range(3):
        stranger = desk.start(1, meaning=f"stranger {number}")
        desk.store.move(
            stranger, desk.store.begin(stranger, "w"), FINISHED, Ending("refused", "refused")
        )
    counts = desk.store.counts(desk.request(1), since)
    assert (counts.issue, counts.repository, counts.installation) == (0, 0, 0)
    late = desk.start(1, meaning="refused after the work")
    epoch = desk.store.begin(late, "w")
    desk.store.allot(late, epoch, since, lambda _: 3.0)
    desk.store.move(late, epoch, FINISHED, Ending("refused", "permission gone"))
    counts = desk.store.counts(desk.request(1), since)
    assert (counts.issue, counts.repository, counts.installation) == (1, 1, 1)


def test_a_beat_is_seen(desk: Desk) -> None:
    assert desk.store.last_beat() == ""
    desk.store.beat("w1")
    first = desk.store.last_beat()
    desk.store.beat("w2")
    desk.store.beat("w1")
    assert desk.store.last_beat() > first != ""
