"""What people do while a run is going on: ask again, close, change their mind or the rules."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.domain.runs import RunStatus
from tests.e2e.bot.house import LABEL, SHOP, House

SETTINGS = ".github/acp.yml"


@pytest.mark.parametrize("verb", ["run", "retry please"])
async def test_58_who_asks_for_a_run_while_one_is_going_on_is_told_so_once(
    house: House, verb: str
) -> None:
    issue = house.issue()
    house.github.label(issue, LABEL, by="ana")
    comment = house.github.comment(issue, f"/acp {verb}", by="ana")
    await house.arrive()
    await house.answer()
    (answer,) = house.told(issue)
    assert "I am already at work on this issue" in answer
    assert house.runs[0].id in answer
    assert ("acp[bot]", "eyes") in house.github.reactions(comment)

    (commented,) = [
        one
        for one in house.github.hooks.deliveries
        if one.event == "issue_comment" and f"/acp {verb}" in one.payload["comment"]["body"]
    ]
    house.github.hooks.redeliver(house.record, commented)
    house.github.deliver(house.record, "issue_comment", commented.payload)  # under a new name
    await house.settle()
    assert len(house.runs) == 1
    assert [text for text in house.told(issue) if "already at work" in text] == [answer]


async def test_58_who_asks_for_a_run_while_a_change_waits_is_told_what_it_waits_for(
    house: House,
) -> None:
    issue = house.issue(by="out")
    await house.label(issue, by="ana")
    await house.say(issue, "/acp run", by="ana")

    assert [run.status for run in house.runs] == ["held"]
    assert "is ready and waits" in house.told(issue)[1]
    assert "`/acp push` releases it" in house.told(issue)[1]


async def test_58_an_outsider_who_asks_while_a_run_is_going_on_gets_the_neutral_answer(
    house: House,
) -> None:
    issue = house.issue()
    house.github.label(issue, LABEL, by="ana")
    house.github.comment(issue, "/acp run", by="out")
    await house.arrive()
    await house.answer()

    (answer,) = house.told(issue)
    assert "Only people who may write" in answer


@pytest.mark.parametrize("how", ["label", "comment"])
async def test_58_a_run_asked_for_while_another_is_cancelled_begins_after_it(
    house: House, how: str
) -> None:
    issue = house.issue()
    house.github.label(issue, LABEL, by="ana")
    await house.arrive()
    house.store.begin(house.runs[0].id, "worker")  # it is at work
    house.github.unlabel(issue, LABEL, by="ana")
    if how == "label":
        house.github.clock.advance(1)
        house.github.label(issue, LABEL, by="ana")
    else:
        house.github.comment(issue, "/acp run", by="ana")
    await house.arrive()
    await house.answer()
    assert [run.status for run in house.runs] == ["running"]

    await house.execute(house.runs[0].id)
    await house.settle()
    assert [run.outcome for run in house.runs] == ["cancelled", "completed"]


async def test_58_a_label_set_taken_off_and_set_within_a_second_starts_a_run_that_stays(
    house: House,
) -> None:
    issue = house.issue()
    house.github.clock.stop()
    house.github.label(issue, LABEL, by="ana")
    await house.arrive()
    house.github.unlabel(issue, LABEL, by="ana")
    await house.arrive()
    house.github.label(issue, LABEL, by="ana")
    await house.settle()

    # Asked for in one moment, they have no order.
    assert sorted(run.outcome for run in house.runs) == ["cancelled", "completed"]
    assert len({run.request.at for run in house.runs}) == 1


def closed(house: House) -> None:
    issue = house.github.issues(SHOP)[0]
    issue.state = "closed"  # no event tells of it


def unlabelled(house: House) -> None:
    house.github.issues(SHOP)[0].labels.clear()


def switched_off(house: House) -> None:
    house.github.commit(SHOP, "main", SETTINGS, "enabled: false\n", by="ana")


def not_listed(house: House) -> None:
    house.github.commit(SHOP, "main", SETTINGS, "people: [eve]\n", by="ana")


def broken(house: House) -> None:
    house.github.commit(SHOP, "main", SETTINGS, "hold: perhaps\n", by="ana")


@pytest.mark.parametrize(
    ("change", "outcome", "said"),
    [
        (closed, "cancelled", "The issue was closed meanwhile, or the label taken off"),
        (unlabelled, "cancelled", "The issue was closed meanwhile, or the label taken off"),
        (switched_off, "refused", "switched off in this repository"),
        (not_listed, "refused", "not among the people named"),
        (broken, "refused", "is wrong by now"),
    ],
)
async def test_07_what_was_asked_at_the_start_is_asked_again_before_the_push(
    house: House, change: Callable[[House], None], outcome: str, said: str
) -> None:
    house.workshop.meanwhile = lambda: change(house)
    issue = house.issue()
    await house.label(issue)

    assert house.runs[0].outcome == outcome
    assert list(house.github.branches(SHOP)) == ["main"]
    (status,) = house.told(issue)
    assert said in status
    assert "Nothing was pushed" in status


async def test_07_a_hold_that_is_ordered_meanwhile_holds(house: House) -> None:
    def ordered() -> None:
        house.github.commit(SHOP, "main", SETTINGS, "hold: always\n", by="ana")

    house.workshop.meanwhile = ordered
    await house.label(house.issue())

    assert house.runs[0].status == "held"
    assert list(house.github.branches(SHOP)) == ["main"]


async def test_07_a_push_by_a_writer_whom_the_repository_does_not_name_releases_nothing(
    house: House,
) -> None:
    house.github.commit(SHOP, "main", SETTINGS, "people: [ana]\n", by="ana")
    house.github.collaborator(SHOP, "eve", "write")
    issue = house.issue(by="out")
    await house.label(issue, by="ana")
    await house.say(issue, "/acp push", by="eve")
    assert house.runs[0].status == "held"
    assert "Only the people named in" in house.told(issue)[1]

    await house.say(issue, "/acp push", by="ana")
    assert house.runs[0].outcome == "completed"


async def test_45_a_run_that_waits_for_the_forge_gives_its_place_to_another(house: House) -> None:
    first, second = house.issue(), house.issue("Totals lose a price")
    house.github.label(first, LABEL, by="ana")
    house.github.label(second, LABEL, by="ana")
    await house.arrive()
    house.github.faults.add("GET", "/repos/*/issues/1", "primary", seconds=2400.0)
    (waiting,) = house.store.next_runs(per_repository=1, total=1)
    await house.execute(waiting.id)
    parked = house.runs[0]
    assert (parked.status, parked.parked, parked.id) == (RunStatus.QUEUED, 1, waiting.id)
    assert "Waiting" in house.told(first)[0]

    (other,) = house.store.next_runs(per_repository=1, total=1)
    assert other.request.issue == second.number
    await house.settle()
    assert [run.outcome for run in house.runs] == ["completed", "completed"]
    assert house.runs[1].finished_at < house.runs[0].finished_at


async def test_45_a_run_that_waits_for_the_forge_can_be_cancelled_at_once(house: House) -> None:
    issue = house.issue()
    house.github.label(issue, LABEL, by="ana")
    await house.arrive()
    house.github.faults.add("GET", "/repos/*/issues/1", "primary", seconds=2400.0)
    await house.execute(house.runs[0].id)
    await house.say(issue, "/acp cancel", by="ana")

    assert house.runs[0].outcome == "cancelled"
    assert not house.naps
