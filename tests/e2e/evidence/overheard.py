"""Listens to what test runs leave in a sandbox, so that a run can be judged again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pipeline.sandbox.base import Caps, ExecResult, Sandbox, Session, Spec
from pipeline.verification.decide import REPRODUCTION
from pipeline.verification.evidence import Evidence, Failure
from pipeline.verification.report import parse
from pipeline.verification.trust import Heard, Rule, problem

_CANARY = "--acp-canary="
_REPORT = "--report-log="


@dataclass
class Overheard:
    """A sandbox that does what another one does, and keeps what each run left, by its canary."""

    sandbox: Sandbox
    heard: dict[str, Heard] = field(default_factory=dict)

    async def probe(self) -> Caps:
        return await self.sandbox.probe()

    async def open(self, spec: Spec) -> Session:
        return _Listening(await self.sandbox.open(spec), self.heard)


class _Listening:
    def __init__(self, session: Session, heard: dict[str, Heard]) -> None:
        self._session = session
        self._heard = heard
        self._runs: dict[str, tuple[str, ExecResult]] = {}
        self.workdir = session.workdir
        self.put, self.delete = session.put, session.delete
        self.entries, self.close = session.entries, session.close

    async def exec(self, argv: Sequence[str], **how: Any) -> ExecResult:
        done = await self._session.exec(argv, **how)
        told = {start: part for part in argv for start in (_CANARY, _REPORT) if start in part}
        if len(told) > 1:
            canary = told[_CANARY].removeprefix(_CANARY)
            self._runs[told[_REPORT].rpartition("/")[2]] = canary, done
            self._heard[canary] = Heard(done, None, parse(b"", canary), canary)
        return done

    async def get(self, path: str, max_bytes: int) -> bytes:
        data = await self._session.get(path, max_bytes)
        if path in self._runs:
            canary, done = self._runs[path]
            self._heard[canary] = Heard(done, data, parse(data, canary), canary)
        return data


def believed(evidence: Evidence, heard: dict[str, Heard], rules: Sequence[Rule]) -> Evidence:
    """What the gate would have seen had `rules` alone said which runs to trust."""
    runs = [
        replace(run, problem=problem(heard[run.canary], rules)) if run.canary in heard else run
        for run in evidence.runs
    ]
    green = next(heard[run.canary].log.results for run in runs if run.name == REPRODUCTION)
    red = [Failure.of(one, ()) for one in green.values() if one.outcome != "passed"]
    return replace(
        evidence, runs=tuple(runs), reproduction=tuple(sorted(green)), still_red=tuple(red)
    )
