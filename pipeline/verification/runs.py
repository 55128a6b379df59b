"""Runs a repository's suites on trees, in whichever way finds its tests, and keeps the records."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.journal import digest_of
from pipeline.verification.decide import BASELINE
from pipeline.verification.evidence import RunRecord
from pipeline.verification.kept import Kept, identity, lasts
from pipeline.verification.parts import Parts, together
from pipeline.verification.report import TestRun
from pipeline.verification.runner import Selection
from pipeline.verification.stacks import Asked, Way, chooses, how_to_write, remarks, run_suite
from pipeline.verification.whole import not_set_up, run_command

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from typing import Any

    from pipeline.environment import Environment
    from pipeline.sandbox.base import Limits
    from pipeline.workspace.workspace import Workspace


class Runs:
    """Runs suites on trees, each time in a fresh checkout and session, and keeps the records.

    `seconds` is the time that the test processes took so far.
    """

    def __init__(
        self,
        workspace: Workspace,
        environment: Environment,
        limits: Limits,
        canary: Callable[[], str],
        kept: Kept | None = None,
    ) -> None:
        """`kept` spares runs of the base that an earlier run has made."""
        # Of several projects the description does not tell enough.
        self._kept = kept if lasts(environment) and not environment.parts else None
        self._workspace = workspace
        self._environment = environment
        self._parts = Parts(environment.parts) if environment.parts else None
        self._limits = limits
        self._canary = canary
        self._before: frozenset[str] = frozenset()
        self.way = Way.of(environment)
        self.records: list[RunRecord] = []
        self.seconds = 0.0

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of how tests are found."""
        said = []
        if "addopts=" in self.way.args:
            said.append("the project's addopts: they need plugins that are not installed")
        if self.way.engine == "unittest":
            said.append("which tests run which lines: python -m unittest does not tell")
        for one in self._environment.parts or (self._environment,):
            said += remarks(one, [key for key in self._before if self._of(key) is one])
        if self._parts:
            said.append(
                "suites of projects that the change does not touch: their results on the base stand"
            )
        said += self._environment.notes
        return tuple(said)

    @property
    def is_whole(self) -> bool:
        """Whether the suite is one command of which no single test can be run."""
        return self.way.engine == "command" and not chooses(self._environment)

    def can_repeat(self, key: str, paths: Collection[str]) -> bool:
        """Whether an id can be run again on a tree of these paths.

        A file that is gone cannot be named to a runner, and its ids cannot pass.
        """
        known = self._of(key)
        whole = bool(known.report) and not chooses(known)
        return self.is_whole or whole or key.partition("::")[0] in paths

    def tells_of(self, path: str) -> bool:
        """Whether the runner of that file's project, which is not pytest, tells of single tests."""
        return bool(self._of(path).report)

    def how_to_write(self, path: str) -> str:
        """What the author of a test in that file is told of its runner; "" where it is pytest."""
        return how_to_write(self._of(path), path)

    def _of(self, key: str) -> Environment:
        return self._parts.of(key.partition("::")[0]) if self._parts else self._environment

    def collect(self, *args: str, engine: str = "pytest") -> None:
        """From now on run with these further arguments, by "pytest" or by "unittest"."""
        self.way = Way((*self.way.args, *args), engine)

    async def run(
        self,
        name: str,
        tree: str,
        selection: Selection | None = None,
        *,
        shared: bool = False,
        wall_s: float | None = None,
    ) -> TestRun:
        """One run with a new canary, or the one that the journal knows.

        What is `shared` stands in the journal for the whole run, whichever seat asks first. Secrets
        are taken out of what the tests say. `wall_s` makes the time limit shorter.
        """
        recorder = self._workspace.recorder
        wanted = (selection or Selection()).to_json().decode()
        what = [self._environment.label, wanted, self.way.engine, *self.way.args]
        what += self._environment.report
        asked = digest_of(json.dumps([name, tree, *what]))
        kept = digest_of(json.dumps([tree, identity(self._environment), asked])) if shared else ""

        async def work() -> Mapping[str, Any]:
            if kept and self._kept and (found := await self._kept.get(kept)):
                return found
            run = await self._now(tree, selection, wall_s)
            told = recorder.redact.plain(run.to_json())
            # A chance failure would excuse every later change, were it kept.
            sound = not (run.problem or run.unreached or run.red())
            if kept and self._kept and sound:
                await self._kept.put(kept, told)
            return told

        keep = recorder.shared if shared else recorder.once
        run = TestRun.from_json(await keep("tests", asked, work))
        if name == BASELINE:
            self._before = frozenset(run.results)
        self.seconds += run.seconds
        self.records.append(RunRecord.of(name, tree, run))
        return run

    async def _now(self, tree: str, selection: Selection | None, wall_s: float | None) -> TestRun:
        limits = self._limits
        if wall_s is not None:
            limits = replace(limits, wall_s=min(wall_s, limits.wall_s))
        if self._environment.problem:
            return not_set_up(self._environment)
        if self._parts is None:
            return await self._in(self._environment, tree, selection, limits)

        async def one(project: Environment, own: Selection) -> TestRun:
            return await self._in(project, tree, own, limits)

        repository = self._workspace.repository
        changes = await repository.changes(repository.base_tree, tree)
        changed = {path for item in changes for path in (item.path, item.old_path) if path}
        return await self._parts.run(changed, selection or Selection(), one)

    async def _in(
        self, known: Environment, tree: str, selection: Selection | None, limits: Limits
    ) -> TestRun:
        run = await self._suite(known, tree, selection, limits)
        if not known.lint or (selection is not None and (selection.paths or selection.ids)):
            return run
        async with await self._workspace.fork(tree) as place:
            checked = replace(known, test=("sh", "-c", known.lint))
            return together([run, await run_command(place.session, checked, Selection(), limits)])

    async def _suite(
        self, known: Environment, tree: str, selection: Selection | None, limits: Limits
    ) -> TestRun:
        async with await self._workspace.fork(tree) as place:
            asked = Asked(selection, self._canary(), limits, self._before)
            return await run_suite(place.session, known, self.way, asked)

    async def paths(self, tree: str) -> frozenset[str]:
        """The paths of a tree."""
        return frozenset(await self._workspace.repository.paths(tree))
