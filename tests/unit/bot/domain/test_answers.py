"""Every short answer, as it stands on the forge."""

from typing import Any

import pytest
from inline_snapshot import snapshot

from bot.domain.forge import PullRequest
from bot.domain.messages import answers
from bot.domain.messages.base import Place
from bot.domain.policy import Cap, NeedsInformation, NothingToDo, Refusal, TooLarge
from bot.domain.repo_config import Problem
from bot.domain.runs import Actor, FrozenText, RepositoryId, Run, RunRequest, RunStatus

PLACE = Place(4711, 7, "01RUN", "https://acp.example/runs/01RUN")
PULL = PullRequest(
    8, "u", "open", False, "fix", "a" * 40, "main", Actor(5, "rita", "User"), "", "acme"
)


def test_help() -> None:
    assert answers.help_text(PLACE).text == snapshot("""\
<!-- acp:answer v1 4711:7 -->

**What you can say here**, at the start of a line:

- `/acp run`: start work on this issue; what follows is a hint for the models
- `/acp plan`: say what would be done, and do nothing
- `/acp status`: say how far the run is
- `/acp cancel`: stop the run; `stop` is the same
- `/acp retry`: run again, with the issue as it reads now
- `/acp push`: release a held change: push it and open the pull request
- `/acp fix ci`: mend what the checks of our pull request complain of
- `/acp rebase`: bring our branch up to date with its base
- `/acp help`: show this list

Commands count from people who may write to this repository.
""")


def test_a_mistyped_command() -> None:
    assert answers.unknown(PLACE, "rum", {"run", "help"}).text == snapshot("""\
<!-- acp:answer v1 4711:7 -->

I do not know `rum`. Did you mean `/acp run`?

I know `run`, `help`.
""")


def test_a_command_that_is_not_possible_here() -> None:
    assert answers.not_here(PLACE, "rebase").text == snapshot("""\
<!-- acp:answer v1 4711:7 -->

I cannot do `/acp rebase` here (bring our branch up to date with its base).
""")


def test_a_run_on_a_pull_request() -> None:
    assert answers.on_pull(PLACE, "run").text == snapshot("""\
<!-- acp:answer v1 4711:7 -->

`/acp run` starts work on an issue or a ticket, and this is a pull request. Write it there.
""")


def test_a_fork() -> None:
    assert answers.on_fork(PLACE).text == snapshot("""\
<!-- acp:answer v1 4711:7 -->

This pull request comes from a fork: I neither run its code nor push to it.

Somebody who may write can open an issue for it, and write `/acp run` there.
""")


def test_an_outsider_gets_one_short_neutral_answer() -> None:
    assert answers.refused(PLACE, Refusal.OUTSIDER).text == snapshot("""\
<!-- acp:answer v1 4711:7 -->

Only people who may write to this repository can start me; any of them can do it for you.
""")


def test_a_writer_who_is_not_named() -> None:
    assert answers.refused(PLACE, Refusal.NOT_LISTED).text == snapshot("""\
<!-- acp:answer v1 4711:7 -->

Only the people named in `.github/acp.yml` can start me here; any of them can do it for you.
""")


def test_where_we_are_switched_off() -> None:
    assert answers.refused(PLACE, Refusal.DISABLED).text == snapshot("""\
<!-- acp:answer v1 4711:7 -->

I am switched off in this repository (`.github/acp.yml`).
""")


def test_a_duplicate() -> None:
    assert answers.duplicate(PLACE, PULL).text == snapshot("""\
<!-- acp:answer v1 4711:7 -->

I have not started: #8 is open and already closes this issue.

If it does not do, write `/acp run --again`; if it is abandoned, close it and comment `/acp run`.
""")


def test_a_merged_pull_request() -> None:
    assert answers.merged(PLACE, PULL).text == snapshot("""\
<!-- acp:answer v1 4711:7 -->

I have not started: #8 for this issue is merged.

If there is more to do, write `/acp run --again` and what is missing.
""")


def test_the_cap_of_an_issue() -> None:
    assert answers.capped(PLACE, Cap("issue", 5, 5)).text == snapshot("""\
<!-- acp:answer v1 4711:7 -->

I have not started: in the last 24 hours this issue has had 5 of 5 runs.

It becomes possible again as they fall out of the 24 hours; the operator sets the limits. Then write `/acp run`, or set the label again.
""")  # noqa: E501


def test_the_cap_of_a_repository() -> None:
    assert answers.capped(PLACE, Cap("repository", 20, 20)).text == snapshot("""\
<!-- acp:answer v1 4711:7 -->

I have not started: in the last 24 hours this repository has had 20 of 20 runs.

It becomes possible again as they fall out of the 24 hours; the operator sets the limits. Then write `/acp run`, or set the label again.
""")  # noqa: E501


def test_the_cap_on_money() -> None:
    assert answers.capped(PLACE, Cap("money", 20, 19.97)).text == snapshot("""\
<!-- acp:answer v1 4711:7 -->

I have not started: in the last 24 hours runs here have cost, or may yet cost, $19.97 of $20.00.

It becomes possible again as they fall out of the 24 hours; the operator sets the limits. Then write `/acp run`, or set the label again.
""")  # noqa: E501


def test_an_issue_that_says_too_little() -> None:
    assert answers.triaged(PLACE, NeedsInformation(("what happens now",))).text == snapshot("""\
<!-- acp:answer v1 4711:7 -->

I have not started: the issue does not say enough yet. Please add

- what happens now

Then write `/acp run`, or set the label again.
""")


def test_an_issue_that_asks_for_too_much() -> None:
    assert answers.triaged(PLACE, TooLarge("it lists 16 open points")).text == snapshot("""\
<!-- acp:answer v1 4711:7 -->

I have not started: this is more than one change (it lists 16 open points).

Split it into issues that each ask for one thing, or write `/acp run` and behind it the one part to begin with.
""")  # noqa: E501


def test_an_issue_that_is_done() -> None:
    assert answers.triaged(PLACE, NothingToDo("every box is ticked")).text == snapshot("""\
<!-- acp:answer v1 4711:7 -->

I have not started: there is nothing left to do (every box is ticked).

If there is, write `/acp run` and what it is.
""")


def test_no_run_to_push_cancel_or_tell_of() -> None:
    said = [answers.no_run(PLACE, verb).text for verb in ("push", "cancel", "status")]
    assert said == snapshot(
        [
            """\
<!-- acp:answer v1 4711:7 -->

No change is waiting for `/acp push` here.
""",
            """\
<!-- acp:answer v1 4711:7 -->

No run is going on here.
""",
            """\
<!-- acp:answer v1 4711:7 -->

There has been no run here yet. `/acp run` starts one.
""",
        ]
    )


def test_a_run_that_is_going_on() -> None:
    assert answers.active(PLACE).text == snapshot("""\
<!-- acp:answer v1 4711:7 -->

I am already at work on this issue: [run `01RUN`](https://acp.example/runs/01RUN); my other comment here says how far.

`/acp cancel` stops it.
""")  # noqa: E501


@pytest.mark.parametrize(
    ("outcome", "reason", "words"),
    [
        ("completed", "", "it is done: #8. It cost $0.41."),
        ("failed", "tests failed", "it ended without a pull request: the tests failed. It cost"),
        ("failed", "", "it ended without a pull request: it broke off. It cost"),
        ("no_change", "", "there was nothing to change."),
        ("cancelled", "", "it was cancelled."),
        ("refused", "", "it was not begun."),
        ("", "", "it is not over."),
    ],
)
def test_how_the_last_run_ended(outcome: Any, reason: str, words: str) -> None:
    shop = RepositoryId(4711, "acme/shop", 11)
    wanda = Actor(6, "wanda", "User")
    request = RunRequest("label", shop, 7, FrozenText("t", "", wanda), wanda, "m", "")
    run = Run(
        id="01RUN",
        request=request,
        status=RunStatus.FINISHED,
        epoch=1,
        outcome=outcome,
        reason=reason,
        created_at="",
        started_at="",
        finished_at="",
        cancel_requested=False,
        push_by="",
        cost_usd=0.41,
        pull_request=8 if outcome == "completed" else 0,
    )
    text = answers.ended(PLACE, run).text
    assert f"[run `01RUN`](https://acp.example/runs/01RUN); {words}" in text


def test_a_wrong_config() -> None:
    problems = [Problem(2, "limts", "is not a setting; did you mean `limits`?")]
    assert answers.wrong_config(PLACE, problems).text == snapshot("""\
<!-- acp:answer v1 4711:7 -->

I have not started: `.github/acp.yml` on the default branch is wrong.

- line 2, `limts`: is not a setting; did you mean `limits`?

The file is optional and only narrows what the operator allows. A whole one looks like this:

```yaml
hold: outsiders
reviewers: [octocat]
limits:
  usd_per_run: 2
```

`acp config validate` checks it before it is merged. Then write `/acp run`, or set the label again.
""")


def test_missing_permissions() -> None:
    url = "https://github.example/settings/installations/11"
    assert answers.missing_permissions(PLACE, ["checks: write"], url).text == snapshot("""\
<!-- acp:answer v1 4711:7 -->

I cannot work here yet: the App's installation lacks `checks: write`.

An owner accepts the new permissions [here](https://github.example/settings/installations/11). Then write `/acp run`, or set the label again.
""")  # noqa: E501


def test_a_repository_that_cannot_be_read() -> None:
    assert answers.unavailable(Place(4711, 7)).text == snapshot("""\
<!-- acp:answer v1 4711:7 -->

I could not start: the repository could not be read. The operator's log says more.

`/acp retry` tries again.
""")


def test_every_answer_is_the_same_comment_of_its_issue() -> None:
    marks = {
        answers.help_text(PLACE).marker,
        answers.refused(PLACE, Refusal.OUTSIDER).marker,
        answers.unavailable(PLACE).marker,
    }
    assert marks == {"<!-- acp:answer v1 4711:7 -->"}
