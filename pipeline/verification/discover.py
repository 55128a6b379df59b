"""Finds out how a repository's tests are collected: by pytest, as doctests, or by unittest."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from pipeline.verification.decide import BASELINE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.verification.report import TestRun
    from pipeline.verification.runner import Selection
    from pipeline.verification.runs import Runs

_PYTEST_FILES = ("test_*.py", "*_test.py")
_UNITTEST_FILES = ("-o", "python_files=test*.py *_test.py *_tests.py")
_DOCTESTS = ("--doctest-modules", "--doctest-ignore-import-errors")


async def first_run(runs: Runs, base: str, paths: Sequence[str], wanted: Selection) -> TestRun:
    """The suite on the base, in the first way that finds a test; `runs` goes on in that way.

    A way that finds nothing, or that breaks, is left again: then the run is the plain one.
    """
    run = await runs.run(BASELINE, base, wanted, shared=True)
    if "unrecognized arguments" in run.problem:
        # Options of plugins that are not installed; both sides run without them.
        runs.collect("-o", "addopts=")
        run = await runs.run(BASELINE, base, wanted, shared=True)
    if run.problem or run.results or run.unreached or runs.way.engine == "command":
        return run
    for args, engine in _ways(paths):
        kept = runs.way
        runs.collect(*args, engine=engine)
        again = await runs.run(BASELINE, base, wanted, shared=True)
        if again.results and not again.problem:
            return again
        runs.way = kept
    return run


def _ways(paths: Sequence[str]) -> list[tuple[tuple[str, ...], str]]:
    names = [path.rpartition("/")[2] for path in paths if path.endswith(".py")]
    odd = [name for name in names if fnmatchcase(name, "*test*.py")]
    ways: list[tuple[tuple[str, ...], str]] = []
    if any(not fnmatchcase(name, pattern) for name in odd for pattern in _PYTEST_FILES):
        ways.append((_UNITTEST_FILES, "pytest"))
    if odd:
        ways.append(((), "unittest"))
    if names:
        ways.append((_DOCTESTS, "pytest"))
    return ways
