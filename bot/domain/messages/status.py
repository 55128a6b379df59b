"""The living status comment: one per issue, edited in place from the first word to the last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bot.domain.bill import Spent, count, money, paid
from bot.domain.forge import PullRequest
from bot.domain.guards import Refused
from bot.domain.markdown import code, details, fence, inline, prose
from bot.domain.messages import report as parts
from bot.domain.messages.answers import problem_line
from bot.domain.messages.base import (
    Comment,
    Place,
    comment,
    duration,
    left_out,
    plural,
    warnings,
)
from bot.domain.messages.report import Report
from bot.domain.policy import CONFIG, Hold, Refusal
from bot.domain.sanitize import Stripped

if TYPE_CHECKING:
    from bot.domain.repo_config import Problem

Step = Literal["queued", "clone", "drafting", "formatting", "testing", "qa", "publish"]
STEPS: tuple[tuple[Step, str], ...] = (
    ("clone", "Clone the repository"),
    ("drafting", "Write the change"),
    ("formatting", "Format it"),
    ("testing", "Prove it by tests"),
    ("qa", "Review it"),
    ("publish", "Open the pull request"),
)
_NEAR = 2000


@dataclass(frozen=True, slots=True)
class Stand:
    """How far a run is. `usd` None is an unknown price; `ahead` counts runs before a queued one."""

    step: Step
    requester: str
    iteration: int = 0
    max_iterations: int = 3
    tokens: int = 0
    usd: float | None = 0.0
    lost_usd: float | None = 0.0
    usd_limit: float = 3.0
    elapsed_s: float = 0.0
    ahead: int = 0
    stripped: tuple[Stripped, ...] = ()
    warnings: tuple[str, ...] = ()


def working(place: Place, stand: Stand) -> Comment:
    """A run that waits or works: accepted, started, and every step after."""
    asked = f"asked for by {inline(stand.requester)} · {place.run}"
    if stand.step == "queued":
        behind = f", behind {plural(stand.ahead, 'other run')}" if stand.ahead else ""
        head = f"**Accepted**{behind} · {asked}"
        return comment("status", place, head, left_out(stand.stripped), _stop())
    return comment(
        "status",
        place,
        f"**At work** · {asked}",
        "\n".join(_boxes(stand.step)),
        f"Iteration {max(1, stand.iteration)} of at most {stand.max_iterations} · "
        f"{count(stand.tokens)} tokens · {paid(stand.usd, stand.lost_usd)} of at most "
        f"{money(stand.usd_limit)} · "
        f"{duration(stand.elapsed_s)}",
        warnings(stand.warnings),
        left_out(stand.stripped),
        _stop(),
    )


def held(report: Report, hold: Hold) -> Comment:
    """A proven change that waits for a writer: the diff, the evidence, and how to let it go."""
    reason = _why(hold)

    def build(share: int) -> str:
        return comment(
            "status",
            report.place,
            f"**Ready, and waiting for you** · {report.place.run}",
            f"The change is proven and not pushed yet, since {reason}. A push would run it in this "
            "repository's CI.",
            "Read the diff. If it does what it should and nothing else, somebody who may write "
            "says `/acp push`; `/acp cancel` drops it.",
            parts.proof(report),
            parts.iterations(report),
            parts.flags(report),
            details("The diff", fence(report.result.diff, "diff", limit=share * 2 // 3)),
            details("The evidence", _evidence(report, share // 4)),
            left_out(report.stripped),
            parts.folded_bill(report),
        ).text

    return _fitted(report, build)


def completed(report: Report, pull: PullRequest, *, updated: bool = False) -> Comment:
    """The pull request is there."""
    verb = "updated" if updated else "opened"
    kind = "draft pull request" if pull.draft else "pull request"
    return comment(
        "status",
        report.place,
        f"**Done**: I {verb} the {kind} #{pull.number} · {report.place.run}",
        parts.proof(report),
        parts.folded_bill(report),
        left_out(report.stripped),
    )


def failed(report: Report, *, branch: str = "") -> Comment:
    """No pull request: which gate said no, what it said last, what it cost, what to do now."""
    result = report.result
    why = parts.explain(result.reason)

    def build(share: int) -> str:
        last = fence(result.feedback, "text", limit=share // 2) if result.feedback else ""
        return comment(
            "status",
            report.place,
            f"**No pull request**: {why}, after {plural(result.iterations, 'iteration')} · "
            f"{report.place.run}",
            parts.iterations(report),
            details("The last feedback", last) if last else "",
            details("The evidence", _evidence(report, share // 4)) if report.evidence else "",
            f"The work so far is on the branch {code(branch)}." if branch else "",
            parts.folded_bill(report),
            "`/acp retry` runs again with the issue as it reads then; what you write behind it is "
            "a hint.",
            left_out(report.stripped),
        ).text

    return _fitted(report, build)


def not_published(report: Report, refused: tuple[Refused, ...]) -> Comment:
    """The change is proven and does something that no change may do."""
    lines = [f"- {code(one.path) + ': ' if one.path else ''}{one.text}" for one in refused[:20]]
    return comment(
        "status",
        report.place,
        f"**No pull request**: the change does what none may do · {report.place.run}",
        "\n".join(lines),
        "Nothing was pushed. Say in the issue how to do without it, and write `/acp retry`.",
        parts.folded_bill(report),
    )


def refused_by_now(report: Report, who: str, refusal: Refusal) -> Comment:
    """What held at the start does not any more; `who` asked for the run, or released it."""
    said = {
        Refusal.DISABLED: f"By now I am switched off in this repository (`{CONFIG}`).",
        Refusal.NOT_LISTED: f"{inline(who)}, who asked for this, is not among the people named in "
        f"`{CONFIG}` any more. Any of them can write `/acp run`.",
    }
    lost = "start runs from tickets" if report.place.ticket else "write to this repository"
    gone = (
        f"{inline(who)}, who asked for this, may not {lost} any more. Somebody who may can write "
        "`/acp run`."
    )
    return _nothing_pushed(report, said.get(refusal, gone))


def wrong_config_by_now(report: Report, problems: Sequence[Problem]) -> Comment:
    """The repository's file was right at the start, and is wrong now."""
    lines = "\n".join(f"- {problem_line(one)}" for one in problems[:20])
    said = f"`{CONFIG}` on the default branch is wrong by now:\n\n{lines}"
    return _nothing_pushed(report, f"{said}\n\nMend it, then write `/acp retry`.")


def withdrawn(report: Report) -> Comment:
    """The issue was closed or the label taken off, and no event told us."""
    said = "The issue was closed meanwhile, or the label taken off. `/acp run` starts again."
    if report.place.ticket:
        said = "The ticket does not ask for this any more. `/acp run` in a comment starts again."
    return _nothing_pushed(report, said)


def _nothing_pushed(report: Report, why: str) -> Comment:
    head = f"**Nothing was pushed** · {report.place.run}"
    return comment("status", report.place, head, why, parts.folded_bill(report))


def no_change(report: Report, why: str) -> Comment:
    """There is nothing to change, and a test on the present code shows it. `why` is the coder's."""

    def build(share: int) -> str:
        return comment(
            "status",
            report.place,
            f"**Nothing to change** · {report.place.run}",
            prose(why, min(share // 4, _NEAR)) or "The present code already does it.",
            "The test below asks for what the issue asks for, and passes on the present code.",
            details("The test", fence(report.result.tests_diff, "diff", limit=share // 3))
            if report.result.tests_diff
            else "",
            details("The evidence", _evidence(report, share // 4)),
            "If it still goes wrong for you, add how to see it, and write `/acp retry`.",
            parts.folded_bill(report),
        ).text

    return _fitted(report, build)


def cancelled(place: Place, by: str, spent: Spent) -> Comment:
    """Somebody stopped the run. `by` is a login, or "" where the forge did it."""
    who = f" by {inline(by)}" if by else ""
    return comment(
        "status",
        place,
        f"**Cancelled**{who} · {place.run}",
        f"Nothing was pushed. {spent}.",
        parts.seats_so_far(spent.usage),
        "`/acp run` starts again.",
    )


def parked(place: Place, until: str) -> Comment:
    """The forge asks us to wait until a time for people, or (`until` is "") does not answer."""
    why = f" until about {inline(until)}, as asked to" if until else ": the forge does not answer"
    return comment(
        "status",
        place,
        f"**Waiting**{why} · {place.run}",
        _stop(),
    )


def broken(place: Place, why: str, spent: Spent) -> Comment:
    """The run could not go on. `why` is a sentence for people, "" where it is the operator's."""
    return comment(
        "status",
        place,
        f"**Broke off** · {place.run}",
        prose(why, _NEAR) or "It could not go on; the operator's log says why.",
        f"{spent}. `/acp retry` tries again.",
        parts.seats_so_far(spent.usage),
    )


def _why(hold: Hold) -> str:
    """Whose words make a change wait, as half a sentence."""
    who = ", ".join(dict.fromkeys(inline(voice.login) for voice in hold.voices if voice.login))
    said = [f"part of the task was written by {who}, who may not write to this repository"]
    nameless = "the forge did not tell who edited the issue's text"
    if any(not voice.login for voice in hold.voices):
        return " and ".join([*said, nameless]) if who else nameless
    return said[0] if who else "every change waits here"


def _boxes(now: Step) -> list[str]:
    order = [step for step, _ in STEPS]
    at = order.index(now)
    lines = []
    for number, (_, words) in enumerate(STEPS):
        box = "x" if number < at else " "
        lines.append(f"- [{box}] {f'**{words}**' if number == at else words}")
    return lines


def _stop() -> str:
    return "`/acp status` looks up how far it is, `/acp cancel` stops it."


def _evidence(report: Report, limit: int) -> str:
    rows = parts.runs(report)
    text = fence(report.evidence.render(), "text", limit=limit) if report.evidence else ""
    return "\n\n".join(part for part in (rows, text) if part) or "No test was run."


def _fitted(report: Report, build: parts.Build) -> Comment:
    return parts.fitted("status", report.place, build)
