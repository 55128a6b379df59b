"""What starts a run of a ticket, for which repository, and who is told why none starts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.bot.house import LABEL, SHOP
from tests.e2e.jira.house import READY, TOKEN, JiraHouse


@pytest.mark.parametrize("how", ["label", "born with the label", "comment"])
async def test_63_a_label_or_a_comment_starts_a_run_as_well(house: JiraHouse, how: str) -> None:
    ticket = house.ticket(labels=[LABEL] if how.startswith("born") else [])
    if how == "label":
        house.jira.label(ticket, LABEL, house.dev)
    elif how == "comment":
        house.jira.say(ticket, "/acp run mind the till", house.dev)
    await house.hear()

    (run,) = house.runs
    assert run.request.requester.login == ("Ana" if how.startswith("born") else "Dev")
    assert (run.request.text.hint == "mind the till") == (how == "comment")


async def test_65_repeats_and_a_rule_beside_the_webhook_start_one_run(house: JiraHouse) -> None:
    house.jira.hooks.token = TOKEN  # both a rule and a webhook tell of it
    ticket = house.ticket()
    house.jira.move(ticket, READY, house.ana)
    house.jira.hooks.again()
    assert [sent.status for sent in house.jira.hooks.sent] == [202] * 4
    await house.hear()
    (run,) = house.runs
    house.finish(run.id, house.store.begin(run.id, "worker"))

    # The rule runs once more, after the run has ended: it tells of the same move in other words.
    house.jira.hooks.format = "key"
    house.jira.hooks.rule(house.jira.shown(ticket), house.jira.clock())
    await house.hear()
    assert len(house.runs) == 1


async def test_66_what_was_undone_before_anybody_looked_starts_nothing(house: JiraHouse) -> None:
    moved, labelled = house.ticket(), house.ticket()
    house.jira.move(moved, READY, house.ana)
    house.jira.move(moved, "To Do", house.ana)
    house.jira.label(labelled, LABEL, house.ana)
    house.jira.unlabel(labelled, LABEL, house.ana)
    await house.settle()

    assert not house.runs
    assert house.said(moved) == house.said(labelled) == []


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"labels": ["repo:acme/nowhere"]}, "the GitHub App is not installed for {{acme/nowhere}}"),
        ({"labels": ["repo:evil/shop"]}, "{{evil/shop}} is not among the repositories"),
        ({"labels": ["repo:acme/shop", "repo:acme/api"]}, "names several repositories"),
        ({"labels": ["repo:acme"]}, "{{acme}} is no repository; write {{owner/name}}"),
        ({"project": "OPS"}, "I do not know which repository this ticket is about"),
    ],
    ids=["not installed", "forbidden", "ambiguous", "unreadable", "unmapped"],
)
async def test_67_a_ticket_without_a_repository_is_told_why_and_nothing_is_cloned(
    house: JiraHouse, fields: dict[str, Any], why: str
) -> None:
    ticket = house.ticket(**fields)
    await house.ready(ticket)

    (said,) = house.said(ticket)
    assert why in said.replace("\\", "")
    assert not house.runs


async def test_67_a_refusal_is_said_once(house: JiraHouse) -> None:
    ticket = house.ticket(project="OPS")
    for _ in range(3):
        await house.comment(ticket, "/acp run")
    assert len(house.said(ticket)) == 1


async def test_67_who_may_not_start_runs_is_refused_whatever_a_rule_claims(
    house: JiraHouse,
) -> None:
    house.jira.hooks.secret, house.jira.hooks.token = "", TOKEN
    ticket = house.ticket()
    await house.ready(ticket, by=house.eve)
    assert "Eve may not start runs from tickets" in house.said(ticket)[0]

    claimed = house.ticket()
    body = f'{{"key": "{claimed.key}", "user": {{"accountId": "{house.ana.id}"}}}}'
    house.jira.hooks.post(body.encode(), {"X-ACP-Token": TOKEN})
    await house.settle()
    assert "history of this ticket does not show who asked" in house.said(claimed)[0]
    assert not house.runs


async def test_67_a_command_of_somebody_else_is_refused(house: JiraHouse) -> None:
    ticket = house.ticket()
    await house.comment(ticket, "/acp run", by=house.eve)
    assert "Eve may not start runs" in house.said(ticket)[0]
    assert not house.runs


async def test_73_one_ticket_has_runs_in_two_repositories(house: JiraHouse) -> None:
    api = house.github.repository("acme/api", files={"a.txt": "a\n"})
    house.github.choose(house.installation, [SHOP, "acme/api"])
    ticket = house.ticket()
    house.jira.say(ticket, "/acp run", house.ana)
    ticket.labels.append("repo:acme/api")
    house.jira.say(ticket, "/acp run", house.ana)
    (first, second) = house.store.heard()
    await house.hear()

    assert first.trigger.key == second.trigger.key
    assert {run.request.repository.id for run in house.runs} == {api.id}
    ticket.labels.clear()
    house.jira.say(ticket, "/acp run", house.ana)
    await house.hear()
    both = {run.request.repository.full_name: run for run in house.runs}
    assert set(both) == {"acme/api", SHOP}
    assert len({run.request.issue for run in house.runs}) == 1
    await house.comment(ticket, "/acp cancel")
    assert [run.outcome for run in house.runs] == ["cancelled", "cancelled"]
    assert "*Cancelled* by Ana" in house.said(ticket)[-1]


@pytest.mark.parametrize("how", ["label", "status"])
async def test_74_a_trigger_that_meets_a_run_at_work_is_answered_once(
    house: JiraHouse, how: str
) -> None:
    ticket = house.ticket()
    house.jira.move(ticket, READY, house.ana)
    await house.hear()
    if how == "label":
        house.jira.label(ticket, LABEL, house.dev)
    else:
        house.jira.move(ticket, "To Do", house.dev)
        house.jira.move(ticket, READY, house.dev)
    house.jira.hooks.again()
    house.jira.hooks.rule(house.jira.shown(ticket), house.jira.clock())
    await house.hear()
    await house.post()

    (run,) = house.runs
    (said,) = house.said(ticket)
    assert f"Run {{{{{run.id}}}}} is already at work on this ticket" in said


async def test_74_a_trigger_that_meets_a_run_that_is_being_cancelled_starts_one_after_it(
    house: JiraHouse,
) -> None:
    ticket = house.ticket()
    house.jira.move(ticket, READY, house.ana)
    await house.hear()
    (first,) = house.runs
    epoch = house.store.begin(first.id, "worker")
    house.store.request_cancel(first.id, "Ana")
    house.jira.label(ticket, LABEL, house.ana)
    await house.hear()
    assert house.runs == [house.store.run(first.id)]

    house.finish(first.id, epoch)
    house.store_clock.advance(6)
    await house.hear()
    assert [run.status for run in house.runs] == ["finished", "queued"]
    assert not house.said(ticket)


async def test_74_tickets_that_cannot_be_read_hold_up_no_other(house: JiraHouse) -> None:
    for number in range(1, 22):
        house.jira.break_down(503, path=f"/issue/OPS-{number}", times=1000)
        house.jira.move(house.ticket(project="OPS"), READY, house.ana)
    ticket = house.ticket()
    house.jira.move(ticket, READY, house.ana)
    for _ in range(2):
        await house.hear()
    (run,) = house.runs
    assert run.request.ticket is not None
    assert run.request.ticket.key == ticket.key
