"""The runs of one judgement, and what they amount to as evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.verification import reproduction
from pipeline.verification.evidence import Evidence, Failure
from pipeline.verification.kinds import Kind
from pipeline.verification.proofs import Noticed, OwnTests
from pipeline.verification.walls import refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.verification.kinds import Claim
    from pipeline.verification.paired import Found
    from pipeline.verification.report import TestResult, TestRun
    from pipeline.verification.reproduction import ReproductionCheck
    from pipeline.verification.tree import Verdict

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Seen:
    """What was run and found for one patch; `red` and `green` are the authored tests' runs."""

    verdict: Verdict
    baseline: TestRun
    suite: TestRun
    red: ReproductionCheck | None
    green: TestRun | None
    found: Found
    own: OwnTests = field(default_factory=OwnTests)
    noticed: Noticed = field(default_factory=Noticed)
    hollow: str = ""
    blind: tuple[str, ...] = ()

    @property
    def unreached(self) -> tuple[str, ...]:
        """What the time limit left out on either side."""
        return tuple(sorted({*self.baseline.unreached, *self.suite.unreached}))

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
            still_red=self._failures(self._still_red()),
            regressions=self._failures(self.found.regressions),
            vanished=self.found.vanished,
            unstable=self.found.unstable,
            failing_before=tuple(result.id for result in base.red()),
            covering=tuple(both),
            hollow=self.hollow,
            blind=self.blind,
            new_tests=self.noticed.new,
            noticed=self.noticed.by,
            mutants=self.noticed.tried,
            altered=self.own.altered,
            own_red=self._failures(self.own.failing),
            expected=self.own.expected,
            output="\n".join(run.output for run in _each(self.green, suite)),
            **known,
        )

    def _still_red(self) -> tuple[TestResult, ...]:
        """What of the proof fails: alone, or in the company of the whole suite."""
        alone = reproduction.not_green(self.red, self.green)
        if alone or self.green is None or self.suite is self.green or self.suite.problem:
            return alone
        return tuple(one for one in self.suite.red() if one.id in self.green.results)

    def _failures(self, results: Sequence[TestResult]) -> tuple[Failure, ...]:
        return tuple(Failure.of(result, self.verdict.authored) for result in results)


def _each(green: TestRun | None, suite: TestRun) -> list[TestRun]:
    return [suite] if green is None or green is suite else [green, suite]


def proving(seen: Seen) -> tuple[str, ...]:
    """The ids that a proof rests on, as long as nothing else speaks against the change.

    Of tests that run changed lines those of one file: who forges one, forges all.
    """
    if seen.suite.problem or seen.found.regressions or seen.found.vanished or seen.hollow:
        return ()
    if seen.green is not None:
        return () if seen.green.problem else tuple(filter(seen.green.passed, seen.green.results))
    both = sorted(
        key for key in seen.suite.reached if seen.suite.passed(key) and seen.baseline.passed(key)
    )
    return tuple(key for key in both if key.partition("::")[0] == both[0].partition("::")[0])


def notes(seen: Seen, claim: Claim, ways: Sequence[str]) -> tuple[str, ...]:
    """What a reader might take for checked, but was not."""
    said = []
    if not seen.baseline.results and not seen.baseline.problem:
        said.append("regressions: the repository has no tests that can be collected")
    if seen.suite is seen.green:
        said.append("the suite: it was not run, as the tests of the task fail")
    said += [*_unloadable(seen.baseline), *_walled(seen.baseline), *ways]
    kept = [path for path in seen.verdict.restored if not _is_run(path, seen)]
    if kept:
        shown = ", ".join(kept[:_SHOWN])
        said.append(f"the change's own edits of tests or their set-up: {shown}")
    if seen.unreached:
        said.append(f"{len(seen.unreached)} test(s) that the time limit left out")
    for one in seen.own.expected:
        if not one.problem:
            said.append(f"the old expectation of {one.id}: the task changes it ({one.quote!r})")
    unnoticed = sorted(set(seen.noticed.new) - set(seen.noticed.by))
    if claim.kind is Kind.TESTS and unnoticed:
        shown = ", ".join(unnoticed[:_SHOWN])
        said.append(f"whether {len(unnoticed)} of the new tests would notice an error: {shown}")
    return tuple(said)


def _unloadable(baseline: TestRun) -> list[str]:
    broken = [result for result in baseline.red() if "::" not in result.id]
    if not broken:
        return []
    first = broken[0]
    what = first.message.splitlines()[-1] if first.message.strip() else first.exception
    return [f"{len(broken)} test file(s) that the base cannot load; {first.id}: {what}"]


def _walled(baseline: TestRun) -> list[str]:
    walled = [result.id for result in baseline.red() if refused(result)]
    if not walled:
        return []
    shown = ", ".join(walled[:_SHOWN])
    return [f"{len(walled)} test(s) that open sockets, which this sandbox refuses: {shown}"]


def _is_run(path: str, seen: Seen) -> bool:
    """Whether the change's own version of this test file was run beside the base's."""
    return path in seen.own.ran
