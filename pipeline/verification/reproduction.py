"""Judges the authored test: does it fail on the base for the reason that its kind asks for?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.verification.kinds import Kind
from pipeline.verification.paths import TestPaths
from pipeline.verification.report import TestResult, TestRun
from pipeline.verification.vacuous import project_names, vacuous, vacuous_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# What a call of something that is not there yet ends with.
_ABSENT = frozenset(
    {
        "AttributeError",
        "ImportError",
        "ModuleNotFoundError",
        "NameError",
        "NotImplementedError",
        "TypeError",
    }
)
_SHOWN = 3
_MEND = "If the task is about an exception, catch it in the test and call pytest.fail."
_OTHER_MEND = (
    "If the task is about an exception, or about something that is not there yet, let the test "
    "see that first and fail by an assertion."
)


@dataclass(frozen=True, slots=True)
class ReproductionCheck:
    """`ok`: red on the base for the right reason. Otherwise `complaint` tells the tester why not.

    `passes_on_base`: it says something, it ran, and everything passed. `failure` tells the author
    of the patch how it fails, without lines of the test file.
    """

    ok: bool
    run: TestRun
    complaint: str
    passes_on_base: bool
    failure: str


def check(
    run: TestRun, sources: Mapping[str, bytes], project: Iterable[str], kind: Kind
) -> ReproductionCheck:
    """`run` is the authored files' run on the base, `sources` their bytes, `project` its paths."""
    red = run.red()
    outcomes = [result.outcome for result in run.results.values()]
    empty = _empty(sources, project, red)
    passes = bool(outcomes) and not (empty or run.problem)
    passes = passes and all(one == "passed" for one in outcomes)
    complaint = empty or _not_red(run) or _wrong_reason(red, kind)
    failure = "\n".join(
        f"{one.id}: {one.message}\n{one.traceback(sources)}" for one in red[:_SHOWN]
    )
    return ReproductionCheck(not complaint, run, complaint, passes, failure)


def not_green(red: ReproductionCheck | None, green: TestRun | None) -> tuple[TestResult, ...]:
    """What of the authored tests does not pass with the patch: skipped and gone ones count too."""
    if red is None or green is None or green.problem:
        return ()
    bad = [result for result in green.results.values() if result.outcome != "passed"]
    expected = [key for key in red.run.results if "::" in key]
    gone = [key for key in expected if key not in green.results]
    if bad:
        return tuple(bad)
    lost = [TestResult(key, "error", "the test did not run") for key in gone]
    if not lost and not green.results:
        lost = [TestResult("reproduction", "error", "no test was collected")]
    return tuple(lost)


def _empty(sources: Mapping[str, bytes], project: Iterable[str], red: Iterable[TestResult]) -> str:
    if not sources:
        return "no test was written"
    tests = TestPaths.of(project)
    names = project_names(project, tests)
    # What it imports may be the very thing that is asked for.
    absent = any(result.exception in _ABSENT for result in red)
    for path, data in sources.items():
        text = data.decode("utf-8", "replace")
        if path.endswith(".py"):
            said = vacuous(text, frozenset() if absent else names)
        else:
            said = vacuous_text(text)
        if said:
            return said
    return ""


def _not_red(run: TestRun) -> str:
    if run.problem:
        return f"the test cannot be run: {run.problem}"
    if not run.results:
        return "its runner collects no test from it"
    if run.red():
        return ""
    if all(result.outcome == "passed" for result in run.results.values()):
        return "the test passes on the unchanged code: it does not show what the task describes"
    return "the test is skipped or expected to fail: it must run and fail on the unchanged code"


def _wrong_reason(red: Iterable[TestResult], kind: Kind) -> str:
    """Each failure must be an assertion; a feature may also miss what is not there yet."""
    for result in red:
        # Only bodies of Python can be emptied to see whether the test would notice.
        python = result.id.partition("::")[0].endswith(".py")
        missing = python and kind is Kind.FEATURE and result.exception in _ABSENT
        if result.assertion or missing:
            continue
        what = result.exception or result.outcome
        message = result.message.splitlines()[0] if result.message.strip() else ""
        return (
            f"{result.id} must fail by an assertion on the unchanged code, but ends with {what}: "
            f"{message}. {_MEND if python else _OTHER_MEND}\n{result.traceback()}"
        )
    return ""
