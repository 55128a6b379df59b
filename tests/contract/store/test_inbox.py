"""What every store promises about deliveries: each is taken in once, and means one thing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import pytest

from bot.domain.runs import RunStatus
from bot.domain.store import Nothing, Receipt, Start, Touch, Withdraw

if TYPE_CHECKING:
    from tests.contract.store.conftest import Desk


def test_a_label_starts_a_run_that_holds_its_request_frozen(desk: Desk) -> None:
    asked = desk.request(3, priority=10)
    receipt = desk.send(Start(asked))
    run = desk.run(receipt.run_id)
    assert receipt.outcome == "started"
    assert run.request == asked
    assert (run.status, run.epoch, run.outcome, run.cost_usd) == ("queued", 0, "", None)
    assert run.created_at.startswith("2027-01-15T")
    assert (run.started_at, run.finished_at, run.cancel_requested) == ("", "", False)


def test_the_same_delivery_again_changes_nothing(desk: Desk) -> None:
    first = desk.send(Start(desk.request()), guid="g")
    again = desk.send(Start(desk.request(9)), guid="g")
    assert again == Receipt("duplicate", first.run_id)
    assert len(desk.store.runs()) == 1


def test_the_same_meaning_under_another_guid_starts_nothing(desk: Desk) -> None:
    run_id = desk.start(1, meaning="m")
    assert desk.send(Start(desk.request(1, meaning="m"))) == Receipt("duplicate", run_id)
    desk.store.request_cancel(run_id, "ann")
    assert desk.send(Start(desk.request(1, meaning="m"))).outcome == "duplicate"


def test_an_issue_has_one_active_run(desk: Desk) -> None:
    run_id = desk.start(1)
    other = Start(desk.request(1, meaning="another"))
    assert desk.send(other) == Receipt("active", run_id)
    desk.store.request_cancel(run_id, "ann")
    assert desk.send(other).outcome == "started"


def test_what_was_refused_as_active_does_not_use_its_meaning_up(desk: Desk) -> None:
    desk.start(1)
    refused = Start(desk.request(1, meaning="later"))
    assert desk.send(refused, guid="a").outcome == "active"
    assert desk.send(refused, guid="a").outcome == "duplicate"
    desk.send(Touch("cancel", 1, 1, "ann"))
    assert desk.send(refused, guid="b").outcome == "started"


def test_a_comment_that_meets_an_active_run_is_asked_once(desk: Desk) -> None:
    run_id = desk.start(1)
    request = replace(desk.request(1, meaning="comment:5"), origin="comment", comment_id=5)
    assert desk.send(Start(request)) == Receipt("active", run_id)
    assert desk.send(Start(request)).outcome == "duplicate"
    (asked,) = desk.store.asked()
    assert (asked.say.verb, asked.say.comment_id, asked.say.request) == ("run", 5, request)

    desk.send(Touch("cancel", 1, 1, "ann"))
    assert desk.send(Start(request)).outcome == "duplicate"
    assert len(desk.store.runs()) == 1


def test_a_label_that_meets_an_active_run_is_asked_only_while_that_is_cancelled(
    desk: Desk,
) -> None:
    def label(meaning: str) -> Start:
        return Start(replace(desk.request(1, meaning=meaning), label="agentic-fix"))

    run_id = desk.start(1)
    desk.store.begin(run_id, "w")
    desk.send(label("m2"))
    assert not desk.store.asked()
    desk.store.request_cancel(run_id, "ann")
    desk.send(label("m3"))
    assert [asked.say.meaning for asked in desk.store.asked()] == ["m3"]


def test_a_label_set_again_within_its_second_is_a_trigger_of_its_own(desk: Desk) -> None:
    label = Start(replace(desk.request(1, meaning="12:00:00"), label="agentic-fix"))
    first = desk.send(label)
    assert desk.send(label) == Receipt("duplicate", first.run_id)
    desk.send(Touch("cancel", 1, 1, "ann"))
    second = desk.send(label)
    assert (second.outcome, len(desk.store.runs())) == ("started", 2)
    assert desk.send(label) == Receipt("duplicate", second.run_id)
    desk.send(Touch("cancel", 1, 1, "ann"))
    assert desk.send(label).outcome == "duplicate"


def test_what_is_old_and_done_is_forgotten_and_the_rest_stays(desk: Desk) -> None:
    run_id = desk.start(1)
    answered, waiting = desk.say(meaning="m1"), desk.say(meaning="m2")
    desk.send(answered, guid="g1")
    desk.send(waiting, guid="g2")
    desk.store.answered(desk.store.asked()[0].id)
    assert desk.store.prune("2026-01-01T00:00:00Z") == 0
    assert desk.send(answered, guid="g1").outcome == "duplicate"

    assert desk.store.prune("2999-01-01T00:00:00Z") >= 3
    assert desk.run(run_id).status == "queued"
    assert [asked.say.meaning for asked in desk.store.asked()] == ["m2"]
    assert desk.send(Nothing("old"), guid="g1").outcome == "ignored"


def test_a_command_that_is_put_off_lets_the_others_go_first(desk: Desk) -> None:
    for number in range(3):
        desk.send(desk.say(meaning=f"m{number}"))
    (first,) = desk.store.asked(limit=1)
    desk.store.answer_later(first.id, 0)
    assert [(one.say.meaning, one.tries) for one in desk.store.asked()] == [
        ("m1", 0), ("m2", 0), ("m0", 1)
    ]  # fmt: skip
    desk.store.answer_later(first.id, 1000)
    assert [one.say.meaning for one in desk.store.asked()] == ["m1", "m2"]
    desk.store.answered(first.id)
    assert len(desk.store.asked()) == 2


def test_requests_without_an_issue_run_side_by_side(desk: Desk) -> None:
    assert desk.start(0, meaning="a") != desk.start(0, meaning="b")


def test_a_touch_without_an_active_run_is_ignored(desk: Desk) -> None:
    assert desk.send(Touch("cancel", 1, 1, "ann")) == Receipt("ignored")
    assert desk.send(Nothing("our own event")) == Receipt("ignored")


def test_a_push_releases_a_held_run_and_nothing_else(desk: Desk) -> None:
    run_id = desk.start(1)
    push = Touch("push", 1, 1, "ann")
    assert desk.send(push) == Receipt("ignored", run_id)
    epoch = desk.store.begin(run_id, "w")
    desk.store.move(run_id, epoch, RunStatus.HELD)
    assert desk.send(push) == Receipt("applied", run_id)
    assert (desk.run(run_id).status, desk.run(run_id).push_by) == ("queued", "ann")
    assert [run.id for run in desk.store.next_runs(per_repository=1, total=1)] == [run_id]


def test_a_cancel_ends_a_queued_run_and_only_marks_a_running_one(desk: Desk) -> None:
    queued, running = desk.start(1), desk.start(2)
    desk.store.begin(running, "w")
    for issue in (1, 2):
        assert desk.send(Touch("cancel", 1, issue, "ann")).outcome == "applied"
    ended, marked = desk.run(queued), desk.run(running)
    assert (ended.status, ended.outcome, ended.cancel_by) == ("finished", "cancelled", "ann")
    assert ended.finished_at
    assert (marked.status, marked.cancel_requested, marked.cancel_by) == ("running", True, "ann")


def test_a_withdrawal_cancels_every_run_of_the_installation(desk: Desk) -> None:
    gone = [desk.start(1, repository=1), desk.start(1, repository=3)]
    kept = desk.start(1, repository=2)
    assert desk.send(Withdraw(101, None, "uninstalled")).outcome == "applied"
    assert {desk.run(one).outcome for one in gone} == {"cancelled"}
    assert desk.run(kept).status == "queued"
    assert desk.send(Withdraw(101, None, "uninstalled")).outcome == "ignored"


def test_a_withdrawal_of_repositories_leaves_the_others(desk: Desk) -> None:
    gone, kept = desk.start(1, repository=1), desk.start(1, repository=3)
    desk.send(Withdraw(101, (1,), "removed"))
    assert desk.run(gone).cancel_by == "removed"
    assert desk.run(kept).status == "queued"
    assert desk.send(Withdraw(101, (), "removed")).outcome == "ignored"


def test_a_command_waits_until_it_is_answered(desk: Desk) -> None:
    say = desk.say()
    assert desk.send(say).outcome == "applied"
    assert desk.send(say).outcome == "duplicate"
    desk.send(desk.say("help", "m2"))
    first, second = desk.store.asked()
    assert (first.say, second.say.verb) == (say, "help")
    assert [one.id for one in desk.store.asked(limit=1)] == [first.id]
    desk.store.answered(first.id)
    desk.store.answered(first.id)
    assert [one.id for one in desk.store.asked()] == [second.id]
    assert desk.send(say).outcome == "duplicate"


@pytest.mark.parametrize("same", ["guid", "meaning", "issue"])
def test_of_many_at_once_one_starts_a_run(desk: Desk, same: str) -> None:
    def knock(number: int) -> str:
        meaning = "m" if same == "meaning" else f"m{number}"
        order = Start(desk.request(1 if same == "issue" else number, meaning=meaning))
        return desk.send(order, guid="g" if same == "guid" else f"g{number}").outcome

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(knock, range(1, 25)))
    assert outcomes.count("started") == 1
    assert set(outcomes) == {"started", "active" if same == "issue" else "duplicate"}
    assert len(desk.store.runs()) == 1


@pytest.mark.parametrize("verb", ["push", "cancel"])
def test_what_was_said_before_a_run_was_asked_for_does_not_touch_it(
    desk: Desk, verb: Literal["push", "cancel"]
) -> None:
    run_id = desk.start(1)  # asked for at ten
    desk.store.move(run_id, desk.store.begin(run_id, "w"), RunStatus.HELD)
    early = Touch(verb, 1, 1, "ann", "2026-11-22T10:59:59+01:00")
    assert desk.send(early) == Receipt("ignored", run_id)
    assert desk.run(run_id).status is RunStatus.HELD
    assert desk.send(replace(early, at="2026-11-22T10:00:00Z")) == Receipt("applied", run_id)
