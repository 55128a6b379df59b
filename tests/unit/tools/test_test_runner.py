from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import WorkspaceError
from pipeline.tools.test_runner import run_pytest

if TYPE_CHECKING:
    from pathlib import Path

TESTS = (
    "def test_good():\n    pass\n\n\ndef test_bad():\n    assert 1 == 2\n\n\n"
    "def test_ugly():\n    raise KeyError('x')\n"
)


def test_the_result_unpacks_as_exit_code_and_output(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_it():\n    pass\n")
    code, output = run_pytest(tmp_path)
    assert code == 0
    assert "1 passed" in output


def test_each_test_has_its_own_result(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    run = run_pytest(str(tmp_path))
    assert run.exit_code == 1
    assert run.problem == ""
    assert run.counts == {"failed": 2, "passed": 1}
    bad, ugly = run.results["test_it.py::test_bad"], run.results["test_it.py::test_ugly"]
    assert (bad.assertion, bad.exception, bad.message) == (True, "AssertionError", "assert 1 == 2")
    assert (ugly.assertion, ugly.exception) == (False, "KeyError")
    assert "test_it.py:6" in bad.traceback()


def test_arguments_are_pytests(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    assert run_pytest(tmp_path, ["-k", "good"]).counts == {"passed": 1}


def test_no_tests_is_exit_code_5_and_no_problem(tmp_path: Path) -> None:
    run = run_pytest(tmp_path)
    assert (run.exit_code, run.problem, run.results) == (5, "", {})


def test_a_usage_error_is_a_problem(tmp_path: Path) -> None:
    run = run_pytest(tmp_path, ["--no-such-option"])
    assert run.exit_code == 4
    assert "no report" in run.problem


def test_a_test_that_hangs_is_stopped(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("import time\n\n\ndef test_it():\n    time.sleep(600)\n")
    code, _ = run = run_pytest(tmp_path, timeout_s=5)
    assert code is None
    assert "did not end within" in run.problem


def test_an_interpreter_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("import openai\n\n\ndef test_it():\n    assert openai\n")
    assert run_pytest(tmp_path).counts == {"error": 1}
    assert run_pytest(tmp_path, python=sys.executable).counts == {"passed": 1}


async def test_it_works_inside_a_running_event_loop(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_it():\n    pass\n")
    assert run_pytest(tmp_path).exit_code == 0


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="nowhere"):
        run_pytest(tmp_path / "nowhere")
