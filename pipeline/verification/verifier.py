"""Runs what a claim needs and gathers it into evidence."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pipeline.sandbox.base import Limits
from pipeline.verification import decide, reproduction
from pipeline.verification.evidence import Evidence, Failure, RunRecord
from pipeline.verification.hunks import changed_lines
from pipeline.verification.kinds import Claim, Kind, misfit
from pipeline.verification.paired import Found, Paired, Runs
from pipeline.verification.paths import TestPaths
from pipeline.verification.runner import Selection, canary_name
from pipeline.verification.tree import Verdict, verdict_tree, with_tests

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.environment import Environment
    from pipeline.verification.report import TestResult, TestRun
    from pipeline.verification.reproduction import ReproductionCheck
    from pipeline.workspace.workspace import Workspace

_ON_BASE = f"{decide.REPRODUCTION} on base"
_SHOWN = 5


# Suites are slower than a coder's single commands.
_LIMITS = Limits(wall_s=900.0, cpu_s=1800)


class Verifier:
    """Judges patches of one repository at one base. Not safe for two judgements at once."""

    def __init__(
        self,
        workspace: Workspace,
        environment: Environment,
        *,
        task: str = "",
        limits: Limits = _LIMITS,
        clock: Callable[[], float] = time.monotonic,
        canary: Callable[[], str] = canary_name,
    ) -> None:
        """With `task`, a claim that the task's text does not bear out proves nothing.

        `limits` bound each test run, `clock` gives seconds, `canary` names the test that must fail.
        """
        self._repository = workspace.repository
        self._task = task
        self._clock = clock
        self._environment = environment
        self._runs = Runs(workspace, environment, limits, canary)
        self._baseline: TestRun | None = None
        self._red: dict[str, TestRun] = {}
        self._paths: TestPaths | None = None

    async def baseline(self) -> TestRun:
        """The whole suite on the base, run once."""
        if self._baseline is None:
            base = self._repository.base_tree
            run = await self._runs.run(decide.BASELINE, base)
            if "unrecognized arguments" in run.problem:
                # Options of plugins that are not installed; both sides run without them.
                self._runs.without_addopts()
                run = await self._runs.run(decide.BASELINE, base)
            self._baseline = run
        return self._baseline

    async def check_reproduction(self, tests: str, claim: Claim) -> ReproductionCheck:
        """Whether `tests` (a diff against the base) proves by its failure what `claim` says.

        Raises PatchError, StateOwnershipError (it touches other paths) or SandboxError.
        """
        run = await self.baseline()
        base = self._repository.base_tree
        paths = await self._test_paths()
        tree, authored = await with_tests(self._repository, base, tests, paths)
        if authored:
            if tree not in self._red:
                self._red[tree] = await self._runs.run(_ON_BASE, tree, Selection(authored))
            run = self._red[tree]
        project = await self._repository.paths(base)
        sources = {path: await self._repository.read(tree, path) for path in authored}
        return reproduction.check(run, sources, project, claim.kind)

    async def judge(self, patch: str, tests: str, claim: Claim) -> Evidence:
        """Everything seen about `patch` with `tests` (both diffs, see the state's two keys).

        Raises PatchError, StateOwnershipError or SandboxError; failing tests are evidence.
        """
        started, spent = self._clock(), self._runs.seconds
        self._runs.records.clear()
        baseline = await self.baseline()
        verdict = await verdict_tree(self._repository, patch, tests, await self._test_paths())
        red = await self.check_reproduction(tests, claim) if verdict.authored else None
        green = None
        if red:
            chosen = Selection(verdict.authored)
            green = await self._runs.run(decide.REPRODUCTION, verdict.tree, chosen)
        suite = await self._suite(verdict, claim)
        paired = Paired(self._runs, self._repository.base_tree, verdict.tree, verdict.authored)
        found = await paired.compare(baseline, suite)
        seen = Seen(verdict, baseline, suite, red, green, found)
        evidence = seen.evidence(
            claim,
            misfit=await self._misfit(claim, verdict),
            environment=self._environment.label,
            base_tree=self._repository.base_tree,
            runs=self._records(baseline, red),
            not_verified=self._not_verified(baseline, verdict, claim),
        )
        overhead = self._clock() - started - (self._runs.seconds - spent)
        return replace(evidence, overhead_s=round(max(0.0, overhead), 3))

    async def _test_paths(self) -> TestPaths:
        if self._paths is None:
            self._paths = TestPaths.of(await self._repository.paths(self._repository.base_tree))
        return self._paths

    async def _suite(self, verdict: Verdict, claim: Claim) -> TestRun:
        """The whole suite with the patch; for a refactoring, also which ids run changed lines."""
        selection = None
        if claim.kind is Kind.REFACTORING:
            paths = await self._test_paths()
            diff = await self._repository.diff(self._repository.base_tree, verdict.tree)
            lines = {
                path: some for path, some in changed_lines(diff).items() if not paths.match(path)
            }
            selection = Selection(lines=lines)
        return await self._runs.run(decide.SUITE, verdict.tree, selection)

    async def _misfit(self, claim: Claim, verdict: Verdict) -> str:
        fits = misfit(claim.kind, verdict.changed, await self._test_paths())
        return (claim.problem(self._task) if self._task else "") or fits

    def _records(self, baseline: TestRun, red: ReproductionCheck | None) -> tuple[RunRecord, ...]:
        """Baseline and red run stand first, also where they were run before this judgement."""
        base = self._repository.base_tree
        first = [RunRecord.of(decide.BASELINE, base, baseline)]
        if red:
            first.append(RunRecord.of(_ON_BASE, base, red.run))
        named = {record.name for record in first}
        rest = [record for record in self._runs.records if record.name not in named]
        return (*first, *rest)

    def _not_verified(self, baseline: TestRun, verdict: Verdict, claim: Claim) -> tuple[str, ...]:
        """What a reader might take for checked, but was not."""
        broken = [result for result in baseline.red() if "::" not in result.id]
        notes = []
        if not baseline.results and not baseline.problem:
            notes.append("regressions: the repository has no tests that pytest collects")
        if broken:
            first = broken[0]
            what = first.message.splitlines()[-1] if first.message.strip() else first.exception
            notes.append(
                f"{len(broken)} test file(s) that the base cannot load; {first.id}: {what}"
            )
        if not self._runs.plain:
            notes.append("the project's addopts: they need plugins that are not installed")
        if verdict.restored:
            shown = ", ".join(verdict.restored[:_SHOWN])
            notes.append(f"the change's own edits of tests or their set-up: {shown}")
        if claim.kind is Kind.FEATURE:
            notes.append("whether the new test would notice an empty implementation")
        return tuple(notes)


@dataclass(frozen=True, slots=True)
class Seen:
    """The runs of one judgement."""

    verdict: Verdict
    baseline: TestRun
    suite: TestRun
    red: ReproductionCheck | None
    green: TestRun | None
    found: Found

    def evidence(self, claim: Claim, **known: Any) -> Evidence:
        """What the runs show; `known` are further fields of Evidence."""
        base, suite, red = self.baseline, self.suite, self.red
        both = sorted(key for key in suite.reached if suite.passed(key) and base.passed(key))
        return Evidence(
            kind=claim.kind.value,
            quote=claim.quote,
            verdict_tree=self.verdict.tree,
            changed=self.verdict.changed,
            reproduction=tuple(sorted(self.green.results)) if self.green else (),
            red=self._failures(red.run.red() if red else ()),
            complaint=red.complaint if red else "",
            still_red=self._failures(reproduction.not_green(red, self.green)),
            regressions=self._failures(self.found.regressions),
            vanished=self.found.vanished,
            unstable=self.found.unstable,
            failing_before=tuple(result.id for result in base.red()),
            covering=tuple(both),
            output="\n".join(run.output for run in (self.green, suite) if run),
            **known,
        )

    def _failures(self, results: Sequence[TestResult]) -> tuple[Failure, ...]:
        return tuple(Failure.of(result, self.verdict.authored) for result in results)
