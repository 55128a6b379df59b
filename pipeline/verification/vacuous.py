"""Tells from its source whether a test could prove anything."""

from __future__ import annotations

import ast
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pipeline.verification.paths import TestPaths, is_document
from pipeline.verification.syntax import parsed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_CALLS = frozenset({"raises", "fail", "warns", "deprecated_call"})
_CHECKS = re.compile(r"assert|expect|should|verify|\bt\.(Error|Fatal|Fail)|\bfail", re.IGNORECASE)
_NOT_NAMES = frozenset({"", "__init__", "__main__", "setup", "src", "lib", "python"})


def vacuous(source: str, project: frozenset[str]) -> str:
    """Why this test can prove nothing, in one sentence; "" if it might.

    `project` holds the names of the project's modules; empty means that there are none to name.
    """
    try:
        tree = parsed(source)
    except (SyntaxError, ValueError) as error:
        return f"the test cannot be parsed: {error}"
    if not any(_asserts(node) for node in ast.walk(tree)):
        return "the test asserts nothing"
    if project and not project & set(_words(tree)):
        return "the test uses nothing of the project"
    return ""


def vacuous_text(source: str) -> str:
    """The same for a test in another language, of which only the words are known."""
    return "" if _CHECKS.search(source) else "the test asserts nothing"


def project_names(paths: Iterable[str], tests: TestPaths) -> frozenset[str]:
    """Names by which a test may mean the project: modules, packages, scripts."""
    names: set[str] = set()
    for path in paths:
        pure = PurePosixPath(path)
        if not (tests.match(path) or is_document(path)) and pure.suffix in {".py", ""}:
            names.update((pure.stem, *pure.parts[:-1]))
    return frozenset(name for name in names if name not in _NOT_NAMES and not name.startswith("."))


def _asserts(node: ast.AST) -> bool:
    if isinstance(node, ast.Assert):
        return True
    if not isinstance(node, ast.Call):
        return False
    called = node.func
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    return name in _CALLS or name.startswith("assert")


def _words(tree: ast.AST) -> Iterator[str]:
    """Parts of imported names, and the words of strings: a command line is tested by its name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from alias.name.split(".")
        elif isinstance(node, ast.ImportFrom):
            yield from (node.module or "").split(".")
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from re.findall(r"\w+", node.value)
