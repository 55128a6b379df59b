from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipeline.verification.decide import BASELINE, REPRODUCTION, RULES, SUITE, decide
from pipeline.verification.evidence import MUTATED, Evidence, Expected, Failure, RunRecord


def record(name: Any, problem: Any = "") -> Any:
    return RunRecord(name, "t" * 40, "python -m pytest", 1, 0.5, {"passed": 3}, problem, "test_x")


def failure(key: Any) -> Any:
    return Failure(key, "failed", "assert 1 == 2", "t.py:3\n    secret line\nE   assert", "t.py:3")


BUG = Evidence(
    kind="bug",
    quote="it is wrong",
    changed=("calc.py",),
    runs=(record(BASELINE), record(SUITE), record(REPRODUCTION)),
    reproduction=("t.py::test",),
    red=(failure("t.py::test"),),
)
SOCKET = replace(BUG.red[0], message="OSError: [Errno 97] Address family not supported by protocol")
NODE = replace(SOCKET, message="Error: listen EAFNOSUPPORT: address family not supported")
FEATURE = replace(BUG, kind="feature")
REFACTORING = replace(BUG, kind="refactoring", reproduction=(), red=(), covering=("a::b",))
DOCS = replace(BUG, kind="docs", reproduction=(), red=())
TESTS = replace(DOCS, kind="tests", new_tests=("t.py::n",), noticed=("t.py::n",))
ASKED = Expected("t.py::old", "it is 3")
BROKEN = (record(BASELINE), record(SUITE, "the tests left no report"))

# rule that objects, evidence, reason
TABLE = {
    "bug, proven": ("", BUG, ""),
    "feature, proven": ("", FEATURE, ""),
    "refactoring, covered": ("", REFACTORING, ""),
    "docs": ("", DOCS, ""),
    "failed before, too": ("", replace(BUG, failing_before=("a::c",)), ""),
    "unstable": ("", replace(BUG, unstable=("a::c",)), ""),
    "untrusted suite": ("untrusted_run", replace(BUG, runs=BROKEN), "not verified"),
    "untrusted rerun": (
        "untrusted_run",
        replace(BUG, runs=(*BUG.runs, record("rerun, base", "a planted test did not run"))),
        "not verified",
    ),
    "docs, untrusted": ("untrusted_run", replace(DOCS, runs=BROKEN), "not verified"),
    "nothing was run": ("no_run", replace(BUG, runs=()), "not verified"),
    "no baseline": ("no_run", replace(BUG, runs=BUG.runs[1:]), "not verified"),
    "no suite": ("no_run", replace(BUG, runs=BUG.runs[:1]), "not verified"),
    "still red": ("still_red", replace(BUG, still_red=BUG.red), "tests failed"),
    "regression": ("regression", replace(BUG, regressions=BUG.red), "tests failed"),
    "docs, regression": ("regression", replace(DOCS, regressions=BUG.red), "tests failed"),
    "red for want of a socket": ("walled", replace(BUG, still_red=(SOCKET,)), "not verified"),
    "broken for want of a socket": ("walled", replace(BUG, regressions=(NODE,)), "not verified"),
    "own tests want a socket": ("walled", replace(BUG, own_red=(SOCKET, NODE)), "not verified"),
    "vanished": ("vanished", replace(BUG, vanished=("a::b",)), "tests failed"),
    "the proof passes anything": ("blind", replace(BUG, blind=("t.py::test",)), "not verified"),
    "it asks for its tests": ("peeks", replace(BUG, peeks=("calc.py:3: pytest",)), "unproven"),
    "misfit": ("misfit", replace(BUG, misfit="said to be a bug"), "unproven"),
    "docs that change code": ("misfit", replace(DOCS, misfit="it changes calc.py"), "unproven"),
    "a test is weakened": ("altered", replace(BUG, altered=("t.py::old",)), "tests failed"),
    "an expectation that holds": ("", replace(BUG, expected=(ASKED,)), ""),
    "an expectation that does not hold": (
        "altered",
        replace(BUG, expected=(replace(ASKED, problem="the task does not say so"),)),
        "tests failed",
    ),
    "a new test of its own fails": ("own_red", replace(BUG, own_red=BUG.red), "tests failed"),
    "time was over": ("unreached", replace(BUG, unreached=("a::z",)), "not verified"),
    "tests, noticed": ("", TESTS, ""),
    "tests, noticed, beside a mutant that broke the run": (
        "",
        replace(TESTS, runs=(*TESTS.runs, record(MUTATED, "it did not end"))),
        "",
    ),
    "tests, not noticed": ("unnoticed", replace(TESTS, noticed=()), "unproven"),
    "tests, none new": ("unnoticed", replace(TESTS, noticed=(), new_tests=()), "unproven"),
    "feature, hollow": ("hollow", replace(FEATURE, hollow="it passes emptied"), "unproven"),
    "not red on the base": ("no_reproduction", replace(BUG, red=()), "unproven"),
    "no authored test": ("no_reproduction", replace(BUG, reproduction=()), "unproven"),
    "red for a wrong reason": (
        "no_reproduction",
        replace(BUG, complaint="it must fail by an assertion"),
        "unproven",
    ),
    "a dropped test without another": (
        "no_reproduction",
        replace(REFACTORING, dropped=("t.py::old",)),
        "unproven",
    ),
    "a dropped test and another proof": ("", replace(BUG, dropped=("t.py::old",)), ""),
    "feature without a test": ("no_reproduction", replace(FEATURE, reproduction=()), "unproven"),
    "refactoring, not covered": ("not_covered", replace(REFACTORING, covering=()), "unproven"),
}


@pytest.mark.parametrize(("rule", "evidence", "reason"), TABLE.values(), ids=TABLE)
def test_each_case_has_its_end(rule: Any, evidence: Any, reason: Any) -> None:
    verdict = decide(evidence)
    assert (verdict.passed, verdict.reason) == (rule == "", reason)
    assert bool(verdict.feedback) is bool(rule)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_each_rule_switched_off_changes_a_row(rule: Any) -> None:
    others = tuple(one for one in RULES if one is not rule)
    rows = [row for row in TABLE.values() if row[0] == rule.__name__]
    assert rows
    assert all(decide(evidence, others).passed for _, evidence, _ in rows)


@pytest.mark.parametrize(("rule", "evidence", "reason"), TABLE.values(), ids=TABLE)
def test_a_verdict_survives_the_journey_as_json(rule: Any, evidence: Any, reason: Any) -> None:
    assert decide(Evidence.from_dict(evidence.to_dict())) == decide(evidence)


def test_feedback_names_command_exit_code_and_failure_but_hides_the_testers_lines() -> None:
    verdict = decide(replace(BUG, still_red=BUG.red))
    assert "python -m pytest (exit code 1" in verdict.feedback
    assert "t.py::test (failed)" in verdict.feedback
    assert "assert 1 == 2" in verdict.feedback
    assert "secret line" not in verdict.feedback


def test_feedback_on_regressions_shows_their_source() -> None:
    assert "secret line" in decide(replace(BUG, regressions=BUG.red)).feedback


def test_long_lists_are_counted_instead_of_shown() -> None:
    many = tuple(failure(f"t.py::test_{n}") for n in range(60))
    feedback = decide(replace(BUG, regressions=many)).feedback
    assert "... and 55 more" in feedback
    assert len(feedback) < 3000
    assert len(replace(BUG, regressions=many).to_dict()["regressions"]) == 25


def test_every_changed_expectation_reaches_the_reviewer() -> None:
    expected = tuple(Expected(f"t.py::test_{n}", "the task") for n in range(150))
    assert len(replace(BUG, expected=expected).to_dict()["expected"]) == 150


def test_what_fails_by_itself_is_the_patchs_fault_whatever_else_wants_a_socket() -> None:
    verdict = decide(replace(BUG, own_red=(SOCKET, failure("t.py::other"))))
    assert verdict.reason == "tests failed"
    assert "1 test(s) of your own change" in verdict.feedback
