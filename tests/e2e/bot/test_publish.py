"""From a proven change to a pull request, over every obstacle on the way."""

from __future__ import annotations

import pytest

from tests.e2e.bot.house import SHOP, House
from tests.e2e.bot.scripts import TITLE, call, create, mended, no_change

BRANCH = "acp/issue-1-totals-leave-out-the-first-price"
WORKFLOW = ".github/workflows/ci.yml"


async def test_33_the_base_moves_on_during_the_run(house: House) -> None:
    house.workshop.meanwhile = lambda: house.github.commit(
        SHOP, "main", "other.txt", "new", by="ana"
    )
    await house.label(house.issue())

    assert house.runs[0].outcome == "completed"
    assert "conflict" not in (house.github.pull(SHOP).body or "")


async def test_33_a_conflict_with_the_base_is_said(house: House) -> None:
    other = "def total(prices):\n    return sum(prices[1:], 0)\n"
    house.workshop.meanwhile = lambda: house.github.commit(
        SHOP, "main", "shop/basket.py", other, by="ana"
    )
    await house.label(house.issue())

    assert "expect a conflict" in (house.github.pull(SHOP).body or "")


async def test_34_the_base_goes_away_during_the_run(house: House) -> None:
    house.github.commit(SHOP, "next", "other.txt", "new", by="ana")
    house.allow(base_branch="next")
    house.workshop.meanwhile = lambda: house.github.delete_branch(SHOP, "next", by="ana")
    issue = house.issue()
    await house.label(issue)

    assert house.runs[0].outcome == "failed"
    assert not house.github.pulls(SHOP)
    (status,) = house.told(issue)
    assert "Broke off" in status


async def test_35_where_commits_must_be_signed_the_forge_makes_them(house: House) -> None:
    house.github.ruleset(SHOP, signatures=True)
    await house.label(house.issue())

    assert house.runs[0].outcome == "completed"
    log = house.github.store(SHOP).git("log", "--format=%s", BRANCH).decode().splitlines()
    assert log[:2] == [TITLE, f"Test: {TITLE}"]
    assert house.github.head(SHOP, BRANCH) == house.pull().head_sha


async def test_35_a_second_run_where_commits_must_be_signed(house: House) -> None:
    house.github.ruleset(SHOP, signatures=True)
    issue = house.issue()
    await house.label(issue)
    house.workshop.script = mended(new="sum(prices, 0)")
    await house.say(issue, "/acp retry")

    assert [run.outcome for run in house.runs] == ["completed", "completed"]
    assert sorted(house.github.branches(SHOP)) == [BRANCH, "main"]
    pull = house.pull()  # the only one
    assert house.github.head(SHOP, BRANCH) == pull.head_sha
    store = house.github.store(SHOP)
    assert "sum(prices, 0)" in store.git("show", f"{BRANCH}:shop/basket.py").decode()
    assert len(store.log(f"main..{BRANCH}")) == 2
    assert "I updated the pull request" in house.told(issue)[0]


async def test_36_a_change_to_a_workflow_is_refused_with_the_reason(house: House) -> None:
    house.workshop.script = mended(create(WORKFLOW, "on: push\n"))
    issue = house.issue()
    await house.label(issue)

    assert house.runs[0].outcome == "failed"
    assert list(house.github.branches(SHOP)) == ["main"]
    assert WORKFLOW in house.told(issue)[0]


async def test_a_secret_in_the_change_is_refused_and_not_repeated(house: House) -> None:
    key = "AKIA" + "QYLPMN5HFIQR7XYA"
    house.workshop.script = mended(create("shop/keys.py", f'KEY = "{key}"\n'))
    issue = house.issue()
    await house.label(issue)

    assert house.runs[0].outcome == "failed"
    assert list(house.github.branches(SHOP)) == ["main"]
    (status,) = house.told(issue)
    assert "shop/keys.py" in status
    assert key not in status


async def test_a_new_dependency_is_flagged(house: House) -> None:
    house.workshop.script = mended(create("requirements.txt", "leftpad==1.0\n"))
    await house.label(house.issue())

    assert "leftpad==1.0" in (house.github.pull(SHOP).body or "")


async def test_what_was_not_checked_by_another_vendor_is_said_once(house: House) -> None:
    house.workshop.vendor = "openai"
    await house.label(house.issue())

    body = house.github.pull(SHOP).body or ""
    assert body.count("one vendor (openai)") == 1
    assert "**Not verified**" in body


async def test_37_no_change_makes_no_branch_and_says_why(house: House) -> None:
    house.github.commit(
        SHOP, "main", "shop/basket.py", "def total(prices):\n    return sum(prices)\n", by="ana"
    )
    house.workshop.script = no_change()
    issue = house.issue()
    await house.label(issue)

    assert house.runs[0].outcome == "no_change"
    assert list(house.github.branches(SHOP)) == ["main"]
    (status,) = house.told(issue)
    assert "Nothing to change" in status
    assert "It sums up all prices already." in status


async def test_a_run_that_fails_shows_its_last_feedback_and_what_to_do(house: House) -> None:
    house.allow(max_iterations=1)
    house.workshop.script = mended(new="sum(prices[2:])")
    issue = house.issue()
    await house.label(issue)

    assert (house.runs[0].outcome, house.runs[0].reason) == ("failed", "tests failed")
    assert list(house.github.branches(SHOP)) == ["main"]
    (status,) = house.told(issue)
    assert "No pull request**: the tests failed, after 1 iteration" in status
    assert "assert 0 == 3" in status
    assert "/acp retry" in status


async def test_a_review_that_objects_is_shown_and_nothing_is_pushed(house: House) -> None:
    house.allow(max_iterations=1)
    house.workshop.script = mended(verdict="FAIL")
    issue = house.issue()
    await house.label(issue)

    assert (house.runs[0].outcome, house.runs[0].reason) == ("failed", "qa failed")
    assert list(house.github.branches(SHOP)) == ["main"]
    (status,) = house.told(issue)
    assert "the review objected" in status
    assert "It is not right yet." in status


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/repos/*/pulls"),
        ("POST", "/repos/*/issues/*/comments"),
        ("POST", "/repos/*/check-runs"),
        ("POST", "/acme/shop.git/git-receive-pack"),
    ],
    ids=["38-pull", "39-comment", "check", "push"],
)
async def test_38_39_what_was_made_behind_a_502_is_made_once(
    house: House, method: str, path: str
) -> None:
    fault = house.github.faults.add(method, path, "502-after", times=3)
    issue = house.issue()
    await house.label(issue)

    assert fault.hits > 0
    assert house.runs[0].outcome == "completed"
    pull = house.github.pull(SHOP)
    assert len(house.told(pull)) == 2
    assert len(house.told(issue)) == 1
    assert len(house.github.check_runs(SHOP)) == 1


async def test_40_a_second_run_updates_the_open_pull_request(house: House) -> None:
    issue = house.issue()
    await house.label(issue)
    first = house.github.head(SHOP, BRANCH)
    house.workshop.script = mended(call("create", path="CHANGES", content="Mended.\n"))
    house.github.edit_issue(issue, by="ana", title="Another title")
    await house.say(issue, "/acp retry with a note in CHANGES")

    pull = house.github.pull(SHOP)
    assert [run.pull_request for run in house.runs] == [pull.number] * 2
    assert house.github.head(SHOP, BRANCH) != first
    assert "CHANGES" in (pull.body or "")
    assert pull.title == "Another title"
    assert len(house.told(pull)) == 2
    (status,) = house.told(issue)
    assert "I updated the pull request" in status


async def test_41_what_a_person_has_pushed_is_left_alone(house: House) -> None:
    issue = house.issue()
    await house.label(issue)
    theirs = house.github.commit(SHOP, BRANCH, "notes.txt", "mine", by="ana")
    await house.say(issue, "/acp retry")

    assert house.github.head(SHOP, BRANCH) == theirs
    assert house.github.head(SHOP, f"{BRANCH}-2")


async def test_42_a_pull_request_that_was_closed_is_not_opened_again(house: House) -> None:
    issue = house.issue()
    await house.label(issue)
    first = house.github.pull(SHOP)
    house.github.close_issue(first, by="ana")
    await house.say(issue, "/acp retry")

    assert [pull.state for pull in house.github.pulls(SHOP)] == ["closed", "open"]
    assert house.github.head(SHOP, f"{BRANCH}-2")


async def test_42_after_a_merge_only_again_begins_again(house: House) -> None:
    issue = house.issue()
    await house.label(issue)
    house.github.merge(house.github.pull(SHOP), by="ana")
    house.github.reopen(issue, by="ana")
    await house.say(issue, "/acp run")
    assert [run.outcome for run in house.runs] == ["completed", "refused"]
    assert "is merged" in house.told(issue)[-1]

    house.workshop.script = no_change()
    await house.say(issue, "/acp run --again and look at taxes")
    assert [run.outcome for run in house.runs][2:] == ["no_change"]
    assert "and look at taxes" in house.task_text(house.runs[-1])
    assert "--again" not in house.task_text(house.runs[-1])


async def test_43_a_branch_of_somebody_else_is_left_alone(house: House) -> None:
    theirs = house.github.commit(SHOP, BRANCH, "notes.txt", "mine", by="ana")
    await house.label(house.issue())

    assert house.github.head(SHOP, BRANCH) == theirs
    assert house.runs[0].outcome == "completed"
    assert house.github.head(SHOP, f"{BRANCH}-2")


async def test_a_repository_that_asks_for_drafts_gets_them(house: House) -> None:
    house.github.commit(SHOP, "main", ".github/acp.yml", "draft: true\n", by="ana")
    issue = house.issue()
    await house.label(issue)

    assert house.pull().draft is True
    assert "I opened the draft pull request" in house.told(issue)[0]


async def test_44_where_drafts_are_refused_a_plain_pull_request_is_opened(house: House) -> None:
    house.github.ruleset(SHOP, drafts=False)
    house.allow(always_draft=True)
    await house.label(house.issue())

    assert house.pull().draft is False


async def test_another_pull_request_that_closes_the_issue_is_pointed_to(house: House) -> None:
    issue = house.issue()
    house.github.commit(SHOP, "work", "notes.txt", "more", by="ana")
    pull = house.github.open_pull(SHOP, "Mine", head="work", by="ana", body="Fixes #1")
    await house.label(issue)

    assert house.runs[0].outcome == "refused"
    assert f"#{pull.number} is open and already closes this issue" in house.told(issue)[0]

    await house.say(issue, "/acp run --again")
    assert house.runs[-1].outcome == "completed"
    assert len(house.github.pulls(SHOP)) == 2
