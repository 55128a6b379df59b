"""The command with which anyone checks the proof, whatever language it is in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bot.domain.messages import pull_request
from bot.domain.messages.pull_request import Commits
from bot.domain.messages.report import Report
from bot.domain.result import Result
from bot.domain.task import Task

NODE = {"runs": [{"name": "reproduction", "command": "node --test test/acp.test.js"}]}
PLAIN = "python -m pytest tests/test_acp.py"


@pytest.mark.parametrize(
    ("paths", "evidence", "command"),
    [
        (("tests/test_acp.py",), {"runs": [{"name": "reproduction", "command": "x -q"}]}, PLAIN),
        (("tests/test_acp.py",), {}, PLAIN),
        (("test/acp.test.js",), NODE, "node --test test/acp.test.js"),
        ((), {}, ""),
    ],
)
def test_the_testers_test_is_run_by(
    paths: tuple[str, ...], evidence: dict[str, Any], command: str
) -> None:
    result = Result(Task("x"), "completed", test_paths=paths, evidence=evidence)
    assert result.test_command == command


def test_the_pull_request_names_the_runner(a_report: Callable[..., Report]) -> None:
    report = a_report(test_paths=("test/acp.test.js",), evidence=NODE)
    commits = Commits("acp/issue-7-totals", code="c" * 40, test="d" * 40)
    text = pull_request.body(report, commits).text
    assert f"git checkout {'d' * 40} && node --test test/acp.test.js  # fails" in text
