"""Short answers: to commands, to those who may not give them, and when nothing can be begun.

All answers of an issue are one comment that is edited in place, so nobody can make us noisy.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, assert_never

from bot.domain.bill import money
from bot.domain.commands import MEANINGS, nearest
from bot.domain.forge import PullRequest
from bot.domain.markdown import code, inline, prose
from bot.domain.messages.base import Comment, Place, comment
from bot.domain.messages.report import explain
from bot.domain.policy import CONFIG, Cap, NeedsInformation, NothingToDo, Refusal, TooLarge, Triage
from bot.domain.runs import Run

if TYPE_CHECKING:
    from bot.domain.repo_config import Problem

_AGAIN = "Then write `/acp run`, or set the label again."


def help_text(place: Place, verbs: Collection[str] = MEANINGS) -> Comment:
    """What can be said to us; `verbs` are those that work here."""
    lines = [f"- `/acp {verb}`: {what}" for verb, what in MEANINGS.items() if verb in verbs]
    return comment(
        "answer",
        place,
        "**What you can say here**, at the start of a line:",
        "\n".join(lines),
        "Commands count from people who may write to this repository.",
    )


def unknown(place: Place, word: str, verbs: Collection[str] = MEANINGS) -> Comment:
    """A verb that we do not know, said by somebody who may write."""
    meant = nearest(word)
    guess = f" Did you mean `/acp {meant}`?" if meant in verbs else ""
    known = ", ".join(f"`{verb}`" for verb in MEANINGS if verb in verbs)
    return comment("answer", place, f"I do not know {code(word)}.{guess}", f"I know {known}.")


def not_here(place: Place, verb: str) -> Comment:
    """A command that exists, and does not work here."""
    what = f" ({MEANINGS[verb]})" if verb in MEANINGS else ""
    return comment("answer", place, f"I cannot do {code(f'/acp {verb}')} here{what}.")


def on_pull(place: Place, verb: str) -> Comment:
    """`/acp run` was written on a pull request."""
    return comment(
        "answer",
        place,
        f"`/acp {verb}` starts work on an issue or a ticket, and this is a pull request. Write it "
        "there.",
    )


def on_fork(place: Place) -> Comment:
    """A command on the pull request of a fork."""
    return comment(
        "answer",
        place,
        "This pull request comes from a fork: I neither run its code nor push to it.",
        "Somebody who may write can open an issue for it, and write `/acp run` there.",
    )


def refused(place: Place, refusal: Refusal) -> Comment:
    """To somebody who may not command us: short, neutral, and the same for everyone."""
    if refusal is Refusal.DISABLED:
        return comment("answer", place, f"I am switched off in this repository (`{CONFIG}`).")
    if refusal is Refusal.NOT_LISTED:
        text = (
            f"Only the people named in `{CONFIG}` can start me here; any of them can do it for you."
        )
        return comment("answer", place, text)
    return comment(
        "answer",
        place,
        "Only people who may write to this repository can start me; any of them can do it for you.",
    )


def duplicate(place: Place, pull: PullRequest) -> Comment:
    """Somebody's open pull request already closes the issue."""
    return comment(
        "answer",
        place,
        f"I have not started: #{pull.number} is open and already closes this issue.",
        "If it does not do, write `/acp run --again`; if it is abandoned, close it and comment "
        "`/acp run`.",
    )


def merged(place: Place, pull: PullRequest) -> Comment:
    """Our own pull request for the issue is merged."""
    return comment(
        "answer",
        place,
        f"I have not started: #{pull.number} for this issue is merged.",
        "If there is more to do, write `/acp run --again` and what is missing.",
    )


def capped(place: Place, cap: Cap) -> Comment:
    """A cap is reached."""
    match cap.kind:
        case "issue":
            what = f"this issue has had {cap.used:g} of {cap.limit:g} runs"
        case "repository":
            what = f"this repository has had {cap.used:g} of {cap.limit:g} runs"
        case "money":
            what = f"runs here have cost, or may yet cost, {money(cap.used)} of {money(cap.limit)}"
        case _:
            assert_never(cap.kind)
    return comment(
        "answer",
        place,
        f"I have not started: in the last 24 hours {what}.",
        f"{_freed(cap)}; the operator sets the limits. {_AGAIN}",
    )


def _freed(cap: Cap) -> str:
    """When another run is possible, as half a sentence."""
    if not cap.frees_at:
        return "It becomes possible again as they fall out of the 24 hours"
    when = datetime.fromisoformat(cap.frees_at).strftime("%d %B, %H:%M UTC")
    return f"It becomes possible again on {when}, or earlier if a run costs less than set aside"


def triaged(place: Place, found: Triage) -> Comment:
    """The issue is not one that a run could do well."""
    match found:
        case NeedsInformation(missing):
            return comment(
                "answer",
                place,
                "I have not started: the issue does not say enough yet. Please add",
                "\n".join(f"- {inline(one)}" for one in missing),
                _AGAIN,
            )
        case TooLarge(why):
            return comment(
                "answer",
                place,
                f"I have not started: this is more than one change ({inline(why)}).",
                "Split it into issues that each ask for one thing, or write `/acp run` and behind "
                "it the one part to begin with.",
            )
        case NothingToDo(why):
            return comment(
                "answer",
                place,
                f"I have not started: there is nothing left to do ({inline(why)}).",
                "If there is, write `/acp run` and what it is.",
            )
        case _:
            assert_never(found)


def no_run(place: Place, verb: str) -> Comment:
    """A command for a run, and there is none that it could be meant for."""
    match verb:
        case "push":
            text = "No change is waiting for `/acp push` here."
        case "cancel":
            text = "No run is going on here."
        case _:
            text = "There has been no run here yet. `/acp run` starts one."
    return comment("answer", place, text)


def active(place: Place, *, held: bool = False) -> Comment:
    """A run, or its status, was asked for while one is going on, or waits for a writer."""
    if held:
        return comment(
            "answer",
            place,
            f"The change of {place.run} is ready and waits; my other comment here shows it.",
            "`/acp push` releases it, `/acp cancel` drops it; then `/acp run` can start anew.",
        )
    return comment(
        "answer",
        place,
        f"I am already at work on this issue: {place.run}; my other comment here says how far.",
        "`/acp cancel` stops it.",
    )


def ended(place: Place, run: Run) -> Comment:
    """How the last run ended, to somebody who asks for the status while none is going on."""
    match run.outcome:
        case "completed":
            what = "it is done" + (f": #{run.pull_request}" if run.pull_request else "")
        case "failed":
            what = f"it ended without a pull request: {explain(run.reason)}"
        case "no_change":
            what = "there was nothing to change"
        case "cancelled":
            what = "it was cancelled"
        case "refused":
            what = "it was not begun"
        case "":
            what = "it is not over"
        case _:
            assert_never(run.outcome)
    cost = f" It cost {money(run.cost_usd)}." if run.cost_usd else ""
    return comment(
        "answer",
        place,
        f"The last one was {place.run}; {what}.{cost}",
        "`/acp run` starts another.",
    )


def wrong_config(place: Place, problems: Sequence[Problem]) -> Comment:
    """`.github/acp.yml` cannot be used; this is also how people learn what it may hold."""
    return comment(
        "answer",
        place,
        f"I have not started: `{CONFIG}` on the default branch is wrong.",
        "\n".join(f"- {problem_line(one)}" for one in problems[:20]),
        "The file is optional and only narrows what the operator allows. A whole one looks like "
        "this:",
        "```yaml\nhold: outsiders\nreviewers: [octocat]\nlimits:\n  usd_per_run: 2\n```",
        "`acp config validate` checks it before it is merged. " + _AGAIN,
    )


def missing_permissions(place: Place, missing: Sequence[str], url: str) -> Comment:
    """The installation lacks permissions. `url` is where an owner accepts them, or ""."""
    names = ", ".join(code(name) for name in missing)
    where = f" [here]({url})" if url else " in the settings of the App's installation"
    return comment(
        "answer",
        place,
        f"I cannot work here yet: the App's installation lacks {names}.",
        f"An owner accepts the new permissions{where}. {_AGAIN}",
    )


def unavailable(place: Place) -> Comment:
    """The repository cannot be worked on, for a reason that is the forge's or the operator's."""
    return comment(
        "answer",
        place,
        "I could not start: the repository could not be read. The operator's log says more.",
        "`/acp retry` tries again.",
    )


def problem_line(problem: Problem) -> str:
    """One thing that is wrong in a repository's file, with its place."""
    where = [f"line {problem.line}"] if problem.line else []
    where += [code(problem.field)] if problem.field else []
    text = prose(problem.text, 400)
    return f"{', '.join(where)}: {text}" if where else text
