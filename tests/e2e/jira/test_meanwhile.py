"""What happens to a ticket between its trigger and the push: Jira is asked once more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from typing_extensions import override

from bot.adapters.jira.tracker import JiraTracker
from bot.domain.jira import Letter, Ticket
from bot.emulators.jira.model import Issue
from bot.services.jira_admit import UNASKED, TicketsNow
from tests.e2e.bot.house import LABEL, SHOP
from tests.e2e.jira.house import READY, JiraHouse

LETTER = Letter("started", "", "run 01X, started", "_run 01X, started_", stage="started")
Happens = Callable[[JiraHouse, Issue], None]


def closed(house: JiraHouse, ticket: Issue) -> None:
    house.jira.move(ticket, "Done", house.ana)


def unlabelled(house: JiraHouse, ticket: Issue) -> None:
    house.jira.unlabel(ticket, LABEL, house.ana)


def moved_back(house: JiraHouse, ticket: Issue) -> None:
    house.jira.move(ticket, "To Do", house.ana)


def dismissed(house: JiraHouse, _ticket: Issue) -> None:
    house.jira.state.accounts[house.dev.id] = replace(house.dev, groups=())


def deleted(house: JiraHouse, ticket: Issue) -> None:
    del house.jira.state.issues[ticket.key]


@pytest.mark.parametrize(
    ("happens", "said"),
    [(closed, "does not ask for this any more"), (dismissed, "Dev, who asked for this, may not")],
)
async def test_75_what_is_taken_back_before_the_push_pushes_nothing(
    house: JiraHouse, happens: Happens, said: str
) -> None:
    ticket = house.ticket()
    house.workshop.meanwhile = lambda: happens(house, ticket)
    await house.ready(ticket, by=house.dev)

    assert house.runs[0].outcome == ("refused" if happens is dismissed else "cancelled")
    assert list(house.github.branches(SHOP)) == ["main"]
    _, ended = house.said(ticket)
    assert "*Nothing was pushed*" in ended
    assert said in ended


@pytest.mark.parametrize("happens", [closed, unlabelled, moved_back, dismissed, deleted])
async def test_75_what_is_taken_back_before_the_start_costs_nothing(
    house: JiraHouse, happens: Happens
) -> None:
    ticket = house.ticket()
    if happens is unlabelled:
        house.jira.label(ticket, LABEL, house.dev)
    else:
        house.jira.move(ticket, READY, house.dev)
    await house.hear()
    happens(house, ticket)
    await house.settle()

    (run,) = house.runs
    assert (run.outcome, run.cost_usd) == ("refused", None)
    assert not house.workshop.models["gpt"].requests
    if happens is not deleted:
        (said,) = house.said(ticket)
        assert "*Not started*" in said
    await house.post()
    assert not house.waiting()


async def test_75_our_own_moves_and_later_ones_take_nothing_back(house: JiraHouse) -> None:
    house.moves = {"started": "To Do", "opened": "In Review"}
    ticket = house.ticket()
    house.jira.move(ticket, READY, house.ana)
    await house.hear()
    house.store.post(replace(LETTER, key=ticket.key))
    await house.post()
    assert ticket.status == "To Do"  # where it came from: that is our doing
    await house.settle()
    assert house.runs[0].outcome == "completed"


async def test_75_a_jira_that_is_down_before_the_push_holds_nothing_up_and_is_noted(
    house: JiraHouse,
) -> None:
    ticket = house.ticket()
    house.workshop.meanwhile = lambda: house.jira.break_down(503, times=1000)
    await house.ready(ticket)
    assert house.runs[0].outcome == "completed"
    assert UNASKED in (house.github.pull(SHOP).body or "")


async def test_75_a_jira_that_does_not_answer_is_not_waited_for(house: JiraHouse) -> None:
    class Silent(JiraTracker):
        @override
        async def ticket(self, key: str) -> Ticket:
            return await asyncio.Future()

    house.jira.move(house.ticket(), READY, house.ana)
    await house.hear()
    now = TicketsNow(Silent(house.site), house.ticket_rules, patience_s=0.1)
    assert await now(house.runs[0]) == "unknown"
