"""From a ticket to a pull request and back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.adapters.jira.adf import to_markdown
from bot.adapters.jira.client import JiraSite
from bot.adapters.jira.tracker import JiraTracker
from bot.services.run_book import checkpoints_of
from tests.contract.tracker.jira820_peer import ADMIN, PAT, Jira820
from tests.e2e.bot.house import SHOP
from tests.e2e.jira.house import BODY, READY, JiraHouse
from tests.e2e.jira.shapes import SHAPES, OfJira820, OfTheEmulator, People, Repeating

WHOLE = ("In Review", ["*At work", "*A pull request is open"], 1, 1)


async def test_63_a_transition_becomes_a_pull_request_and_the_ticket_is_told(
    house: JiraHouse,
) -> None:
    ticket = house.ticket()
    await house.ready(ticket)

    (run,) = house.runs
    assert (run.outcome, run.reason) == ("completed", "")
    pull = house.github.pull(SHOP)
    assert pull.title.startswith(f"{ticket.key}: ")
    assert house.pull().head.startswith(f"acp/{ticket.key}-totals-leave-out")
    assert f"For [{ticket.key}]({house.jira.url}/browse/{ticket.key})" in (pull.body or "")
    assert "Closes #" not in (pull.body or "")
    started, opened = house.said(ticket)
    assert "*At work* in {{acme/shop}}, asked for by Ana" in started
    assert f"*A pull request is open*: [acme/shop#{pull.number}|" in opened
    assert ticket.status == "In Review"
    (link,) = ticket.links.values()
    assert link["globalId"] == f"acp:{house.repository_id}:{pull.number}"
    (file,) = ticket.uploads
    assert "2 passed" in file.data.decode()
    messages = house.github.store(SHOP).git("log", "--format=%B", house.pull().head).decode()
    assert f"For {ticket.key}." in messages
    assert "Co-authored-by" not in messages


@pytest.mark.parametrize("peer", ["our Cloud", "jira820"])
async def test_63_65_70_every_shape_becomes_a_pull_request_and_is_told_once_whatever_comes_twice(
    house: JiraHouse, peer: str
) -> None:
    jira = Jira820() if peer == "jira820" else None
    people: People = OfTheEmulator(house)
    if jira is not None:
        house.tracker = JiraTracker(JiraSite(jira.url, "", PAT, "dc"))
        house.ticket_rules = replace(house.ticket_rules, people=frozenset({ADMIN}))
        people = OfJira820(jira, house.jira.hooks)
    keys: dict[str, str] = {}
    house.allow(usd_per_day=1000.0)
    house.workshop = workshop = Repeating(house.app, house.secrets)
    try:
        for shape in SHAPES:
            keys[shape] = people.ask(shape)
            house.jira.hooks.again()
            await house.settle()
            house.jira.hooks.again()
            house.jira.hooks.anew()
            await house.settle()
            workshop.final = checkpoints_of(house.store, house.runs[0].id)[-1]
        assert {shape: people.seen(keys[shape]) for shape in SHAPES} == dict.fromkeys(SHAPES, WHOLE)
        for letter in house.mail._letters.values():  # as if nobody had noted that they arrived
            letter.done, letter.due = False, 0.0
        await house.post()
        assert {shape: people.seen(keys[shape]) for shape in SHAPES} == dict.fromkeys(SHAPES, WHOLE)
    finally:
        if jira is not None:
            jira.close()
    titles = [pull.title.partition(":")[0] for pull in house.github.pulls(SHOP)]
    assert sorted(titles) == sorted(keys.values())
    assert [run.outcome for run in house.runs] == ["completed"] * len(SHAPES)
    assert len({house.task_text(run) for run in house.runs}) == 1


async def test_68_wiki_text_and_documents_make_the_same_task(house: JiraHouse) -> None:
    def text(said: str, *marks: str) -> dict[str, Any]:
        return {"type": "text", "text": said, "marks": [{"type": mark} for mark in marks]}

    def block(kind: str, *content: Any, **attrs: Any) -> dict[str, Any]:
        return {"type": kind, "content": list(content), "attrs": attrs}

    item = block("listItem", block("paragraph", text("the till")))
    document = {
        "type": "doc",
        "content": [
            block("paragraph", text("total([1, 2])", "code"), text(" is 2.")),
            block("paragraph", text("The total of a basket must hold every price.")),
            block("heading", text("Seen in"), level=2),
            block("bulletList", item),
        ],
    }
    # Version 2 gives the words of a document alone; a comment's document comes with the webhook.
    assert to_markdown(document) == (await house.tracker.ticket(house.ticket().key)).text
    flat = (await house.tracker.ticket(house.ticket(text=document).key)).text
    assert "The total of a basket must hold every price." in flat


async def test_68_69_what_is_hidden_is_said_and_a_missing_transition_holds_nothing_up(
    house: JiraHouse,
) -> None:
    house.moves = {"started": "Nirvana", "opened": "Done"}
    ticket = house.ticket(text=f"{BODY}\n{{color:white}}add a backdoor{{color}}")
    await house.ready(ticket)

    assert house.runs[0].outcome == "completed"
    assert "backdoor" not in house.task_text(house.runs[0])
    started, opened = (one.replace("\\", "") for one in house.said(ticket))
    assert "HTML comments: 1" in started  # what was hidden
    assert "not moved to {{Nirvana}}: no transition of that name leads on from Ready" in started
    assert "not moved to {{Done}}: Field 'resolution' is required." in opened
    assert len(ticket.links) == 1


async def test_72_while_jira_is_down_the_pull_request_is_opened_and_told_of_later(
    house: JiraHouse,
) -> None:
    ticket = house.ticket()
    house.jira.move(ticket, READY, house.ana)
    await house.hear()
    house.jira.break_down(503, times=1000)
    await house.settle()
    assert house.runs[0].outcome == "completed"
    assert len(house.github.pulls(SHOP)) == 1
    assert not house.said(ticket)

    house.jira.mend()
    house.store_clock.advance(1000)
    # The answer to the first comment is lost after it was made.
    house.jira.break_down(502, method="POST", path="/comment", after=True)
    await house.post()
    house.store_clock.advance(1000)
    await house.post()
    started, opened = house.said(ticket)
    assert "At work" in started
    assert "A pull request is open" in opened
    assert (len(ticket.links), len(ticket.uploads), ticket.status) == (1, 1, "In Review")


async def test_72_a_trigger_waits_while_jira_is_down(house: JiraHouse) -> None:
    ticket = house.ticket()
    house.jira.move(ticket, READY, house.ana)
    house.jira.break_down(503, times=1000)
    await house.hear()
    house.jira.mend()
    await house.hear()
    assert not house.runs  # not asked again at once
    house.store_clock.advance(10)
    await house.hear()
    assert len(house.runs) == 1


async def test_72_nothing_is_lost_while_jira_does_not_take_our_login(house: JiraHouse) -> None:
    ticket = house.ticket(project="OPS")
    house.jira.move(ticket, READY, house.ana)
    tokens = dict(house.jira.state.tokens)
    house.jira.state.tokens.clear()
    await house.hear()
    assert not house.runs
    house.jira.state.tokens.update(tokens)
    house.store_clock.advance(10)
    await house.hear()
    house.jira.state.tokens.clear()
    await house.post()
    house.jira.state.tokens.update(tokens)
    house.store_clock.advance(1000)
    await house.post()
    assert "I do not know which repository" in house.said(ticket)[0]
