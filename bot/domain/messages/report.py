"""A finished run as the messages tell of it, and the parts that several of them share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bot.domain import bill as words
from bot.domain.guards import Findings
from bot.domain.markdown import code, details, fit, inline, table
from bot.domain.messages.base import (
    Comment,
    Kind,
    Place,
    duration,
    marker,
    plural,
)
from bot.domain.patch import FileDiff, parse
from bot.domain.result import Result
from bot.domain.sanitize import Stripped
from pipeline.state import Attempt
from pipeline.verification.evidence import Evidence

Build = Callable[[int], str]
_FILES = 30
_KINDS = {
    "bug": "bug: a test that fails without the change passes with it",
    "feature": "feature: a test that cannot pass without the change passes with it",
    "refactoring": "refactoring: existing tests run the changed lines and still pass",
    "docs": "documentation or configuration: there is no behaviour to prove",
    "tests": "tests: they pass now and fail when the code is broken",
}
_PLANTED = "Exit code 1 is right here: in every run one planted test must fail, and is not counted."
_GATES = {
    "coder did not return code": "the models wrote no change",
    "tests failed": "the tests failed",
    "qa failed": "the review objected",
    "unproven": "no test proves the change",
    "not verified": "the tests could not be run in a way that can be trusted",
    "repeated feedback": "the same feedback came back again and again",
    "budget": "the run's budget is used up",
    "model failed": "a model could not be reached",
}


@dataclass(frozen=True)
class Report:
    """What is known of a run at its end. `result` holds no secret any more.

    `tests_passed` and `qa_passed` are those of the last iteration, None where it did not get so
    far or the operator left the role out. `requester` is a login; `sandbox` says how well the code
    was locked in; `digest` is the SHA-256 of the task's text as the models read it.
    """

    place: Place
    result: Result
    requester: str
    tests_passed: bool | None
    qa_passed: bool | None
    sandbox: str = ""
    attempts: tuple[Attempt, ...] = ()
    stripped: tuple[Stripped, ...] = ()
    findings: Findings = field(default_factory=Findings)
    digest: str = ""

    @cached_property
    def evidence(self) -> Evidence | None:
        """What was seen, or None where no test ran."""
        known = self.result.evidence
        return Evidence.from_dict(known) if "kind" in known and "quote" in known else None

    @cached_property
    def files(self) -> tuple[FileDiff, ...]:
        """Every file that the change and its tests touch."""
        return parse(self.result.code_diff) + parse(self.result.tests_diff)


def proof(report: Report) -> str:
    """What kind of proof there is, and the sentence of the issue behind it."""
    evidence = report.evidence
    if evidence is None:
        return "No test was run."
    quote = f"\n> {inline(evidence.quote, 400)}" if evidence.quote else ""
    return f"Taken for a {_KINDS.get(evidence.kind, inline(evidence.kind))}.{quote}"


def iterations(report: Report) -> str:
    """One row for every pass of the loop."""
    rows = []
    for one in report.attempts:
        tests, review = ("✗", "") if one["gate"] == "testing" else ("✓", "✗")
        rows.append((str(one["iteration"]), tests, review, explain(one["reason"])))
    if report.result.ok:
        last = (_mark(passed=report.tests_passed), _mark(passed=report.qa_passed))
        rows.append((str(report.result.iterations), *last, ""))
    return table(("Iteration", "Tests", "Review", "Stopped by"), rows) if rows else ""


def explain(reason: str) -> str:
    """Why a run or an iteration ended, in words."""
    return _GATES.get(reason, inline(reason)) or "it broke off"


def _mark(*, passed: bool | None) -> str:
    return "not checked" if passed is None else "✓" if passed else "✗"


def runs(report: Report) -> str:
    """One row for every test run that the verdict rests on."""
    evidence = report.evidence
    if evidence is None or not evidence.runs:
        return ""
    rows = [
        (
            inline(run.name),
            code(run.command, 120),
            ", ".join(f"{number} {kind}" for kind, number in run.counts.items()) or "no tests",
            "none" if run.exit_code is None else str(run.exit_code),
            f"{run.seconds:.1f} s",
        )
        for run in evidence.runs
    ]
    shown = table(("Run", "Command", "Results", "Exit code", "Time"), rows)
    guarded = any(run.canary and not run.problem for run in evidence.runs)
    return f"{shown}\n\n{_PLANTED}" if guarded else shown


def unverified(report: Report) -> str:
    """What nobody should take for proven."""
    evidence = report.evidence
    said = [*(evidence.not_verified if evidence else ()), *report.result.warnings]
    if evidence and evidence.failing_before:
        failing = plural(len(evidence.failing_before), "test")
        said.append(f"{failing} failed before the change already")
    if evidence and evidence.unstable:
        said.append(
            f"{plural(len(evidence.unstable), 'test')} changed sides between two equal runs"
        )
    lines = [f"- {inline(one, 300)}" for one in dict.fromkeys(said)]
    return "\n".join(lines)


def changed(report: Report) -> str:
    """The files, with lines added and removed."""
    rows = [
        (code(file.path, 160), "binary" if file.binary else f"+{len(file.added)} -{file.removed}")
        for file in report.files[:_FILES]
    ]
    more = len(report.files) - _FILES
    text = table(("File", "Lines"), rows) if rows else ""
    return f"{text}\n\n… and {plural(more, 'more file')}" if more > 0 else text


def flags(report: Report) -> str:
    """New dependencies, and what a review could miss."""
    lines = []
    for one in report.findings.dependencies:
        added = ", ".join(code(line, 80) for line in one.added)
        lines.append(f"- 📦 {code(one.path)} changes" + (f": {added}" if added else ""))
    lines += [f"- ⚠️ {note}" for note in report.findings.notes]
    return "\n".join(lines)


def bill(report: Report) -> str:
    """Cost in one line, and by seat."""
    return "\n\n".join(part for part in (_cost(report), seats(report.result.usage)) if part)


def folded_bill(report: Report) -> str:
    """The same, with the seats behind the line."""
    by_seat = seats(report.result.usage)
    return details(_cost(report), by_seat) if by_seat else _cost(report)


def seats(usage: Mapping[str, Any]) -> str:
    """What each seat has used, as a table; "" where none has."""
    rows = [(inline(name), code(model), *rest) for name, model, *rest in words.rows(usage)]
    return table(words.HEADS, rows) if rows else ""


def seats_so_far(usage: Mapping[str, Any]) -> str:
    """The same table of a run that was cut short, folded."""
    shown = seats(usage)
    return details("By seat, up to the last step that was done", shown) if shown else ""


def _cost(report: Report) -> str:
    result = report.result
    tokens, usd = total(result)
    cost = words.paid(usd, result.lost_usd)
    return f"{cost} · {words.count(tokens)} tokens · {duration(result.seconds['total'])}"


def total(result: Result) -> tuple[int, float | None]:
    """Tokens and US dollars of the whole run, also of one that was cut off."""
    if result.cut_off is not None:
        return result.cut_off
    return result.tokens["input"] + result.tokens["output"], result.usd


def fitted(kind: Kind, place: Place, build: Build) -> Comment:
    """A comment whose long parts have been cut until the whole is within the budget."""
    return Comment(fit(build), marker(kind, place))
