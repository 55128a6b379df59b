"""From a label or a comment to a pull request; numbers are the scenarios of docs/reference."""

from __future__ import annotations

import pytest

from tests.e2e.bot.house import LABEL, SHOP, House

QUOTED = "> /acp run\n\nWhat does this do?"
FENCED = "```\n/acp run\n```"
IN_A_LINE = "You can say /acp run here."
ANOTHER_WORD = "/acp runaway"


async def test_01_a_label_by_a_writer_becomes_a_pull_request(house: House) -> None:
    issue = house.issue()
    await house.label(issue, LABEL, by="ana")

    (run,) = house.runs
    assert (run.status, run.outcome, run.reason) == ("finished", "completed", "")
    pull = house.github.pull(SHOP)
    assert run.pull_request == pull.number
    assert pull.title == issue.title
    assert f"Closes #{issue.number}" in (pull.body or "")
    tests, review = house.told(pull)
    assert "2 passed" in tests
    assert "PASS" in review
    said = [tests, review, pull.body or "", *(c.text or "" for c in house.github.check_runs(SHOP))]
    assert "rootdir: ." in tests
    assert not [text for text in said if "/tmp/" in text or "/acp-" in text]
    (status,) = house.told(issue)
    assert f"#{pull.number}" in status
    assert {content for _, content in house.github.reactions(issue)} == {"eyes", "rocket"}


async def test_02_a_label_by_who_may_only_triage_starts_nothing(house: House) -> None:
    issue = house.issue(by="out")
    await house.label(issue, LABEL, by="tri")
    await house.label(house.issue(by="out"), LABEL, by="out")  # as an issue form does

    assert [run.outcome for run in house.runs] == ["refused", "refused"]
    (notice,) = house.told(issue)
    assert "Only people who may write" in notice
    assert not house.github.pulls(SHOP)


async def test_03_a_writers_comment_starts_a_run_with_its_hint(house: House) -> None:
    issue = house.issue(by="ana")
    comment = await house.say(issue, "/acp run keep it short", by="ana")

    (run,) = house.runs
    assert run.outcome == "completed"
    assert "keep it short" in house.task_text(run)
    assert ("acp[bot]", "eyes") in house.github.reactions(comment)


async def test_03_an_outsiders_comment_starts_nothing(house: House) -> None:
    issue = house.issue(by="ana")
    await house.say(issue, "/acp run", by="out")
    await house.say(issue, "/acp run please", by="out")

    assert {run.outcome for run in house.runs} == {"refused"}
    assert len(house.told(issue)) == 1


async def test_03_a_custom_role_that_builds_on_write_may_start(house: House) -> None:
    house.github.custom_role(SHOP, "mender", "write")
    house.github.collaborator(SHOP, "eve", "mender")
    await house.say(house.issue(by="eve"), "/acp run", by="eve")

    assert house.runs[0].outcome == "completed"


@pytest.mark.parametrize("text", [QUOTED, FENCED, IN_A_LINE, ANOTHER_WORD])
async def test_04_what_is_no_command_starts_nothing(house: House, text: str) -> None:
    await house.say(house.issue(), text, by="ana")

    assert not house.runs


async def test_04_a_command_is_found_among_other_lines(house: House) -> None:
    issue = house.issue(by="ana")
    house.github.comment(issue, "Yes.\r\n\r\n/acp run mind the tests\r\nThanks!", by="ana")
    await house.arrive()

    assert house.runs[0].request.text.hint == "mind the tests"


async def test_05_a_command_edited_into_an_old_comment_starts_nothing(house: House) -> None:
    issue = house.issue()
    comment = await house.say(issue, "A good idea.", by="ana")
    house.github.edit_comment(issue, comment, "/acp run", by="ana")
    await house.settle()

    assert not house.runs


async def test_06_on_a_pull_request_run_is_answered_and_not_begun(house: House) -> None:
    house.github.commit(SHOP, "work", "notes.txt", "more", by="ana")
    pull = house.github.open_pull(SHOP, "Notes", head="work", by="ana")
    await house.say(pull, "/acp run", by="ana")

    assert not house.runs
    (answer,) = house.told(pull)
    assert "this is a pull request" in answer


async def test_07_permission_revoked_before_the_push_pushes_nothing(house: House) -> None:
    issue = house.issue(by="ana")
    house.workshop.meanwhile = lambda: house.github.collaborator(SHOP, "ana", "read")
    await house.label(issue, by="ana")

    assert (house.runs[0].outcome, house.runs[0].reason) == ("refused", "permission gone")
    assert list(house.github.branches(SHOP)) == ["main"]
    assert "may not write to this repository any more" in house.told(issue)[0]


async def test_08_our_own_words_start_nothing(house: House) -> None:
    issue = house.issue()
    await house.say(issue, "/acp run", by=house.me.bot_login)

    assert not house.runs
    assert house.told(issue) == ["/acp run"]


async def test_09_a_bot_starts_a_run_only_if_its_id_is_listed(house: House) -> None:
    bot = house.github.account("renovate[bot]", "Bot")
    house.github.collaborator(SHOP, bot.login, "write")
    issue = house.issue(by="ana")
    await house.say(issue, "/acp run", by=bot.login)
    assert [run.outcome for run in house.runs] == ["refused"]
    assert not house.told(issue)

    house.allow(bots=frozenset({bot.id}))
    await house.say(issue, "/acp run", by=bot.login)
    assert [run.outcome for run in house.runs] == ["refused", "completed"]


async def test_10_two_bots_that_answer_each_other_come_to_an_end(house: House) -> None:
    bot = house.github.account("echo[bot]", "Bot")
    house.github.collaborator(SHOP, bot.login, "write")
    house.allow(bots=frozenset({bot.id}), runs_per_issue=1)
    issue = house.issue(by="ana")
    for _ in range(4):
        await house.say(issue, "/acp run", by=bot.login)

    assert [run.outcome for run in house.runs] == ["completed"] + ["refused"] * 3
    assert len(house.told(issue)) == 2
