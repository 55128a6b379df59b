"""Runs what a claim needs and gathers it into evidence."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pipeline.sandbox.base import Limits
from pipeline.verification import decide, reproduction
from pipeline.verification.control import blind
from pipeline.verification.discover import first_run
from pipeline.verification.evidence import Evidence, RunRecord
from pipeline.verification.hunks import changed_lines
from pipeline.verification.kinds import UNCLAIMED, Claim, Kind, misfit
from pipeline.verification.paired import Found, Paired
from pipeline.verification.paths import TestPaths, command_files
from pipeline.verification.peeks import peeking
from pipeline.verification.proofs import Noticed, OwnTests, Proofs, without
from pipeline.verification.runner import Selection, canary_name
from pipeline.verification.runs import Runs
from pipeline.verification.seen import Seen, notes, proving
from pipeline.verification.tree import Verdict, verdict_tree, with_tests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pipeline.environment import Environment
    from pipeline.verification.kept import Kept
    from pipeline.verification.report import TestRun
    from pipeline.verification.reproduction import ReproductionCheck
    from pipeline.workspace.workspace import Workspace

_ON_BASE = f"{decide.REPRODUCTION} on base"
AFFECTED = "affected tests"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long tests may take. Suites are slower than a coder's single commands.

    `each` bounds one run; after `share` of its wall time no further test is begun. A suite that
    took `large_s` seconds on the base is preceded by the tests that import what was changed. With
    `partial` what was not reached is no objection, only said.
    """

    each: Limits = field(default_factory=lambda: Limits(wall_s=900.0, cpu_s=1800))
    share: float = 0.8
    large_s: float = 60.0
    partial: bool = False

    @property
    def budget_s(self) -> float:
        """Seconds after which a run begins no further test."""
        return self.each.wall_s * self.share


BOUNDS = Bounds()


class Verifier:
    """Judges patches of one repository at one base. Not safe for two judgements at once."""

    def __init__(  # noqa: PLR0913 - one keyword a thing that tests and operators choose
        self,
        workspace: Workspace,
        environment: Environment,
        *,
        task: str = "",
        bounds: Bounds = BOUNDS,
        clock: Callable[[], float] = time.monotonic,
        canary: Callable[[], str] = canary_name,
        kept: Kept | None = None,
    ) -> None:
        """With `task`, a claim that the task's text does not bear out proves nothing.

        `clock` gives seconds, `canary` names the test that must fail, `kept` holds earlier runs.
        """
        self._repository = workspace.repository
        self._recorder = workspace.recorder
        self._task = task
        self._clock = clock
        self._environment = environment
        self._bounds = bounds
        self._runs = Runs(workspace, environment, bounds.each, canary, kept)
        self._baseline: TestRun | None = None
        self._red: dict[tuple[str, Kind], ReproductionCheck] = {}
        self._paths: TestPaths | None = None

    def how_to_write(self, path: str) -> str:
        """What the tester is told of the runner of that file; "" where it is pytest."""
        return self._runs.how_to_write(path)

    async def baseline(self) -> TestRun:
        """The whole suite on the base, run once."""
        if self._baseline is None:
            base = self._repository.base_tree
            paths = await self._repository.paths(base)
            wanted = Selection(budget_s=self._bounds.budget_s)
            self._baseline = await first_run(self._runs, base, paths, wanted)
        return self._baseline

    async def check_reproduction(self, tests: str, claim: Claim) -> ReproductionCheck:
        """Whether `tests` (a diff against the base) proves by its failure what `claim` says.

        Raises PatchError, StateOwnershipError (it touches other paths) or SandboxError.
        """
        if known := self._red.get((tests, claim.kind)):
            return known
        run = await self.baseline()
        base = self._repository.base_tree
        paths = await self._test_paths()
        tree, authored = await with_tests(self._repository, base, tests, paths)
        if authored:
            run = await self._runs.run(_ON_BASE, tree, Selection(authored), shared=True)
        project = await self._repository.paths(base)
        sources = {path: await self._repository.read(tree, path) for path in authored}
        checked = reproduction.check(run, sources, project, claim.kind)
        self._red[tests, claim.kind] = checked
        return checked

    async def check_emptied(self, patch: str, tests: str, claim: Claim) -> str:
        """Why the test would not notice empty bodies of `patch`; "" if it does, or need not."""
        red = await self.check_reproduction(tests, claim)
        verdict = await self._verdict(patch, tests, claim)
        return await self._hollow(await self._proofs(), verdict, red)

    async def judge(
        self, patch: str, tests: str, claim: Claim, expected: Mapping[str, str] | None = None
    ) -> Evidence:
        """Everything seen about `patch` with `tests` (both diffs, see the state's two keys).

        `expected` maps ids of tests to the sentence of the task that changes their expectation.
        Raises PatchError, StateOwnershipError or SandboxError; failing tests are evidence.
        """
        started, spent = self._clock(), self._runs.seconds
        self._runs.records.clear()
        seen = await self._see(patch, tests, claim, expected or {})
        evidence = seen.evidence(
            claim,
            misfit=await self._misfit(claim, seen.verdict),
            peeks=await peeking(
                self._repository, seen.verdict, await self._test_paths(), self._task
            ),
            environment=self._environment.label,
            base_tree=self._repository.base_tree,
            runs=self._records(seen.baseline, seen.red),
            unreached=() if self._bounds.partial else seen.unreached,
            not_verified=(
                *notes(seen, claim, self._runs.notes),
                *self._environment.remarks(seen.verdict.changed),
            ),
        )
        overhead = self._clock() - started - (self._runs.seconds - spent)
        shown = await self._recorder.measured(round(max(0.0, overhead), 3))
        return replace(evidence, overhead_s=shown)

    async def _see(self, patch: str, tests: str, claim: Claim, expected: Mapping[str, str]) -> Seen:
        """All runs, each on its own clean tree."""
        baseline = await self.baseline()
        verdict = await self._verdict(patch, tests, claim)
        proofs = await self._proofs()
        red = await self.check_reproduction(tests, claim) if verdict.authored else None
        green, hollow = None, ""
        if red:
            chosen = Selection(verdict.authored)
            green = await self._runs.run(decide.REPRODUCTION, verdict.tree, chosen)
            if reproduction.not_green(red, green):
                # The rest of the suite could not change the verdict.
                return Seen(verdict, baseline, green, red, green, Found())
            hollow = await self._hollow(proofs, verdict, red)
        suite, found = await self._suite(verdict, claim, baseline)
        own, noticed = OwnTests(), Noticed()
        if not suite.problem and not baseline.problem:
            own = await proofs.own_tests(patch, verdict, found, expected)
            if claim.kind is Kind.TESTS:
                noticed = await proofs.noticed(verdict, suite)
        found = without(found, own.expected)
        seen = Seen(verdict, baseline, suite, red, green, found, own, noticed, hollow)
        return replace(
            seen, blind=await blind(self._runs, self._repository, verdict.tree, proving(seen))
        )

    async def _verdict(self, patch: str, tests: str, claim: Claim) -> Verdict:
        paths, own = await self._test_paths(), claim.kind is Kind.TESTS
        return await verdict_tree(self._repository, patch, tests, paths, own=own)

    async def _proofs(self) -> Proofs:
        baseline, paths = await self.baseline(), await self._test_paths()
        return Proofs(self._runs, self._repository, paths, baseline, self._task)

    async def _hollow(self, proofs: Proofs, verdict: Verdict, red: ReproductionCheck) -> str:
        """Only what was red because something was missing has more to show."""
        if red.complaint or all(result.assertion for result in red.run.red()):
            return ""
        return await proofs.hollow(verdict)

    async def _test_paths(self) -> TestPaths:
        if self._paths is None:
            paths = await self._repository.paths(self._repository.base_tree)
            self._paths = TestPaths.of(paths, self._commands(paths))
        return self._paths

    def _commands(self, paths: Sequence[str]) -> Iterator[str]:
        """What a change could rewrite so that the suite does something else."""
        for one in self._environment.parts or (self._environment,):
            yield from command_files(paths, one.folder, (*one.test, one.lint))

    async def _suite(
        self, verdict: Verdict, claim: Claim, baseline: TestRun
    ) -> tuple[TestRun, Found]:
        """The whole suite with the patch; of a large one first what imports the changed files."""
        base = self._repository.base_tree
        wanted = await self._wanted(verdict, claim)
        if baseline.seconds >= self._bounds.large_s and self._runs.way.engine != "command":
            near = replace(wanted, near=verdict.changed)
            run = await self._runs.run(AFFECTED, verdict.tree, near)
            known = {key: one for key, one in baseline.results.items() if key in run.results}
            paired = Paired(self._runs, base, verdict.tree, verdict.authored)
            found = await paired.compare(replace(baseline, results=known), run)
            if found.regressions or run.problem:
                return run, found
        suite = await self._runs.run(decide.SUITE, verdict.tree, wanted)
        paired = Paired(self._runs, base, verdict.tree, verdict.authored)
        return suite, await paired.compare(baseline, suite)

    async def _wanted(self, verdict: Verdict, claim: Claim) -> Selection:
        """For a refactoring also which ids run changed lines, for tests which lines they run."""
        budget = self._bounds.budget_s
        if claim.kind is Kind.TESTS:
            return Selection(cover=verdict.changed, budget_s=budget)
        if claim.kind is not Kind.REFACTORING:
            return Selection(budget_s=budget)
        paths = await self._test_paths()
        diff = await self._repository.diff(self._repository.base_tree, verdict.tree)
        lines = changed_lines(diff).items()
        product = {path: some for path, some in lines if not paths.match(path)}
        return Selection(lines=product, budget_s=budget)

    async def _misfit(self, claim: Claim, verdict: Verdict) -> str:
        fits = misfit(claim.kind, verdict.changed, await self._test_paths())
        # Who claims nothing is held to the strictest proof: there is no sentence to ask for.
        said = bool(self._task) and claim != UNCLAIMED
        return (claim.problem(self._task) if said else "") or fits

    def _records(self, baseline: TestRun, red: ReproductionCheck | None) -> tuple[RunRecord, ...]:
        """Baseline and red run stand first, also where they were run before this judgement."""
        base = self._repository.base_tree
        first = [RunRecord.of(decide.BASELINE, base, baseline)]
        if red:
            first.append(RunRecord.of(_ON_BASE, base, red.run))
        named = {record.name for record in first}
        rest = [record for record in self._runs.records if record.name not in named]
        return (*first, *rest)
