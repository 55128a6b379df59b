"""From a ticket to a pull request and back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, get_args

import pytest

from bot.adapters.jira.adf import to_markdown
from bot.adapters.jira.client import JiraSite
from bot.adapters.jira.tracker import JiraTracker
from bot.domain.jira_policy import TicketRules
from bot.emulators.github import GitHubEmulator
from bot.emulators.jira.hooks import Format
from tests.contract.tracker.jira820_peer import ADMIN, PAT, Jira820
from tests.e2e.bot.house import LABEL, SHOP
from tests.e2e.bot.scripts import BODY as TEXT
from tests.e2e.bot.scripts import TITLE
from tests.e2e.jira.house import BODY, READY, SECRET, TOKEN, JiraHouse


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


async def test_63_every_format_of_a_rule_makes_the_same_task_and_a_pull_request(
    house: JiraHouse,
) -> None:
    house.jira.hooks.secret, house.jira.hooks.token = "", TOKEN
    tickets = []
    for shape in get_args(Format):
        house.jira.hooks.format = shape
        tickets.append(house.ticket())
        await house.ready(tickets[-1])

    assert [run.outcome for run in house.runs] == ["completed"] * 4
    assert len({house.task_text(run) for run in house.runs}) == 1
    assert len(house.github.pulls(SHOP)) == 4
    for ticket in tickets:
        assert len(house.said(ticket)) == 2
        assert (ticket.status, len(ticket.links)) == ("In Review", 1)


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


@pytest.fixture
async def peer(github: GitHubEmulator) -> AsyncIterator[tuple[JiraHouse, Jira820]]:
    house = JiraHouse(github, cloud=False)
    await house.open()
    jira = Jira820()
    house.tracker = JiraTracker(JiraSite(jira.url, "", PAT, "dc"))
    house.ticket_rules = TicketRules(
        ("acme/*",), {"SHOP": SHOP}, people=frozenset({ADMIN}), status=READY, label=LABEL
    )
    yield house, jira
    jira.close()
    await house.close()


async def test_70_against_a_data_center_of_others_everything_is_there_exactly_once(
    peer: tuple[JiraHouse, Jira820],
) -> None:
    house, jira = peer
    key = jira.ticket(TITLE, TEXT)
    jira.move(key, READY)
    user = {"name": ADMIN, "key": ADMIN, "displayName": "Admin"}
    change = {"field": "status", "fromString": "To Do", "toString": READY}
    payload = {
        "webhookEvent": "jira:issue_updated", "timestamp": 1_795_000_000_000, "user": user,
        "issue": {"id": "1", "key": key}, "changelog": {"id": "1000", "items": [change]},
    }  # fmt: skip
    for token in ("", TOKEN):  # the webhook, then a rule that tells of the same
        house.jira.hooks.secret, house.jira.hooks.token = (SECRET, "") if not token else ("", token)
        house.jira.hooks.webhook(payload)
        house.jira.hooks.rule({"id": "1", "key": key, "fields": {}}, 1_795_000_000)
    house.jira.hooks.again()
    await house.settle()
    for letter in list(house.mail._letters.values()):  # as if nobody had noted that they arrived
        letter.done, letter.due = False, 0.0
    await house.post()

    assert [run.outcome for run in house.runs] == ["completed"]
    raw = jira.raw(key)
    assert raw["statusName"] == "In Review"
    assert len(raw["remotelinks"]) == len(raw["attachments"]) == 1
    started, opened = (one["body"] for one in raw["comments"])
    assert "At work" in started
    assert "A pull request is open" in opened
