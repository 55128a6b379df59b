"""Deliveries come twice, late, in any order, or not at all; a run comes once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from typing_extensions import override

from bot.adapters.github.tokens import RUN_PERMISSIONS
from bot.adapters.store.memory import MemoryStore
from bot.domain.store import Delivery, Order, Receipt, StoreUnavailable
from bot.emulators.github import GitHubEmulator
from bot.services.reconcile import Reconciler
from tests.e2e.bot.house import LABEL, SHOP, House


class Dying(MemoryStore):
    """A store whose process dies before it commits the next delivery."""

    dies = False

    @override
    def receive(self, delivery: Delivery, order: Order) -> Receipt:
        if self.dies:
            self.dies = False
            raise StoreUnavailable("the process is gone")
        return super().receive(delivery, order)


def _send_again(house: House, event: str = "issues") -> None:
    labeled = [one for one in house.github.hooks.deliveries if one.event == event][-1]
    house.github.hooks.redeliver(house.record, labeled)


async def test_14_one_delivery_that_comes_twice_at_once_starts_one_run(house: House) -> None:
    issue = house.issue()
    await house.arrive()
    house.github.hooks.hold()
    house.github.label(issue, LABEL, by="ana")
    house.github.hooks.release([0, 0])
    await house.arrive()

    assert len(house.runs) == 1


async def test_14_the_same_delivery_on_many_threads_starts_one_run(house: House) -> None:
    house.github.label(house.issue(), LABEL, by="ana")
    await house.arrive()
    sent = house.github.hooks.deliveries[-1]
    house.store = MemoryStore()
    signature = sent.headers["X-Hub-Signature-256"]
    codes = await asyncio.gather(
        *(asyncio.to_thread(house.take, sent.event, "guid", signature, sent.body) for _ in range(8))
    )

    assert set(codes) == {202}
    assert len(house.runs) == 1


async def test_15_the_same_trigger_under_another_guid_starts_one_run(house: House) -> None:
    house.github.label(house.issue(), LABEL, by="ana")
    await house.arrive()
    sent = house.github.hooks.deliveries[-1]
    house.github.deliver(house.record, sent.event, sent.payload)
    await house.arrive()

    assert len(house.runs) == 1


async def test_16_what_was_lost_before_the_commit_runs_when_it_is_sent_again(
    github: GitHubEmulator,
) -> None:
    store = Dying()
    house = await House(github, store).open()
    try:
        issue = house.issue()
        await house.arrive()
        store.dies = True
        house.github.label(issue, LABEL, by="ana")
        await house.arrive()
        assert not house.runs
        assert not house.github.hooks.deliveries[-1].ok

        _send_again(house)
        await house.arrive()
        assert len(house.runs) == 1
    finally:
        await house.close()


async def test_17_what_is_sent_again_after_the_run_does_nothing(house: House) -> None:
    issue = house.issue(by="out", body="")
    await house.label(issue, by="tri")
    said = house.told(issue)
    _send_again(house)
    await house.settle()

    assert len(house.runs) == 1
    assert house.told(issue) == said


@pytest.mark.parametrize("undo", ["close_issue", "unlabel"])
async def test_18_an_end_that_overtakes_its_beginning_still_ends_it(
    house: House, undo: str
) -> None:
    issue = house.issue()
    await house.arrive()
    house.github.hooks.hold()
    house.github.label(issue, LABEL, by="ana")
    more: dict[str, Any] = {"name": LABEL} if undo == "unlabel" else {}
    getattr(house.github, undo)(issue, by="ana", **more)
    house.github.hooks.release([1, 0])
    await house.settle()

    assert [run.outcome for run in house.runs] == ["refused"]
    assert not house.told(issue)


async def test_24_an_installation_that_is_suspended_during_the_run_ends_it(house: House) -> None:
    issue = house.issue()
    house.workshop.meanwhile = lambda: _and_arrive(house, lambda: _suspend(house))
    await house.label(issue)

    (run,) = house.runs
    assert (run.outcome, run.cancel_by) == ("cancelled", "the installation was suspended")
    assert list(house.github.branches("acme/shop")) == ["main"]


@pytest.mark.parametrize("how", ["uninstall", "choose"])
async def test_24_a_repository_that_is_taken_away_during_the_run_ends_it(
    house: House, how: str
) -> None:
    house.github.repository("acme/other", files={"a": "b"})
    more: dict[str, Any] = {"repositories": ["acme/other"]} if how == "choose" else {}
    take = getattr(house.github, how)
    house.workshop.meanwhile = lambda: _and_arrive(house, lambda: take(house.installation, **more))
    await house.label(house.issue())

    assert [run.outcome for run in house.runs] == ["cancelled"]


def _suspend(house: House) -> None:
    house.github.suspend(house.installation)


def _and_arrive(house: House, happens: Any) -> None:
    happens()
    assert house.github.hooks.drain()


async def test_24_without_a_word_from_the_forge_the_run_fails_and_ends(house: House) -> None:
    house.workshop.meanwhile = lambda: _silently(house)
    await house.label(house.issue())

    (run,) = house.runs
    assert run.outcome == "failed"
    assert "suspended" in run.reason


def _silently(house: House) -> None:
    house.github.hooks.drop("installation")
    _suspend(house)


async def test_23_what_was_lost_while_the_server_was_down_is_asked_for_once(house: House) -> None:
    issues = [house.issue() for _ in range(3)]
    await house.arrive()
    house.github.hooks.drop("issues", times=3)
    for issue in issues:
        house.github.label(issue, LABEL, by="ana")
    await house.arrive()
    assert not house.runs

    sweeper = Reconciler(house.app.deliveries)
    assert await sweeper.sweep() == 3
    await house.arrive()
    assert await sweeper.sweep() == 0
    assert sorted(run.request.issue for run in house.runs) == [issue.number for issue in issues]


async def test_25_permissions_that_are_granted_later_count_from_the_next_run(
    house: House,
) -> None:
    fewer = {name: level for name, level in RUN_PERMISSIONS.items() if name != "checks"}
    house.github.accept(house.installation, fewer)
    issue = house.issue()
    await house.label(issue)
    assert not house.github.check_runs(SHOP)

    house.github.accept(house.installation, RUN_PERMISSIONS)
    await house.say(issue, "/acp retry")
    assert len(house.github.check_runs(SHOP)) == 1


@pytest.mark.parametrize("skew", [-60.0, 60.0])
async def test_29_a_clock_that_is_a_minute_wrong_is_no_matter(
    github: GitHubEmulator, skew: float
) -> None:
    house = await House(github, skew=skew).open()
    try:
        await house.label(house.issue(by="out", body=""), by="tri")
        assert [run.outcome for run in house.runs] == ["refused"]
    finally:
        await house.close()
