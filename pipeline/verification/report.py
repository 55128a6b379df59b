"""Reads the per-test report of a pytest run (pytest-reportlog's JSON lines) into typed results."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import Any, Literal, cast

Outcome = Literal["passed", "failed", "error", "skipped", "xfailed", "xpassed"]
_RANK: Mapping[Outcome, int] = {
    "error": 5,
    "failed": 4,
    "skipped": 3,
    "xfailed": 2,
    "xpassed": 1,
    "passed": 0,
}
_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[@-_]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_RAISED = re.compile(r"^E\s+(?:[\w.]*\.)?([A-Z]\w*)(?::|$)", re.MULTILINE)
# Whoever ran in the session may have written the report.
DAMAGED = (
    *(ValueError, KeyError, TypeError, AttributeError, IndexError),
    *(ArithmeticError, RecursionError),
)
_MESSAGE_CHARS = 2000
_FRAMES = 8
_LINES = 12


@dataclass(frozen=True, slots=True)
class Frame:
    """One step of a traceback: where, and the lines that pytest shows of it (source, then "E")."""

    path: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class TestResult:
    """How one test, or the collection of one file, ended.

    `assertion`: it failed in its call phase by AssertionError or pytest's own `fail`.
    `exception` is the name of the class that was raised, "" where none is known.
    """

    __test__ = False  # pytest must not collect it

    id: str
    outcome: Outcome
    message: str = ""
    frames: tuple[Frame, ...] = ()
    assertion: bool = False
    exception: str = ""
    seconds: float = 0.0

    @property
    def red(self) -> bool:
        """Failed or could not run."""
        return self.outcome in {"failed", "error"}

    def traceback(self, hidden: Iterable[str] = ()) -> str:
        """The traceback, short; of files in `hidden` the place and what went wrong, no source."""
        closed = frozenset(hidden)
        parts = []
        for frame in self.frames:
            lines = frame.text.splitlines()
            shown = (
                [line for line in lines if line.startswith("E")] if frame.path in closed else lines
            )
            parts.append("\n".join([f"{frame.path}:{frame.line}", *shown[:_LINES]]))
        return "\n".join(parts) or self.message


@dataclass(frozen=True, slots=True)
class TestRun:
    """One run of pytest, by test id. With a non-empty `problem` nothing in it can be trusted.

    `exit_code` is None unless pytest exited by itself. `canary` is the test that had to fail (it is
    not among `results`). `command` is what a person types to see the same. `reached` are the ids
    that ran the lines asked for, `ran` the lines (by path) that the tests asked for ran, and
    `unreached` what the time limit left out. Unpacks as `exit_code, output = run`.
    """

    __test__ = False  # pytest must not collect it

    command: str
    exit_code: int | None
    reason: str
    results: Mapping[str, TestResult]
    output: str
    seconds: float
    problem: str = ""
    canary: str = ""
    python: str = ""
    reached: frozenset[str] = field(default_factory=frozenset)
    ran: Mapping[str, Sequence[int]] = field(default_factory=dict)
    unreached: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Any]:
        yield self.exit_code
        yield self.output

    @property
    def counts(self) -> dict[str, int]:
        """Number of results by outcome, without zeros."""
        outcomes = [result.outcome for result in self.results.values()]
        return {kind: outcomes.count(kind) for kind in _RANK if kind in outcomes}

    def to_json(self) -> dict[str, Any]:
        """Plain JSON that `from_json` reads back to an equal run."""
        raw = asdict(self)
        return {
            **raw,
            "results": [asdict(result) for result in self.results.values()],
            "reached": sorted(self.reached),
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> TestRun:
        """The run again."""
        results = [
            TestResult(**{**one, "frames": tuple(Frame(**frame) for frame in one["frames"])})
            for one in raw["results"]
        ]
        by_id = {result.id: result for result in results}
        return cls(
            **{
                **raw,
                "results": by_id,
                "reached": frozenset(raw["reached"]),
                "unreached": tuple(raw["unreached"]),
            }
        )

    def red(self) -> tuple[TestResult, ...]:
        """What failed or could not run, sorted by id."""
        return tuple(self.results[key] for key in sorted(self.results) if self.results[key].red)

    def passed(self, key: str) -> bool:
        """Whether that id ran and passed."""
        return key in self.results and self.results[key].outcome in {"passed", "xpassed"}


@dataclass(frozen=True, slots=True)
class Log:
    """A parsed report: results without the canary, the session's exit code, what was measured.

    With `red_codes` the runner's process ends where a test failed.
    """

    results: Mapping[str, TestResult]
    finished: int | None
    canary: Outcome | None
    facts: Mapping[str, Any]
    damaged: str = ""
    red_codes: tuple[int, ...] = (1,)


def clean(text: str) -> str:
    """Text without terminal controls."""
    return _ANSI.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: object) -> str:
    """An id as a report may show it: a name that holds line breaks must not write lines of its."""
    return " ".join(clean(str(text)).split("\n"))


def parse(data: bytes, canary: str = "") -> Log:
    """Read JSON lines. Never raises: a line that cannot be read makes the log `damaged`."""
    results: dict[str, TestResult] = {}
    finished: int | None = None
    facts: Mapping[str, Any] = {}
    damaged = ""
    for number, line in enumerate(data.splitlines(), 1):
        try:
            record = json.loads(line)
            kind = record.get("$report_type")
            if kind == "SessionFinish":
                finished = int(record["exitstatus"])
            elif kind == "CollectReport":
                merge(results, _collected(record))
            elif kind in {"TestReport", "SubTestReport", "SubtestReport"}:
                facts = _facts(_properties(record).get("acp_facts")) or facts
                merge(results, _tested(record))
        except DAMAGED as error:
            damaged = damaged or f"line {number}: {type(error).__name__}"
    last = next((key for key in results if canary and key.rpartition("::")[2] == canary), "")
    guard = results.pop(last).outcome if last else None
    return Log(results, finished, guard, facts, damaged)


def merge(results: dict[str, TestResult], new: TestResult | None) -> None:
    """Keep the worst outcome of an id's phases, and the sum of their times."""
    if new is None:
        return
    old = results.get(new.id)
    if old is None:
        results[new.id] = new
        return
    worst = new if _RANK[new.outcome] > _RANK[old.outcome] else old
    results[new.id] = TestResult(
        worst.id,
        worst.outcome,
        worst.message,
        worst.frames,
        worst.assertion,
        worst.exception,
        old.seconds + new.seconds,
    )


def _properties(record: Mapping[str, Any]) -> dict[str, Any]:
    return {str(pair[0]): pair[1] for pair in record.get("user_properties") or ()}


def _facts(told: object) -> Mapping[str, Any]:
    if told is None:
        return {}
    facts: dict[str, Any] = dict(cast("Mapping[str, Any]", told))
    lists = [facts.get(name) or [] for name in ("foreign", "reached", "unreached")]
    if not all(isinstance(one, list) for one in [*lists, *(facts.get("ran") or {}).values()]):
        raise TypeError("facts")
    return facts


def _collected(record: Mapping[str, Any]) -> TestResult | None:
    """A result only where collecting did not work: the tests themselves report later."""
    if record["outcome"] == "passed":
        return None
    outcome: Outcome = "error" if record["outcome"] == "failed" else "skipped"
    message, frames = _failure(record.get("longrepr"))
    raised = _RAISED.findall(message) or _RAISED.findall("\n".join(f.text for f in frames))
    name = raised[-1] if raised else ""
    return TestResult(one_line(record["nodeid"] or "."), outcome, message, frames, exception=name)


def _tested(record: Mapping[str, Any]) -> TestResult | None:
    outcome = _outcome(record)
    if outcome is None:
        return None
    known = _properties(record)
    message, frames = _failure(record.get("longrepr")) if outcome != "passed" else ("", ())
    return TestResult(
        id=one_line(record["nodeid"]),
        outcome=outcome,
        message=message,
        frames=frames,
        assertion=outcome == "failed" and known.get("acp_assertion") is True,
        exception=str(known.get("acp_exception", "")),
        seconds=finite(record.get("duration") or 0.0),
    )


def finite(number: object) -> float:
    """A number of seconds. Raises ValueError or TypeError for what is none."""
    found = float(cast("float", number))
    if not isfinite(found):
        raise ValueError("no number")
    return found


def _outcome(record: Mapping[str, Any]) -> Outcome | None:
    """The id's outcome as far as this phase tells; None for a try that will be repeated."""
    said, when = record["outcome"], record.get("when", "call")
    if said not in {"passed", "failed", "skipped"}:
        return None
    if "wasxfail" in record and said != "failed":
        return "xpassed" if said == "passed" else "xfailed"
    if said == "failed":
        return "failed" if when == "call" else "error"
    return cast("Outcome", said)


def _failure(longrepr: object) -> tuple[str, tuple[Frame, ...]]:
    """Message and frames from whatever shape pytest gave the failure."""
    if isinstance(longrepr, list | tuple):
        return clean(str(longrepr[-1]))[:_MESSAGE_CHARS], ()
    if not isinstance(longrepr, Mapping):
        return clean(str(longrepr or ""))[-_MESSAGE_CHARS:], ()
    crash = longrepr.get("reprcrash") or {}
    entries = (longrepr.get("reprtraceback") or {}).get("reprentries") or ()
    frames = tuple(_frame(entry["data"]) for entry in entries if entry.get("data"))
    message = clean(str(crash.get("message", "") or longrepr.get("longrepr", "")))
    return message[:_MESSAGE_CHARS], frames[-_FRAMES:]


def _frame(data: Mapping[str, Any]) -> Frame:
    place = data.get("reprfileloc") or {}
    text = clean("\n".join(data.get("lines") or ()))[:_MESSAGE_CHARS]
    return Frame(str(place.get("path", "?")), int(place.get("lineno") or 0), text)
