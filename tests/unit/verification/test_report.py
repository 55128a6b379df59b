from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.sandbox.base import ExecResult
from pipeline.verification.report import TestResult, TestRun, clean, parse
from pipeline.verification.runner import Selection
from pipeline.verification.trust import Heard, problem


def line(key: Any, outcome: Any = "passed", when: Any = "call", **more: Any) -> Any:
    row = {"$report_type": "TestReport", "nodeid": key, "outcome": outcome, "when": when}
    return json.dumps({"duration": 0.25, "user_properties": [], **row, **more})


def finish(code: Any) -> Any:
    return json.dumps({"$report_type": "SessionFinish", "exitstatus": code})


def log(*lines: Any, canary: Any = "") -> Any:
    return parse("\n".join(lines).encode(), canary)


FACTS = [["acp_facts", {"python": "3.11.7", "foreign": [], "reached": []}]]
CANARY = line("tests/t.py::c4n4ry", "failed", user_properties=FACTS)


def ended(code: Any = 1, reason: Any = "exit", signal: Any = None) -> Any:
    return ExecResult(code, signal, reason, b"the end", 7, 2.0)


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        ([line("a", when="setup"), line("a"), line("a", when="teardown")], "passed"),
        ([line("a", "failed")], "failed"),
        ([line("a", "failed", "setup")], "error"),
        ([line("a"), line("a", "failed", "teardown")], "error"),
        ([line("a", "skipped", "setup", longrepr=["f", 1, "Skipped: no"])], "skipped"),
        ([line("a", "skipped", wasxfail="why")], "xfailed"),
        ([line("a", wasxfail="why")], "xpassed"),
        ([line("a", "failed", longrepr="[XPASS(strict)] why")], "failed"),
        ([line("a", "rerun"), line("a")], "passed"),
        ([line("a"), line("a", "failed")], "failed"),
    ],
)
def test_the_phases_of_a_test_make_one_outcome(rows: Any, outcome: Any) -> None:
    assert log(*rows, finish(0)).results["a"].outcome == outcome


def test_the_times_of_the_phases_add_up() -> None:
    rows = [line("a", when=when) for when in ("setup", "call", "teardown")]
    assert log(*rows).results["a"].seconds == pytest.approx(0.75)


def test_a_file_that_cannot_be_collected_is_an_error_under_its_name() -> None:
    text = "ImportError while importing test module\nE   ModuleNotFoundError: No module named 'x'"
    row = {"$report_type": "CollectReport", "nodeid": "t.py", "outcome": "failed", "longrepr": text}
    result = log(json.dumps(row)).results["t.py"]
    assert (result.outcome, result.exception) == ("error", "ModuleNotFoundError")


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe\x00",
        b"{",
        b"[]",
        b'{"$report_type": "TestReport"}',
        b"[" * 100_000,
        b'{"$report_type": "SessionFinish", "exitstatus": 1e999}',
        line("a", duration=float("nan")).encode(),
        line("a", user_properties=[["acp_facts", "told"]]).encode(),
        line("a", user_properties=[["acp_facts", {"reached": 5}]]).encode(),
        line("a", user_properties=[["acp_facts", {"ran": {"x": 5}}]]).encode(),
    ],
)
def test_a_damaged_report_is_said_to_be_damaged(data: Any) -> None:
    found = parse(data)
    assert found.damaged
    assert "damaged" in problem(Heard(ended(), data, found, ""))


def trusted(canary: Any = "c4n4ry") -> Any:
    return log(line("a"), CANARY, finish(1), canary=canary)


def test_the_canary_is_no_result() -> None:
    found = trusted()
    assert set(found.results) == {"a"}
    assert found.canary == "failed"
    assert problem(Heard(ended(), b"x", found, "c4n4ry")) == ""


@pytest.mark.parametrize(
    ("done", "data", "found", "said"),
    [
        (ended(None, "timeout"), b"x", trusted(), "did not end within 2 s"),
        (ended(None, "output"), b"x", trusted(), "more output than is allowed"),
        (ended(None, "killed", 9), b"x", trusted(), "killed (signal 9)"),
        (ended(None, "exit", 11), b"x", trusted(), "killed (signal 11)"),
        (ended(0), None, log(), "left no report (exit code 0)"),
        (ended(), b"x", log(line("a"), CANARY, canary="c4n4ry"), "did not finish"),
        (ended(0), b"x", trusted(), "the report says exit code 1, the process said 0"),
        (ended(0), b"x", log(line("a"), CANARY, finish(0), canary="c4n4ry"), "does not agree"),
        (ended(2), b"x", log(line("a"), CANARY, finish(2), canary="c4n4ry"), "does not agree"),
        (ended(), b"x", log(line("a"), finish(1), canary="c4n4ry"), "planted to fail did not run"),
        (
            ended(),
            b"x",
            log(line("a::c4n4ry"), finish(1), canary="c4n4ry"),
            "planted to fail is reported as passed",
        ),
        (
            ended(),
            b"x",
            log(line("a::c4n4ry", "failed"), finish(1), canary="c4n4ry"),
            "did not say what it measured",
        ),
    ],
)
def test_a_run_that_cannot_be_trusted_says_why(done: Any, data: Any, found: Any, said: Any) -> None:
    text = problem(Heard(done, data, found, "c4n4ry"))
    assert said in text
    assert text.endswith("the end")


def test_installed_copies_instead_of_the_tree_are_noticed() -> None:
    facts = [["acp_facts", {"python": "3.11.7", "foreign": ["calc"]}]]
    found = log(line("a::c", "failed", user_properties=facts), finish(1), canary="c")
    assert "not against the tree: calc" in problem(Heard(ended(), b"x", found, "c"))


def test_without_a_canary_the_exit_code_must_fit_the_results() -> None:
    green, red = log(line("a"), finish(0)), log(line("a", "failed"), finish(0))
    assert problem(Heard(ended(0), b"x", green, "")) == ""
    assert "does not agree" in problem(Heard(ended(0), b"x", red, ""))


def test_a_run_unpacks_as_exit_code_and_output() -> None:
    run = TestRun("pytest", 1, "exit", {"a": TestResult("a", "passed")}, "text", 0.1)
    code, output = run
    assert (code, output) == (1, "text")


def test_terminal_controls_are_removed() -> None:
    assert clean("\x1b[31mred\x1b[0m\x1b]0;\x07 \x00x\r\ny\tz") == "red0; x\ny\tz"


def test_a_selection_of_an_uncollectable_file_takes_the_whole_file() -> None:
    assert Selection.of_ids(["a.py::x", "b.py"]) == Selection(("a.py", "b.py"), ())
    assert Selection.of_ids(["a.py::x[1::2]"]) == Selection(("a.py",), ("a.py::x[1::2]",))


@pytest.mark.parametrize("reason", ["memory", "processes", "disk"])
def test_tests_that_took_too_much_are_stopped_with_the_reason(reason: Any) -> None:
    said = problem(Heard(ended(None, reason, 9), None, log(), ""))
    assert said.startswith("the tests were stopped: it ")
    assert reason in said
