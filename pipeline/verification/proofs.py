"""Further runs that a proof needs: on emptied bodies, on mutated code, of a patch's own tests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.verification.edits import altered, altered_examples, rewritten
from pipeline.verification.evidence import EMPTIED, MUTATED, Expected
from pipeline.verification.kinds import unquoted
from pipeline.verification.mutants import Mutant, mutants
from pipeline.verification.paths import is_foreign_test
from pipeline.verification.reported import is_of
from pipeline.verification.runner import Selection
from pipeline.verification.stubs import stubbed
from pipeline.verification.tree import verdict_tree

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from pipeline.verification.paired import Found
    from pipeline.verification.paths import TestPaths
    from pipeline.verification.report import TestResult, TestRun
    from pipeline.verification.runs import Runs
    from pipeline.verification.tree import Verdict
    from pipeline.workspace.repository import Repository

OWN = "the change's own tests"
OWN_ON_BASE = "the change's own tests on base"
SET_UP = "the suite as the change sets it up"
_MUTANTS = 8
_MUTANT_S = 60.0


@dataclass(frozen=True, slots=True)
class OwnTests:
    """What the patch did to tests: `altered` existing ones, new ones `failing`, `expected` changes.

    `ran` are the test files that were run as the patch has them.
    """

    altered: tuple[str, ...] = ()
    failing: tuple[TestResult, ...] = ()
    expected: tuple[Expected, ...] = ()
    ran: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Noticed:
    """New tests, those of them that fail by assertion on mutated code, and the mutants tried."""

    new: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    tried: tuple[str, ...] = ()


class Proofs:
    """Runs what the plain runs of base and patch cannot tell."""

    def __init__(
        self,
        runs: Runs,
        repository: Repository,
        paths: TestPaths,
        baseline: TestRun,
        task: str,
    ) -> None:
        """`task` is the text that expectations are quoted from; "" leaves quotes unchecked."""
        self._runs = runs
        self._repository = repository
        self._paths = paths
        self._baseline = baseline
        self._task = task

    async def hollow(self, verdict: Verdict) -> str:
        """Why the authored tests would not notice empty bodies of the patch; "" if they do."""
        changed = [p for p in verdict.changed if p.endswith(".py") and not self._paths.match(p)]
        before = await self._texts(self._repository.base_tree, changed)
        after = await self._texts(verdict.tree, changed)
        emptied = stubbed(before, after)
        if not emptied:
            return (
                "on the unchanged code it fails only because something is missing there, and the "
                "change adds no body that can be emptied to see whether the test would notice"
            )
        tree = await self._written(verdict.tree, emptied)
        run = await self._runs.run(EMPTIED, tree, Selection(verdict.authored))
        if run.problem:
            return f"the test cannot be run with emptied bodies: {run.problem}"
        if run.red():
            return ""
        return (
            "it passes although every body that the change adds is empty: "
            "it must check what they do, not that they are there"
        )

    async def noticed(self, verdict: Verdict, suite: TestRun) -> Noticed:
        """Which new or altered tests fail by assertion when the lines that they run are wrong.

        They pass on the base already: a tests-only patch leaves the product as it is.
        """
        edited = set(await self._altered(verdict.tree, verdict.changed))
        new = tuple(
            key
            for key in sorted(suite.results)
            if suite.passed(key) and (key not in self._baseline.results or _plain(key) in edited)
        )
        if not new:
            return Noticed()
        lines = {path: some for path, some in suite.ran.items() if not self._paths.match(path)}
        sources = await self._texts(verdict.tree, lines)
        seen: set[str] = set()
        tried: list[str] = []
        for mutant in mutants(sources, lines, _MUTANTS):
            caught = await self._caught(verdict.tree, mutant, new)
            seen |= caught
            tried.append(f"{mutant.describe()}: noticed by {len(caught)}")
            if len(seen) == len(new):
                break
        return Noticed(new, tuple(sorted(seen)), tuple(tried))

    async def _caught(self, tree: str, mutant: Mutant, new: Sequence[str]) -> set[str]:
        wrong = await self._written(tree, {mutant.path: mutant.source})
        selection = Selection.of_ids(new)
        run = await self._runs.run(MUTATED, wrong, selection, wall_s=_MUTANT_S)
        return {key for key in new if key in run.results and run.results[key].assertion}

    async def own_tests(
        self, patch: str, verdict: Verdict, found: Found, named: Mapping[str, str]
    ) -> OwnTests:
        """Run the tests that the patch edits or adds as it has them; `named` is id -> quote.

        An expectation holds if the old test passes on the base and fails with the patch, and the
        new one does the reverse. A test that is gone has only the first half to show.
        """
        edited = [path for path in verdict.restored if self._paths.match(path)]
        if not (verdict.restored or named or self._has_examples):
            return OwnTests()
        doctests = [p for p in verdict.changed if p.endswith(".py") and p not in edited]
        tree = (await verdict_tree(self._repository, patch, "", self._paths, own=True)).tree
        changed = [*await self._altered(tree, edited), *await self._examples(tree, doctests)]
        there = set(await self._repository.paths(tree))
        files = tuple(p for p in edited if p in there and self._is_run(p))
        green = await self._runs.run(OWN, tree, Selection(files)) if files else None
        changed += self._silenced(green, files)
        changed += await self._unheard(patch, verdict)
        expected = await self._expected(tree, green, found, named)
        excused = {one.id for one in expected if not one.problem}
        failing = (
            [one for one in green.red() if one.id not in self._baseline.results] if green else ()
        )
        return OwnTests(
            tuple(dict.fromkeys(key for key in changed if not _is_excused(key, excused))),
            tuple(failing),
            expected,
            files,
        )

    async def _unheard(self, patch: str, verdict: Verdict) -> list[str]:
        """What passed and does not even run where conftest files and settings are the patch's.

        The verdict is given without them, but whoever merges the patch gets them.
        """
        if all(map(self._is_run, verdict.restored)):
            return []
        tree = await self._repository.apply(self._repository.base_tree, patch)
        return self._silenced(await self._runs.run(SET_UP, tree), None)

    def _silenced(self, green: TestRun | None, files: Sequence[str] | None) -> list[str]:
        """What passed in these files (None: in all) and, as the patch has them, does not run."""
        if green is None or green.problem:
            return []
        every = self._baseline.results
        mine = [key for key in every if files is None or any(is_of(key, p) for p in files)]
        ran = {key for key, one in green.results.items() if one.outcome != "skipped"}
        return sorted(
            {_plain(key) for key in mine if self._baseline.passed(key)}
            - {_plain(key) for key in ran}
        )

    async def _expected(
        self, tree: str, green: TestRun | None, found: Found, named: Mapping[str, str]
    ) -> tuple[Expected, ...]:
        if not named:
            return ()
        broken = {_plain(result.id) for result in found.regressions}
        base = await self._repository.overlay(self._repository.base_tree, tree, self._paths.match)
        ids = [key for key in green.results if _plain(key) in named] if green else []
        red = await self._runs.run(OWN_ON_BASE, base, Selection.of_ids(ids)) if ids else None
        said = []
        for key, quote in named.items():
            mine = [one for one in ids if _plain(one) == key]
            example = not self._paths.match(key.partition("::")[0])
            problem = unquoted(quote, self._task) if self._task else ""
            if not (problem or example):
                problem = _not_changed(mine, green, red) if key in broken else _NOT_BROKEN
            said.append(Expected(key, quote, problem, gone=not (mine or example)))
        return tuple(said)

    async def _altered(self, tree: str, paths: Iterable[str]) -> list[str]:
        """Existing tests that are not in `tree` as the base has them."""
        files = [path for path in paths if path.endswith(".py") or is_foreign_test(path)]
        old = await self._texts(self._repository.base_tree, files)
        new = await self._texts(tree, old)
        python = [p for p in sorted(old) if p.endswith(".py")]
        names = [f"{p}::{name}" for p in python for name in altered(old[p], new.get(p))]
        return names + [p for p in sorted(set(old) - set(python)) if rewritten(old[p], new.get(p))]

    def _is_run(self, path: str) -> bool:
        """Whether tests in that file can be told apart."""
        return _is_test_file(path) or (is_foreign_test(path) and self._runs.tells_of(path))

    async def _examples(self, tree: str, paths: Iterable[str]) -> list[str]:
        """The same for examples in docstrings, where they are collected at all."""
        if not self._has_examples:
            return []
        old = await self._texts(self._repository.base_tree, paths)
        new = await self._texts(tree, old)
        return [
            f"{path}::{'.'.join(filter(None, (_module(path), name)))}"
            for path in sorted(old)
            for name in altered_examples(old[path], new.get(path))
        ]

    @property
    def _has_examples(self) -> bool:
        """Whether tests stand in product files."""
        return not all(self._paths.match(key.partition("::")[0]) for key in self._baseline.results)

    async def _texts(self, tree: str, paths: Iterable[str]) -> dict[str, str]:
        """Path -> text, without those that are not there."""
        texts = {}
        for path in paths:
            try:
                data = await self._repository.read(tree, path)
            except FileNotFoundError:
                continue
            texts[path] = data.decode("utf-8", "replace")
        return texts

    async def _written(self, tree: str, texts: Mapping[str, str]) -> str:
        for path, text in texts.items():
            tree = await self._repository.write(tree, path, text.encode())
        return tree


def without(found: Found, expected: Iterable[Expected]) -> Found:
    """What is left to blame once the expectations that hold are taken out."""
    held = {one.id for one in expected if not one.problem}
    return replace(
        found,
        regressions=tuple(one for one in found.regressions if _plain(one.id) not in held),
        vanished=tuple(key for key in found.vanished if _plain(key) not in held),
    )


def _is_excused(key: str, excused: Collection[str]) -> bool:
    """A file whose tests cannot be told apart in its text is, where one of them is."""
    return key in excused or ("::" not in key and any(is_of(one, key) for one in excused))


_NOT_BROKEN = "as it was, it does not fail with the change"


def _not_changed(ids: Sequence[str], green: TestRun | None, red: TestRun | None) -> str:
    if green and any(not green.passed(one) for one in ids):
        return "as it is now, it does not pass with the change"
    if red and ids and all(red.passed(one) for one in ids):
        return "as it is now, it passes without the change as well"
    return ""


def _plain(key: str) -> str:
    """An id without its parameters."""
    return key.partition("[")[0]


def _is_test_file(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name.endswith(".py") and name not in {"conftest.py", "__init__.py"}


def _module(path: str) -> str:
    """The name under which a file is imported."""
    name = path.removesuffix(".py").removesuffix("/__init__").removeprefix("src/")
    return name.replace("/", ".")
