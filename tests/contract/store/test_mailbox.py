"""Triggers at tickets and letters to tickets, kept by every store alike."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.jira import FIRST_NUMBER, Asked, Letter, Person, Trigger, WebLink
from bot.domain.runs import RunStatus
from bot.domain.store import Ending, Fenced, Hear, Receipt, Settle, Start, Store
from tests.contract.store.conftest import Desk

HEARD = Trigger("command", "SHOP-1", "2026-11-22T10:00:00Z", Person("a1", "Ana"), verb="run")


def letter(name: str = "one", key: str = "SHOP-1", **more: Any) -> Letter:
    return Letter(name, key, f"mark {name}", "It is *done*.", **more)


def test_a_trigger_waits_until_somebody_has_listened(desk: Desk, store: Store) -> None:
    assert desk.send(Hear(HEARD), "guid").outcome == "applied"
    assert desk.send(Hear(HEARD), "guid").outcome == "duplicate"
    (waiting,) = store.heard()
    assert waiting.trigger == HEARD
    store.listened(waiting.id)
    store.listened(waiting.id)
    assert not store.heard()


def test_a_trigger_that_is_put_off_lets_the_others_go_first(store: Store, desk: Desk) -> None:
    for number in range(4):
        desk.send(Hear(replace(HEARD, key=f"SHOP-{number}")))
    first, second = store.heard(limit=2)
    store.hear_later(first.id, 30)
    store.hear_later(second.id, 0)
    assert [one.trigger.key for one in store.heard()] == ["SHOP-2", "SHOP-3", "SHOP-1"]
    assert [one.tries for one in store.heard()] == [0, 0, 1]
    looks = [len(store.heard()) for _ in range(30)]  # at each look the clock is a second on
    assert (looks[0], looks[-1]) == (3, 4)


def test_a_letter_is_kept_once_and_comes_back_whole(store: Store) -> None:
    sent = letter(link=WebLink("g", "https://x", "t"), file_name="a.md", file="…", stage="opened")
    store.post(sent)
    store.post(sent)
    (posting,) = store.due(60)
    assert (posting.letter, posting.tries) == (sent, 1)
    store.posted(posting.id)
    store.posted(posting.id)
    store.post(sent)
    assert not store.due(60)


def test_a_letter_that_was_taken_up_is_nobody_elses_until_its_lease_ends(store: Store) -> None:
    store.post(letter())
    assert store.due(10)
    assert not store.due(10)
    looks = [store.due(0.0) for _ in range(10)]  # at each look the clock is a second on
    assert [one.tries for taken in looks for one in taken][:1] == [2]


def test_a_letter_that_is_put_off_holds_back_later_ones_of_its_ticket_alone(store: Store) -> None:
    store.post(letter("first"))
    store.post(letter("second"))
    store.post(letter("other", "SHOP-2"))
    taken = store.due(0.0)
    assert [one.letter.name for one in taken] == ["first", "other"]
    store.put_off(taken[0].id, 1000)
    store.posted(taken[1].id)
    assert not store.due(0.0)
    store.posted(taken[0].id)
    assert [one.letter.name for one in store.due(0.0)] == ["second"]


def test_the_ticket_of_a_run_that_is_cancelled_before_it_begins_is_told(
    desk: Desk, store: Store
) -> None:
    ticket = Asked("SHOP-1", "https://jira.example/browse/SHOP-1", ())
    request = replace(desk.request(FIRST_NUMBER + 7), ticket=ticket)
    run_id = desk.send(Start(request)).run_id
    assert store.request_cancel(run_id, "ops")
    store.request_cancel(run_id, "somebody else")
    (posting,) = store.due(60)
    assert (posting.letter.name, posting.letter.key) == (f"{run_id}:ended", "SHOP-1")
    assert "**Cancelled** by ops" in posting.letter.text

    begun = desk.send(Start(replace(request, meaning="again"))).run_id
    store.begin(begun, "w")
    store.posted(posting.id)
    assert store.request_cancel(begun, "ops")
    assert not store.due(60)  # whoever executes it says so


def test_the_ticket_of_a_pull_request_that_was_merged_or_closed_is_told_once(
    desk: Desk, store: Store
) -> None:
    ticket = Asked("SHOP-1", "https://jira.example/browse/SHOP-1", ())
    request = replace(desk.request(FIRST_NUMBER + 7), ticket=ticket)
    run_id = desk.send(Start(request)).run_id
    store.move(run_id, store.begin(run_id, "w"), RunStatus.FINISHED, Ending(pull_request=3))
    later = desk.send(Start(replace(request, meaning="again"))).run_id
    merged = Settle(1, 3, "https://x/3", "ann", "2026-11-22T11:00:00Z", merged=True)
    assert desk.send(replace(merged, number=4)).outcome == "ignored"
    for _ in range(2):
        assert desk.send(merged) == Receipt("applied", run_id)
    assert desk.run(later).outcome == "cancelled"
    told = {}
    while due := store.due(60):
        told[due[0].letter.name] = due[0].letter
        store.posted(due[0].id)
    assert set(told) == {"pull:1:3:merged", f"{later}:ended"}
    letter_of_merge = told["pull:1:3:merged"]
    assert letter_of_merge.stage == "merged"
    assert "**Merged** by ann: [acme/r1#3](https://x/3)" in letter_of_merge.text


def test_a_run_posts_under_its_own_epoch_alone(desk: Desk, store: Store) -> None:
    run = desk.start()
    epoch = store.begin(run, "w")
    store.post_for(run, epoch, letter())
    with pytest.raises(Fenced):
        store.post_for(run, epoch - 1, letter("stale"))
    store.move(run, epoch, RunStatus.FINISHED)
    with pytest.raises(Fenced):
        store.post_for(run, epoch, letter("late"))
    assert [one.letter.name for one in store.due(60)] == ["one"]
