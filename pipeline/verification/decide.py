"""The gate: one pure function from evidence to verdict. No model and no exit code decides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.verification.evidence import Evidence, Failure, RunRecord
from pipeline.verification.walls import genuine, refused

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
    red = genuine(evidence.still_red)
    if not red:
        return None
    head = "A test written from the task, which you cannot see, does not pass with your change."
    run = evidence.run(REPRODUCTION)
    shown = _failures(red, outline=True)
    return _objection("tests failed", "\n".join((head, _how(run), shown)))


def regression(evidence: Evidence) -> Verdict | None:
    """What passed on the base must not fail now."""
    failing = genuine(evidence.regressions)
    if not failing:
        return None
    head = f"{len(failing)} test(s) pass without your change and fail with it."
    shown = _failures(failing, outline=False)
    return _objection("tests failed", "\n".join((head, _how(evidence.run(SUITE)), shown)))


def vanished(evidence: Evidence) -> Verdict | None:
    """What passed on the base must still run."""
    if not evidence.vanished:
        return None
    head = f"{len(evidence.vanished)} test(s) that pass without your change no longer run with it:"
    lines = (head, *_list(evidence.vanished), _how(evidence.run(SUITE)))
    return _objection("tests failed", "\n".join(lines))


def blind(evidence: Evidence) -> Verdict | None:
    """What passes whatever is expected of it shows nothing: the change bends the tests."""
    if not evidence.blind:
        return None
    head = (
        "The result cannot be believed: with your change these tests also pass when what they "
        "expect is made wrong. Mend the code itself, not how it is compared or how tests report:"
    )
    return _objection("not verified", "\n".join((head, *_list(evidence.blind))))


def peeks(evidence: Evidence) -> Verdict | None:
    """Code that knows of its tests is proven by them for nobody else."""
    if not evidence.peeks:
        return None
    head = (
        "The change makes the product know of its tests, or of the place where they run, so that "
        "they say nothing of what users get. Take that out:"
    )
    return _objection("unproven", "\n".join((head, *_list(evidence.peeks))))


def altered(evidence: Evidence) -> Verdict | None:
    """Existing tests stay as they are, unless the task asks for another expectation."""
    wrong = [f"{one.id}: {one.problem}" for one in evidence.expected if one.problem]
    if not evidence.altered and not wrong:
        return None
    head = (
        "The change weakens, skips or deletes existing tests. Leave them as they are, or name in "
        "`expectations` each test whose expectation the task changes, with the sentence of the "
        "task that asks for it:"
    )
    return _objection("tests failed", "\n".join((head, *_list([*evidence.altered, *wrong]))))


def own_red(evidence: Evidence) -> Verdict | None:
    """Tests that the patch brings along must pass."""
    red = genuine(evidence.own_red)
    if not red:
        return None
    head = f"{len(red)} test(s) of your own change do not pass."
    return _objection("tests failed", f"{head}\n{_failures(red, outline=False)}")


def walled(evidence: Evidence) -> Verdict | None:
    """What fails for want of a socket is neither the patch's fault nor known to pass."""
    failures = (*evidence.still_red, *evidence.regressions, *evidence.own_red)
    ids = [failure.id for failure in failures if refused(failure)]
    if not ids:
        return None
    head = "This sandbox refuses sockets, so tests that open local servers cannot be verified:"
    return _objection("not verified", "\n".join((head, *_list(ids))))


def unreached(evidence: Evidence) -> Verdict | None:
    """What the time limit left out is not known to pass."""
    if not evidence.unreached:
        return None
    head = f"The time limit of the test run left {len(evidence.unreached)} test(s) out:"
    return _objection("not verified", "\n".join((head, *_list(evidence.unreached))))


def misfit(evidence: Evidence) -> Verdict | None:
    """The change must be of the kind that the task asks for, in the task's own words."""
    return _objection("unproven", f"{evidence.misfit}.") if evidence.misfit else None


def no_reproduction(evidence: Evidence) -> Verdict | None:
    """A bug or a feature is proven by a test that was red on the base for the right reason.

    Where a test was dropped, another one must take its place, whatever the kind is then said to be.
    """
    if evidence.kind not in {"bug", "feature"} and not evidence.dropped:
        return None
    if evidence.complaint:
        return _objection("unproven", f"The test is no proof: {evidence.complaint}")
    if not evidence.red or not evidence.reproduction:
        return _objection("unproven", "No test fails without the change and passes with it.")
    return None


def hollow(evidence: Evidence) -> Verdict | None:
    """A test that missed a name on the base must also notice that the new bodies do something."""
    if evidence.kind != "feature" or not evidence.hollow:
        return None
    return _objection("unproven", f"The test is no proof: {evidence.hollow}")


def unnoticed(evidence: Evidence) -> Verdict | None:
    """Tests alone are proven by failing when the code that they run is wrong."""
    if evidence.kind != "tests" or evidence.noticed:
        return None
    if not evidence.new_tests:
        return _objection("unproven", "The change adds no test that runs and passes.")
    head = "None of the new tests fails by an assertion when the code that it runs is made wrong."
    return _objection("unproven", "\n".join((head, *_list(evidence.mutants))))


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
    still_red,
    regression,
    vanished,
    blind,
    peeks,
    altered,
    own_red,
    walled,
    no_run,
    unreached,
    misfit,
    no_reproduction,
    hollow,
    unnoticed,
    not_covered,
)


def _objection(reason: Reason, feedback: str) -> Verdict:
    return Verdict(passed=False, reason=reason, feedback=feedback.strip())


def _list(items: Sequence[str]) -> list[str]:
    more = [f"  ... and {len(items) - 4 * _SHOWN} more"] if len(items) > 4 * _SHOWN else []
    return [*(f"  {item}" for item in items[: 4 * _SHOWN]), *more]


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
