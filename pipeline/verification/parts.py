"""Suites of a repository that holds several projects: a change runs those that it touches."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.verification.report import TestRun

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence

    from pipeline.environment import Environment
    from pipeline.verification.runner import Selection

    One = Callable[[Environment, Selection], Awaitable[TestRun]]


class Parts:
    """The environments of the projects, and how their suites went on the base."""

    def __init__(self, environments: Sequence[Environment]) -> None:
        self._all = tuple(environments)
        self._on_base: dict[str, TestRun] = {}

    def of(self, path: str) -> Environment:
        """The project that a path belongs to; the first where it belongs to none."""
        holding = [one for one in self._all if _holds(one.folder, path)]
        return max(holding, key=lambda one: len(one.folder), default=self._all[0])

    def touched(self, changed: Collection[str]) -> tuple[Environment, ...]:
        """The projects that a change of these paths touches.

        A path outside of all projects may be used by each of them.
        """
        shared = [
            path for path in changed if not any(_holds(one.folder, path) for one in self._all)
        ]
        if shared:
            return self._all
        return tuple(one for one in self._all if any(self.of(path) is one for path in changed))

    async def run(self, changed: Collection[str], selection: Selection, one: One) -> TestRun:
        """Every suite on the base (nothing `changed`), else those that are touched.

        Of the others the results on the base stand, as nothing of them is another. Of a selection
        each project runs its own part.
        """
        every = not (selection.paths or selection.ids)
        again = self.touched(changed) if changed else self._all
        runs = []
        for environment in self._all:
            own = selection if every else self._own(environment, selection)
            known = self._on_base.get(environment.folder)
            if every and environment not in again and known is not None:
                runs.append(known)
            elif own is not None:
                runs.append(await one(environment, own))
                if every and not changed:
                    self._on_base[environment.folder] = runs[-1]
        return together(runs)

    def _own(self, environment: Environment, selection: Selection) -> Selection | None:
        """What of a selection is in that project; None where nothing is."""

        def mine(keys: Iterable[str]) -> tuple[str, ...]:
            return tuple(key for key in keys if self.of(key.partition("::")[0]) is environment)

        paths, ids = mine(selection.paths), mine(selection.ids)
        return replace(selection, paths=paths, ids=ids) if paths or ids else None


def together(runs: Sequence[TestRun]) -> TestRun:
    """Several runs as one, which can be trusted if each of them can."""
    codes = [run.exit_code for run in runs]
    return TestRun(
        command=" && ".join(dict.fromkeys(run.command for run in runs)),
        exit_code=None if None in codes else max((code or 0 for code in codes), default=0),
        reason=next((run.reason for run in runs if run.reason != "exit"), "exit"),
        results={key: result for run in runs for key, result in run.results.items()},
        output="\n".join(run.output for run in runs if run.output),
        seconds=sum(run.seconds for run in runs),
        problem=next((run.problem for run in runs if run.problem), ""),
        canary=next((run.canary for run in runs if run.canary), ""),
        python=next((run.python for run in runs if run.python), ""),
        reached=frozenset(key for run in runs for key in run.reached),
        ran={path: lines for run in runs for path, lines in run.ran.items()},
        unreached=tuple(key for run in runs for key in run.unreached),
    )


def _holds(folder: str, path: str) -> bool:
    return folder in {".", path} or path.startswith(f"{folder}/")
