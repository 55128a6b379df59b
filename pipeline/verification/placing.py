"""Chooses the one file that the tester may write, in the language of the tests beside it."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from typing import TYPE_CHECKING

from pipeline.verification.node import is_script
from pipeline.verification.paths import TestPaths, reproduction_path, slug

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.environment import Environment

# What in a test's name says that it is one: "calc.test.ts", "calc_test.go", "calc_spec.rb".
_MARKED = re.compile(r".+?([._-](?:tests?|spec)\.\w+)")
_CLASS = re.compile(r"\w+?(Tests?\.(?:java|kt|groovy|php|cs))")


def test_path(paths: Sequence[str], task: str, environment: Environment) -> str:
    """The path, fitting the layout; never one that is in `paths`.

    Where projects have a runner that tells of single tests: beside the most tests of it, in their
    form. Else it is a test for pytest.
    """
    known = TestPaths.of(paths)
    count: Counter[tuple[str, str]] = Counter()
    for path in paths:
        folder, name = posixpath.split(path)
        if known.match(path) and (end := _ending(name, _report(environment, path))):
            count[folder, end] += 1
    python = reproduction_path(paths, task)
    if not count:
        return _first(environment, paths, task) or python
    if not environment.test and count.total() < sum(_is_python(path) for path in paths):
        return python
    folder, end = min(count, key=lambda one: (-count[one], one[0].count("/"), one))
    return next(_free(folder, end, paths, task))


def _report(environment: Environment, path: str) -> tuple[str, ...]:
    """What tells of the tests in that file's project."""
    parts = environment.parts or (environment,)
    folders = {part.folder: part for part in parts}
    above = path
    while above := posixpath.dirname(above):
        if above in folders:
            return folders[above].report
    return folders["."].report if "." in folders else ()


def _ending(name: str, report: tuple[str, ...]) -> str:
    """The end of the names of tests like this one; "" where it is none for that runner."""
    if not report or name.endswith(".py"):
        return ""
    found = _MARKED.fullmatch(name) or _CLASS.fullmatch(name)
    end = found[1] if found else ""
    if report[0] == "node":
        return end if is_script(end) else ""
    if report[0] == "go":
        return end if end == "_test.go" else ""
    return end


def _is_python(path: str) -> bool:
    return re.search(r"(^|/)(test_[^/]*|[^/]*_test)\.py$", path) is not None


def _first(environment: Environment, paths: Sequence[str], task: str) -> str:
    """The first test of a project whose runner finds one by its name."""
    folder = "" if environment.folder == "." else environment.folder
    if environment.report[:1] == ("node",):
        return next(_free(posixpath.join(folder, "test"), ".test.mjs", paths, task))
    if environment.report[:1] == ("go",):
        return next(_free(folder, "_test.go", paths, task))
    return ""


def _free(folder: str, end: str, paths: Sequence[str], task: str) -> Iterator[str]:
    """Names that are not taken."""
    words = slug(task)
    if end[0].isalpha():
        stem = "Acp" + "".join(word.capitalize() for word in words.split("_"))
    else:
        stem = f"acp_{words}"
    taken = frozenset(paths)
    for number in range(1, len(taken) + 2):
        path = posixpath.join(folder, f"{stem}{'' if number == 1 else number}{end}")
        if path not in taken:
            yield path
