"""The gate: one pure function from evidence to verdict. No model and no exit code decides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.verification.evidence import Evidence, Failure, RunRecord

Reason = Literal["", "tests failed", "unproven", "not verified"]
_SHOWN = 5
_LINES = 15
_PROBLEM = 1500


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason` is "" exactly if it passed. `feedback` is written for the author of the patch."""

    passed: bool
    reason: Reason
    feedback: str


Rule = Callable[[Evidence], Verdict | None]


def decide(evidence: Evidence, rules: Sequence[Rule] | None = None) -> Verdict:
    """The first rule that objects; without an objection the patch passes."""
    for rule in RULES if rules is None else rules:
        if verdict := rule(evidence):
            return verdict
    return Verdict(passed=True, reason="", feedback="")


def untrusted_run(evidence: Evidence) -> Verdict | None:
    """A run without a trustworthy report says nothing, whatever the others say."""
    run = evidence.untrusted
    if run is None:
        return None
    before = run.name == BASELINE
    who = "Nothing could be verified: already the unchanged code" if before else "The run"
    text = f"{who} ({run.name}) gave no trustworthy result.\n{run.problem[:_PROBLEM]}"
    return _objection("not verified", f"{text}\n{_how(run)}")


def no_run(evidence: Evidence) -> Verdict | None:
    """A pass needs the suite to have been run on the base and with the patch."""
    missing = [name for name in (BASELINE, SUITE) if evidence.run(name) is None]
    if not missing:
        return None
    return _objection("not verified", f"Never run: {', '.join(missing)}.")


def still_red(evidence: Evidence) -> Verdict | None:
    """The authored test must pass with the patch."""
    if not evidence.still_red:
        return None
    head = "A test written from the task, which you cannot see, does not pass with your change."
    run = evidence.run(REPRODUCTION)
    shown = _failures(evidence.still_red, outline=True)
    return _objection("tests failed", "\n".join((head, _how(run), shown)))


def regression(evidence: Evidence) -> Verdict | None:
    """What passed on the base must not fail now."""
    if not evidence.regressions:
        return None
    head = f"{len(evidence.regressions)} test(s) pass without your change and fail with it."
    shown = _failures(evidence.regressions, outline=False)
    return _objection("tests failed", "\n".join((head, _how(evidence.run(SUITE)), shown)))


def vanished(evidence: Evidence) -> Verdict | None:
    """What passed on the base must still run."""
    if not evidence.vanished:
        return None
    head = f"{len(evidence.vanished)} test(s) that pass without your change no longer run with it:"
    shown = "\n".join(f"  {key}" for key in evidence.vanished[: 4 * _SHOWN])
    return _objection("tests failed", "\n".join((head, shown, _how(evidence.run(SUITE)))))


def misfit(evidence: Evidence) -> Verdict | None:
    """The change must be of the kind that the task asks for, in the task's own words."""
    return _objection("unproven", f"{evidence.misfit}.") if evidence.misfit else None


def no_reproduction(evidence: Evidence) -> Verdict | None:
    """A bug or a feature is proven by a test that was red on the base for the right reason."""
    if evidence.kind not in {"bug", "feature"}:
        return None
    if evidence.complaint:
        return _objection("unproven", f"The test is no proof: {evidence.complaint}")
    if not evidence.red or not evidence.reproduction:
        return _objection("unproven", "No test fails without the change and passes with it.")
    return None


def not_covered(evidence: Evidence) -> Verdict | None:
    """A refactoring is proven by existing tests that run the lines it changed."""
    if evidence.kind != "refactoring" or evidence.covering:
        return None
    return _objection("unproven", "No existing test runs the changed lines and passes.")


BASELINE = "baseline"
SUITE = "suite"
REPRODUCTION = "reproduction"
RULES: tuple[Rule, ...] = (
    untrusted_run,
    no_run,
    still_red,
    regression,
    vanished,
    misfit,
    no_reproduction,
    not_covered,
)


def _objection(reason: Reason, feedback: str) -> Verdict:
    return Verdict(passed=False, reason=reason, feedback=feedback.strip())


def _how(run: RunRecord | None) -> str:
    if run is None:
        return ""
    # no seconds: feedback is a prompt, and the same failure must read the same
    return f"Command: {run.command} (exit code {run.exit_code})"


def _failures(failures: Iterable[Failure], *, outline: bool) -> str:
    every = list(failures)
    parts = []
    for failure in every[:_SHOWN]:
        text = failure.outline if outline else failure.traceback
        lines = [failure.message.splitlines()[0]] if failure.message.strip() else []
        lines += text.splitlines()[-_LINES:]
        parts.append("\n".join([f"{failure.id} ({failure.outcome})", *(f"  {x}" for x in lines)]))
    if len(every) > _SHOWN:
        parts.append(f"... and {len(every) - _SHOWN} more")
    return "\n".join(parts)
