"""Compares a suite before and after a patch; what differs is run again on both sides."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.verification.runner import Selection

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.verification.report import TestResult, TestRun
    from pipeline.verification.runs import Runs


@dataclass(frozen=True, slots=True)
class Found:
    """What a patch broke, what it made disappear, and what cannot be told."""

    regressions: tuple[TestResult, ...] = ()
    vanished: tuple[str, ...] = ()
    unstable: tuple[str, ...] = ()


@dataclass
class Paired:
    """One comparison. `authored` are the tester's paths: their ids are judged elsewhere."""

    runs: Runs
    base: str
    verdict: str
    authored: Sequence[str]
    unstable: set[str] = field(default_factory=set)

    async def compare(self, baseline: TestRun, suite: TestRun) -> Found:
        """An id is blamed on the patch if it passes on the base and fails with it, twice each."""
        if baseline.problem or suite.problem:
            return Found()
        lost = [key for key in baseline.results if baseline.passed(key) and not suite.passed(key)]
        lost = [key for key in lost if self._is_theirs(key) and key not in suite.unreached]
        there = await self._again("base", self.base, lost, lambda run, key: run.passed(key))
        fresh = [key for key in _new_failures(baseline, suite) if self._is_theirs(key)]
        bad = await self._again(
            "change", self.verdict, [*there, *fresh], lambda run, key: not run.passed(key)
        )
        broken = {result.id: result for key in bad if (result := _culprit(suite, key))}
        gone = [key for key in bad if _culprit(suite, key) is None]
        return Found(
            tuple(broken[key] for key in sorted(broken)),
            tuple(sorted(gone)),
            tuple(sorted(self.unstable)),
        )

    def _is_theirs(self, key: str) -> bool:
        return key.partition("::")[0] not in self.authored

    async def _again(
        self,
        side: str,
        tree: str,
        ids: Sequence[str],
        expected: Callable[[TestRun, str], bool],
    ) -> list[str]:
        """The ids that do again what they did. Run alone first, as that is fast.

        A test may depend on those before it: an id that behaves differently alone is settled by a
        second run of the whole suite.
        """
        if not ids:
            return []
        known = await self.runs.paths(tree)
        runnable = [key for key in ids if self.runs.can_repeat(key, known)]
        same = set(ids) - set(runnable)
        if runnable:
            chosen = Selection() if self.runs.is_whole else Selection.of_ids(runnable)
            alone = await self.runs.run(f"rerun, {side}", tree, chosen)
            same |= {key for key in runnable if expected(alone, key)}
        rest = [key for key in ids if key not in same]
        if rest:
            whole = await self.runs.run(f"second suite, {side}", tree)
            same |= {key for key in rest if expected(whole, key)}
        self.unstable.update(key for key in ids if key not in same)
        return [key for key in ids if key in same]


def _new_failures(baseline: TestRun, suite: TestRun) -> list[str]:
    """Ids that fail now and did not exist before, unless their other parameters failed before too.

    They are a patch's fault when a suite takes its parameters from the product.
    """
    before = {result.id.partition("[")[0] for result in baseline.red()}
    return [
        result.id
        for result in suite.red()
        if "::" in result.id
        and result.id not in {*baseline.results, *baseline.unreached}
        and result.id.partition("[")[0] not in before
    ]


def _culprit(suite: TestRun, key: str) -> TestResult | None:
    """The failure behind an id that does not pass: its own, or that of its file or package."""
    file = key.partition("::")[0]
    for name in (key, file, posixpath.dirname(file)):
        result = suite.results.get(name)
        if result is not None and result.red:
            return result
    return None
