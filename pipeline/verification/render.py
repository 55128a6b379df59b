"""Writes evidence as a readable report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.verification.evidence import CONTROL, EMPTIED, PROBING
from pipeline.verification.report import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pipeline.verification.evidence import Evidence, Expected, Failure, RunRecord

_FAILURES = 10
_SHOWN = 5
_IDS = 20
_LINES = 15
_CHARS = 20_000
_KINDS = {
    "bug": "bug (a test that fails on the base must pass with the change)",
    "feature": "feature (a test that cannot pass on the base must pass with the change)",
    "refactoring": "refactoring (tests that run the changed lines exist and still pass)",
    "tests": "tests alone (they pass, and fail when the code that they run is made wrong)",
    "docs": "documentation or configuration (no behaviour to prove)",
}


def render(evidence: Evidence) -> str:
    """Plain text of at most about 20,000 characters."""
    lines = [
        f"Kind: {_KINDS.get(evidence.kind, evidence.kind)}",
        f'Because the task says: "{evidence.quote}"' if evidence.quote else "No sentence quoted.",
        f"Environment: {evidence.environment}",
        f"Changed: {_list(evidence.changed) or 'nothing'}",
    ]
    if evidence.misfit:
        lines.append(f"Does not fit: {evidence.misfit}")
    lines += ["", "Runs:", *(_run(run) for run in evidence.runs)]
    lines += _proof(evidence)
    if evidence.run(CONTROL) is not None and not evidence.blind:
        lines.append("  with wrong expectations the proof fails, as it should")
    lines += _section("Still failing", evidence.still_red)
    lines += _section("Passed before, fails now", evidence.regressions)
    lines += _ids("Passed before, gone or skipped now", evidence.vanished)
    lines += _section("Tests of the change itself that fail", evidence.own_red)
    lines += _ids("Existing tests that the change weakens, skips or deletes", evidence.altered)
    lines += _ids("Pass with wrong expectations too", evidence.blind)
    lines += _ids("Asks whether it is being tested", evidence.peeks)
    lines += _ids("Changed expectations", [_expected(one) for one in evidence.expected])
    lines += _ids("Dropped, as they contradict the task", evidence.dropped)
    lines += _ids("Left out by the time limit", evidence.unreached)
    lines += _ids("Failed on the base already", evidence.failing_before)
    lines += _ids("Changed sides between runs of the same code", evidence.unstable)
    lines += _ids("Not verified", evidence.not_verified)
    text = clean("\n".join(lines))
    return text if len(text) <= _CHARS else f"{text[:_CHARS]}\n... shortened ..."


def _proof(evidence: Evidence) -> Iterator[str]:
    if evidence.kind == "refactoring":
        yield f"\nTests that run the changed lines and pass: {len(evidence.covering)}"
        return
    if evidence.kind == "tests":
        new, seen = len(evidence.new_tests), len(evidence.noticed)
        yield f"\nNew tests: {new}; {seen} of them fail when the code that they run is made wrong"
        yield from (f"  {mutant}" for mutant in evidence.mutants)
    elif evidence.reproduction or evidence.complaint:
        yield from _reproduction(evidence)


def _reproduction(evidence: Evidence) -> Iterator[str]:
    files = sorted({key.partition("::")[0] for key in evidence.reproduction})
    yield f"\nReproduction: {len(evidence.reproduction)} tests of {_list(files) or 'no file'}"
    if evidence.complaint:
        yield f"  no proof: {evidence.complaint}"
    yield f"  on the base {len(evidence.red)} of them failed"
    for failure in evidence.red[:_SHOWN]:
        yield f"    {failure.id.partition('::')[2] or failure.id}: {_first(failure.message)}"
    if len(evidence.red) > _SHOWN:
        yield f"    ... and {len(evidence.red) - _SHOWN} more"
    if evidence.red and not evidence.complaint and not evidence.still_red:
        yield "  with the change all passed"
        if evidence.run(EMPTIED) is not None:
            yield f"  with empty bodies: {evidence.hollow or 'it fails again, as it should'}"


def _expected(one: Expected) -> str:
    asked = f'{one.id}{" (removed)" if one.gone else ""}, as the task says: "{one.quote}"'
    return f"{asked}; but {one.problem}" if one.problem else asked


def _run(run: RunRecord) -> str:
    counts = ", ".join(f"{number} {kind}" for kind, number in run.counts.items()) or "no tests"
    code = "no exit code" if run.exit_code is None else f"exit code {run.exit_code}"
    # 1 is what a green run ends with, as one planted test must fail.
    guard = ", as the planted test failed" if run.canary and not run.problem else ""
    line = f"  {run.name}: {run.command}\n    {counts}; {code}{guard}; {run.seconds:.2f} s"
    # Code that was made wrong on purpose may do anything.
    said = "no result" if run.name in PROBING else "NOT TRUSTED"
    return f"{line}\n    {said}: {run.problem}" if run.problem else line


def _section(title: str, failures: Sequence[Failure]) -> Iterator[str]:
    if not failures:
        return
    yield f"\n{title}: {len(failures)}"
    for failure in failures[:_FAILURES]:
        yield f"  {failure.id} ({failure.outcome})"
        yield from (f"    {line}" for line in failure.traceback.splitlines()[-_LINES:])
    if len(failures) > _FAILURES:
        yield f"  ... and {len(failures) - _FAILURES} more"


def _ids(title: str, ids: Sequence[str]) -> Iterator[str]:
    if not ids:
        return
    yield f"\n{title}: {len(ids)}"
    yield from (f"  {key}" for key in ids[:_IDS])
    if len(ids) > _IDS:
        yield f"  ... and {len(ids) - _IDS} more"


def _list(items: Iterable[str]) -> str:
    every = list(items)
    more = f" and {len(every) - _IDS} more" if len(every) > _IDS else ""
    return ", ".join(every[:_IDS]) + more


def _first(text: str) -> str:
    return text.splitlines()[0] if text.strip() else ""
