"""Runs that are cancelled, asked after, tried again, queued up, and cut off at every step."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.domain.runs import MAX_STARTS
from tests.e2e.bot.house import LABEL, SHOP, House
from tests.e2e.bot.power import Fuse, PowerCut
from tests.e2e.bot.scripts import call, mended, no_change

SLEEP = "sleep 47.11"


@pytest.mark.parametrize("signatures", [False, True], ids=["pushed", "by-api"])
async def test_59_a_process_that_dies_at_every_step_leaves_one_of_everything(
    house: House, *, signatures: bool
) -> None:
    house.github.ruleset(SHOP, signatures=signatures)
    issue = house.issue()
    house.github.label(issue, LABEL, by="ana")
    await house.arrive()
    (run,) = house.runs
    fuse = Fuse()
    house.most_starts = 1000
    house.store, house.workshop.fuse = fuse.store(house.store), fuse
    for _ in range(200):
        try:
            await house.execute(run.id)
            break
        except PowerCut:
            fuse.mend()

    (run,) = house.runs
    assert fuse.cuts > 40
    assert run.outcome == "completed"
    pull = house.github.pull(SHOP)
    assert len(house.github.branches(SHOP)) == 2
    assert len(house.told(pull)) == 2
    assert len(house.told(issue)) == 1
    assert len(house.github.check_runs(SHOP)) == 1
    assert len(house.github.reactions(issue)) == 2
    assert len(house.github.store(SHOP).git("log", "--format=%h", house.pull().head).split()) == 3
    assert [model.left for model in house.workshop.models.values()] == [0, 0, 0, 0]


async def test_57_a_cancel_stops_the_processes_and_pushes_nothing(house: House) -> None:
    script = mended()
    house.workshop.script = {**script, "gpt": no_change(call("run", command=SLEEP))["gpt"]}
    issue = house.issue()
    async with house.at_work():
        house.github.label(issue, LABEL, by="ana")
        assert await house.until(lambda: _running(SLEEP))
        house.github.comment(issue, "/acp stop", by="ana")
        assert await house.until(lambda: house.runs[0].status == "finished")

    assert not _running(SLEEP)
    assert (house.runs[0].outcome, house.runs[0].cancel_by) == ("cancelled", "ana")
    assert list(house.github.branches(SHOP)) == ["main"]
    (status,) = house.told(issue)
    assert "Cancelled** by ana" in status


async def test_57_a_cancel_that_nobody_was_there_to_hear_counts_at_the_next_start(
    house: House,
) -> None:
    issue = house.issue()
    house.github.label(issue, LABEL, by="ana")
    await house.arrive()
    (run,) = house.runs
    house.store.begin(run.id, "a worker that dies")
    house.store.request_cancel(run.id, "ana")
    await house.execute(run.id)

    assert house.runs[0].outcome == "cancelled"
    assert "Cancelled** by ana" in house.told(issue)[0]


async def test_who_asked_is_told_of_a_run_that_never_comes_to_an_end(house: House) -> None:
    issue = house.issue()
    house.github.label(issue, LABEL, by="ana")
    await house.arrive()
    (run,) = house.runs
    starts = [house.store.begin(run.id, "a worker that dies") for _ in range(MAX_STARTS + 2)]
    house.store.spend(run.id, starts[-1], 1.25, 0.0)
    await house.execute(run.id)

    (ended,) = house.runs
    assert (ended.outcome, ended.cost_usd) == ("failed", 1.25)
    (status,) = house.told(issue)
    assert "The run was begun 8 times and never came to an end" in status
    assert "/acp retry" in status


async def test_57_who_may_not_write_stops_nothing(house: House) -> None:
    issue = house.issue()
    house.github.label(issue, LABEL, by="ana")
    house.github.comment(issue, "/acp cancel", by="out")
    await house.arrive()
    await house.answer()

    assert house.runs[0].status == "queued"
    assert "Only people who may write" in house.told(issue)[0]


async def test_58_twenty_labels_at_once_are_worked_off_in_order_one_by_one(house: House) -> None:
    issues = [house.issue() for _ in range(20)]
    await house.arrive()
    for issue in issues:
        house.github.label(issue, LABEL, by="ana")
    await house.arrive()
    order: list[int] = []
    while waiting := house.store.next_runs(per_repository=1, total=4):
        (run,) = waiting
        order.append(run.request.issue)
        epoch = house.store.begin(run.id, "worker")
        house.finish(run.id, epoch)

    assert order == [issue.number for issue in issues]


async def test_58_two_commands_within_a_second_start_one_run(house: House) -> None:
    issue = house.issue()
    house.github.label(issue, LABEL, by="ana")
    house.github.comment(issue, "/acp run", by="ana")
    await house.arrive()

    assert len(house.runs) == 1


async def test_a_status_is_asked_for_before_during_and_after(house: House) -> None:
    issue = house.issue()
    await house.say(issue, "/acp status")
    assert "There has been no run here yet" in house.told(issue)[0]

    house.github.label(issue, LABEL, by="ana")
    house.github.comment(issue, "/acp status", by="ana")
    await house.arrive()
    await house.answer()
    assert "already at work" in house.told(issue)[0]

    house.workshop.script = no_change()
    await house.settle()
    await house.say(issue, "/acp status")
    assert "The last one was" in house.told(issue)[0]
    assert len(house.told(issue)) == 2


async def test_on_its_pull_request_a_run_is_asked_after_and_stopped_as_on_its_issue(
    house: House,
) -> None:
    issue = house.issue()
    await house.label(issue)
    pull = house.github.pull(SHOP)
    await house.say(pull, "/acp status")
    assert f"it is done: #{pull.number}" in house.told(pull)[-1]

    house.github.comment(issue, "/acp retry", by="ana")
    house.github.comment(pull, "/acp cancel", by="ana")
    await house.settle()
    assert [run.outcome for run in house.runs] == ["completed", "cancelled"]


async def test_help_unknown_words_and_commands_that_have_no_run_are_answered_in_one_comment(
    house: House,
) -> None:
    issue = house.issue()
    for text, answer in {
        "/acp help": "What you can say here",
        "/acp cancle": "Did you mean `/acp cancel`?",
        "/acp cancel": "No run is going on here.",
        "/acp push": "No change is waiting",
        "/acp rebase": "I cannot do `/acp rebase` here",
    }.items():
        await house.say(issue, text)
        (said,) = house.told(issue)
        assert answer in said


async def test_a_retry_reads_the_issue_as_it_is_then(house: House) -> None:
    house.allow(max_iterations=1)
    house.workshop.script = mended(new="sum(prices[2:])")
    issue = house.issue()
    await house.label(issue)
    house.github.edit_issue(issue, by="ana", body=f"{issue.body}\n\nMind the first one.")
    house.workshop.script = mended()
    await house.say(issue, "/acp retry it is the slice")

    assert [run.outcome for run in house.runs] == ["failed", "completed"]
    text = house.task_text(house.runs[1])
    assert "Mind the first one." in text
    assert "it is the slice" in text


async def test_a_queued_run_whose_label_is_taken_off_is_over(house: House) -> None:
    issue = house.issue()
    house.github.label(issue, LABEL, by="ana")
    house.github.unlabel(issue, LABEL, by="ana")
    await house.settle()

    assert [run.outcome for run in house.runs] == ["cancelled"]
    assert not house.told(issue)


def _running(command: str) -> bool:
    wanted = command.replace(" ", "\0").encode()
    for one in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if one.read_bytes().rstrip(b"\0") == wanted:
                return True
        except OSError:
            continue
    return False
