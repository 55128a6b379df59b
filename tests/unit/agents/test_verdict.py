"""The reviewer's verdict passes in one way and fails in all others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.agents.verdict import read_verdict

LINES = {"a.py": 10}
GOOD: dict[str, Any] = {
    "criteria": [{"criterion": "c", "verdict": "PASS", "why": "", "file": "", "line": 0}],
    "findings": [],
    "verdict": "PASS",
}
DEFECT = {"severity": "blocking", "message": "off by one", "file": "a.py", "line": 3}


def said(**changes: Any) -> str:
    return json.dumps({**GOOD, **changes})


def test_a_valid_pass_passes() -> None:
    verdict = read_verdict(said(), LINES)
    assert verdict.passed
    assert verdict.render() == "PASS\n- PASS: c"


def test_advice_does_not_block() -> None:
    advice = {**DEFECT, "severity": "advice"}
    assert read_verdict(said(findings=[advice]), LINES).passed


def test_a_fail_with_a_cited_defect_is_a_valid_fail() -> None:
    verdict = read_verdict(said(findings=[DEFECT], verdict="FAIL"), LINES)
    assert not verdict.passed
    assert verdict.problem == ""
    assert "- blocking: off by one (a.py:3)" in verdict.render()


def test_a_failed_criterion_cited_is_a_valid_fail() -> None:
    criterion = {"criterion": "c", "verdict": "FAIL", "why": "w", "file": "a.py", "line": 10}
    verdict = read_verdict(said(criteria=[criterion], verdict="FAIL"), LINES)
    assert not verdict.passed
    assert verdict.problem == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PASS",
        "This does not pass; it was bypassed.",
        "[]",
        "null",
        "{}",
        said(verdict="pass"),
        said(verdict="MAYBE"),
        said(criteria="all fine"),
        said(criteria=[{"criterion": "c"}]),
        said(criteria=[{**GOOD["criteria"][0], "verdict": "OK"}]),
        said(criteria=[{**GOOD["criteria"][0], "line": "x"}]),
        said(findings=[{**DEFECT, "severity": "fatal"}]),
        said()[:-5],
    ],
)
def test_what_cannot_be_read_never_passes(text: str) -> None:
    verdict = read_verdict(text, LINES)
    assert not verdict.passed
    assert verdict.problem


def test_pass_beside_a_blocking_defect_is_not_a_verdict() -> None:
    verdict = read_verdict(said(findings=[DEFECT]), LINES)
    assert not verdict.passed
    assert "beside a defect" in verdict.problem


def test_pass_without_a_single_criterion_is_not_a_verdict() -> None:
    assert not read_verdict(said(criteria=[]), LINES).passed


@pytest.mark.parametrize("place", [("a.py", 0), ("a.py", 11), ("b.py", 1), ("", 0), ("a.py", -1)])
def test_fail_must_cite_a_line_that_exists(place: tuple[str, int]) -> None:
    uncited = {**DEFECT, "file": place[0], "line": place[1]}
    verdict = read_verdict(said(findings=[uncited], verdict="FAIL"), LINES)
    assert "without citing" in verdict.problem
    assert not verdict.passed
