"""Everything that was seen about one patch, as one value that travels as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.verification.report import TestResult, TestRun, clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_FAILURES = 25
_IDS = 100
_TEXT = 3000
_OUTPUT = 60_000
EMPTIED = "reproduction on emptied bodies"
MUTATED = "new tests on a mutated base"
CONTROL = "the proof with wrong expectations"
# Runs of code that was made wrong on purpose: it may do anything.
PROBING = frozenset({EMPTIED, MUTATED})
_FAILED = ("red", "still_red", "regressions", "own_red")
_NAMED = (
    "changed",
    "reproduction",
    "vanished",
    "unstable",
    "failing_before",
    "covering",
    "new_tests",
    "noticed",
    "mutants",
    "altered",
    "unreached",
    "dropped",
    "blind",
    "peeks",
)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One test run: what for, on which tree (git id), and how it went. `seconds` is wall time."""

    name: str
    tree: str
    command: str
    exit_code: int | None
    seconds: float
    counts: Mapping[str, int]
    problem: str = ""
    canary: str = ""

    @classmethod
    def of(cls, name: str, tree: str, run: TestRun) -> RunRecord:
        """The record of `run`."""
        return cls(
            name,
            tree,
            run.command,
            run.exit_code,
            round(run.seconds, 3),
            run.counts,
            run.problem,
            run.canary,
        )


@dataclass(frozen=True, slots=True)
class Failure:
    """A test that did not pass. `outline` is the traceback without lines of the tester's file."""

    id: str
    outcome: str
    message: str
    traceback: str
    outline: str

    @classmethod
    def of(cls, result: TestResult, hidden: Iterable[str] = ()) -> Failure:
        """From a result; `hidden` are the tester's paths."""
        return cls(
            result.id,
            result.outcome,
            result.message[:_TEXT],
            result.traceback()[:_TEXT],
            result.traceback(hidden)[:_TEXT],
        )


@dataclass(frozen=True, slots=True)
class Expected:
    """A test whose expectation the patch changes, and the words of the task that ask for it.

    `problem` says why that does not hold, or is ""; `gone`: the patch removes the test.
    """

    id: str
    quote: str
    problem: str = ""
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the gate decides from; nothing else decides.

    kind, quote     the claim; `misfit` says why it or the change does not hold, or is ""
    reproduction    ids of the authored tests; `red`: how they failed on the base; `complaint`: why
                    that run is no proof, or ""; `still_red`: those that do not pass with the patch;
                    `hollow`: why they would not notice empty bodies, or ""
    regressions     passed on the base and again in a paired rerun, fail with the patch
    vanished        passed on the base, are gone or skipped with the patch
    unstable        ids that changed sides between two runs of the same tree: held against nobody
    failing_before  ids that fail on the base; `covering`: baseline ids that run the changed lines
                    and pass with the patch (only measured for a refactoring)
    new_tests       of a tests-only patch; `noticed`: those that fail on wrong code; `mutants`: it
    altered         existing tests that the patch weakens, skips or deletes; `own_red`: its own new
                    ones that fail; `expected`: tests whose expectation the task changes
    unreached       ids that the time limit left out
    dropped         authored tests that a reviewer found to contradict the task
    blind           ids of the proof that pass with wrong expectations too; `peeks`: where the
                    change makes the product ask whether it is being tested
    """

    kind: str
    quote: str
    environment: str = ""
    base_tree: str = ""
    verdict_tree: str = ""
    changed: tuple[str, ...] = ()
    misfit: str = ""
    runs: tuple[RunRecord, ...] = ()
    reproduction: tuple[str, ...] = ()
    red: tuple[Failure, ...] = ()
    complaint: str = ""
    still_red: tuple[Failure, ...] = ()
    regressions: tuple[Failure, ...] = ()
    vanished: tuple[str, ...] = ()
    unstable: tuple[str, ...] = ()
    failing_before: tuple[str, ...] = ()
    covering: tuple[str, ...] = ()
    hollow: str = ""
    new_tests: tuple[str, ...] = ()
    noticed: tuple[str, ...] = ()
    mutants: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()
    own_red: tuple[Failure, ...] = ()
    expected: tuple[Expected, ...] = ()
    unreached: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    blind: tuple[str, ...] = ()
    peeks: tuple[str, ...] = ()
    not_verified: tuple[str, ...] = ()
    output: str = field(default="", repr=False)
    overhead_s: float = 0.0

    @property
    def untrusted(self) -> RunRecord | None:
        """The first run that cannot be trusted, of those that a verdict rests on."""
        return next((run for run in self.runs if run.problem and run.name not in PROBING), None)

    def run(self, name: str) -> RunRecord | None:
        """The last run of that name."""
        return next((run for run in reversed(self.runs) if run.name == name), None)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready and bounded: 25 failures of a sort, 100 ids, 60,000 characters of output.

        `expected` is whole, as the reviewer has to confirm each of them.
        """
        data = asdict(self)
        for key, value in data.items():
            if isinstance(value, tuple):
                data[key] = list(value)
        for key in _FAILED:
            data[key] = data[key][:_FAILURES]
        for key in _NAMED:
            data[key] = data[key][:_IDS]
        data["output"] = shorten(self.output, _OUTPUT)
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Evidence:
        """Back from `to_dict`; unknown keys are ignored, KeyError without kind or quote."""
        known: dict[str, Any] = {"kind": data["kind"], "quote": data["quote"]}
        for key in cls.__dataclass_fields__:
            if key in data:
                value = data[key]
                known[key] = tuple(value) if isinstance(value, list | tuple) else value
        known["runs"] = tuple(RunRecord(**run) for run in data.get("runs", ()))
        for key in _FAILED:
            known[key] = tuple(Failure(**one) for one in data.get(key, ()))
        known["expected"] = tuple(Expected(**one) for one in data.get("expected", ()))
        return cls(**known)

    def render(self) -> str:
        """A report for people: plain text, bounded, without terminal controls."""
        from pipeline.verification.render import render

        return render(self)


def shorten(text: str, limit: int) -> str:
    """Head and tail of a text of more than `limit` characters, the tail being the longer part."""
    text = clean(text)
    if len(text) <= limit:
        return text
    head, tail = limit // 4, limit - limit // 4
    return f"{text[:head]}\n... {len(text) - limit} characters left out ...\n{text[-tail:]}"
