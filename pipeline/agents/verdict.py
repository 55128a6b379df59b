"""The reviewer's verdict: its schema, and the one rule by which it passes.

Only what cites a file and line of the changed tree can block, and what cannot be read is a FAIL.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

_PLACE = {
    "file": {"type": "string"},
    "line": {"type": "integer"},
}
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "criteria": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "criterion": {"type": "string"},
                    "verdict": {"type": "string", "enum": ["PASS", "FAIL"]},
                    "why": {"type": "string"},
                    **_PLACE,
                },
                "required": ["criterion", "verdict", "why", "file", "line"],
                "additionalProperties": False,
            },
        },
        "findings": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "severity": {"type": "string", "enum": ["blocking", "advice"]},
                    "message": {"type": "string"},
                    **_PLACE,
                },
                "required": ["severity", "message", "file", "line"],
                "additionalProperties": False,
            },
        },
        "expectations": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "test": {"type": "string"},
                    "verdict": {"type": "string", "enum": ["PASS", "FAIL"]},
                    "why": {"type": "string"},
                },
                "required": ["test", "verdict", "why"],
                "additionalProperties": False,
            },
        },
        "verdict": {"type": "string", "enum": ["PASS", "FAIL"]},
    },
    "required": ["criteria", "findings", "expectations", "verdict"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Point:
    """One criterion or finding; `blocks` if it speaks against the change. Line 0 cites nothing."""

    label: str
    message: str
    file: str
    line: int
    blocks: bool

    def render(self) -> str:
        """One line for people."""
        place = f" ({self.file}:{self.line})" if self.file and self.line else ""
        return f"- {self.label}: {self.message}{place}"


@dataclass(frozen=True, slots=True)
class ReviewVerdict:
    """A verdict in valid form. `problem` says why it is not one; such a verdict never passes."""

    said: Literal["PASS", "FAIL"]
    points: tuple[Point, ...]
    problem: str = ""

    @property
    def passed(self) -> bool:
        """Valid, said PASS, and nothing blocks."""
        return not self.problem and self.said == "PASS"

    def render(self) -> str:
        """The readable form that becomes `qa_output`."""
        head = f"{'PASS' if self.passed else 'FAIL'}"
        if self.problem:
            head += f": {self.problem}"
        return "\n".join([head, *(point.render() for point in self.points)])


def read_verdict(
    text: str, line_counts: Mapping[str, int], expected: Sequence[str] = ()
) -> ReviewVerdict:
    """Read a reviewer's answer. `line_counts` gives the lines of each file that may be cited.

    `expected` are tests whose changed expectation must be confirmed one by one.
    Never raises: whatever is not a valid verdict has a `problem`.
    """
    try:
        raw = json.loads(text)
        criteria = [_criterion(item) for item in raw["criteria"]]
        findings = [_finding(item) for item in raw["findings"]]
        asked = [_expectation(item) for item in raw.get("expectations", ())]
        said = raw["verdict"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return ReviewVerdict("FAIL", (), f"the reviewer's verdict could not be read: {error!r}")
    if said not in ("PASS", "FAIL"):
        return ReviewVerdict(
            "FAIL", (), f"the reviewer's verdict is neither PASS nor FAIL: {said!r}"
        )
    points = (*criteria, *findings, *asked)
    confirmed = {point.file for point in asked if not point.blocks}
    problem = _contradiction(said, points, line_counts)
    missing = [name for name in expected if name not in confirmed]
    if said == "PASS" and missing and not problem:
        problem = f"the reviewer did not confirm the changed expectation of {missing[0]}"
    return ReviewVerdict(said, points, problem)


def _criterion(item: Mapping[str, Any]) -> Point:
    verdict = item["verdict"]
    if verdict not in ("PASS", "FAIL"):
        raise ValueError(f"criterion is {verdict!r}")
    message = f"{item['criterion']} - {item['why']}" if item["why"] else str(item["criterion"])
    return Point(verdict, message, str(item["file"]), int(item["line"]), verdict == "FAIL")


def _expectation(item: Mapping[str, Any]) -> Point:
    verdict = item["verdict"]
    if verdict not in ("PASS", "FAIL"):
        raise ValueError(f"expectation is {verdict!r}")
    name = str(item["test"])
    return Point("expectation", f"{name}: {item['why']}", name, 0, verdict == "FAIL")


def _finding(item: Mapping[str, Any]) -> Point:
    severity = item["severity"]
    if severity not in ("blocking", "advice"):
        raise ValueError(f"severity is {severity!r}")
    return Point(
        severity, str(item["message"]), str(item["file"]), int(item["line"]), severity == "blocking"
    )


def _contradiction(said: str, points: tuple[Point, ...], line_counts: Mapping[str, int]) -> str:
    blocking = [point for point in points if point.blocks]
    if said == "PASS" and blocking:
        return "the reviewer said PASS beside a defect that blocks"
    if said == "PASS" and not any(point.label == "PASS" for point in points):
        return "the reviewer said PASS without judging a single criterion"
    if said == "FAIL" and not any(_is_cited(point, line_counts) for point in blocking):
        return "the reviewer said FAIL without citing a file and line of the change"
    return ""


def _is_cited(point: Point, line_counts: Mapping[str, int]) -> bool:
    named = point.label == "expectation"
    return named or 1 <= point.line <= line_counts.get(point.file, 0)
