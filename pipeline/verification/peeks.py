"""Finds where a change makes the product know of its tests, or of the place where they run.

Code that is right only there would be proven by them, and be wrong for everybody else.
"""

from __future__ import annotations

import ast
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pipeline.verification.paths import is_document, is_setting
from pipeline.verification.syntax import parsed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.verification.paths import TestPaths
    from pipeline.verification.tree import Verdict
    from pipeline.workspace.repository import Repository

_RUNNERS = frozenset({"pytest", "_pytest", "py.test", "unittest"})
# As a module `unittest` is a library like others.
_MODULES = frozenset({"pytest", "_pytest"})
# `/workspace` is where every tree stands in a sandbox.
_TELLTALES = re.compile(r"PYTEST_[A-Z_]+|\.?acp[-_]\w*|test_acp\w*|/workspace(/[^\n]*)?")
# They install or run tests, and are imported by none.
_TOOLS = frozenset({"setup.py", "noxfile.py", "tasks.py", "dodo.py", "fabfile.py", "conf.py"})


async def peeking(
    repository: Repository, verdict: Verdict, paths: TestPaths, task: str
) -> tuple[str, ...]:
    """Each new place ("path:line: what") in the product, unless the task speaks of the same."""
    before: set[str] = set()
    found: list[tuple[str, int, str]] = []
    for path in verdict.changed:
        if not _is_product(path, paths):
            continue
        before |= {
            what for _, what in mentions(await _text(repository, repository.base_tree, path))
        }
        now = mentions(await _text(repository, verdict.tree, path))
        found += [(path, line, what) for line, what in now]
    known = {what for what in before if what} | {what for _, _, what in found if what in task}
    return tuple(f"{path}:{line}: {what}" for path, line, what in found if what not in known)


def mentions(source: str) -> Sequence[tuple[int, str]]:
    """Lines of code, not of documentation, that name a runner of tests or what only it sets."""
    try:
        tree = parsed(source)
    except (SyntaxError, ValueError):
        return ()
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [pair for node in ast.walk(tree) if id(node) not in said for pair in _named(node)]


def _named(node: ast.AST) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.Import):
        modules = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        modules = [node.module or ""]
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        if node.value in _RUNNERS or _TELLTALES.fullmatch(node.value):
            yield node.lineno, node.value
        return
    else:
        return
    yield from ((node.lineno, name) for name in modules if name.partition(".")[0] in _MODULES)


def _is_product(path: str, paths: TestPaths) -> bool:
    name = PurePosixPath(path).name
    other = paths.match(path) or is_document(path) or is_setting(path) or name in _TOOLS
    return path.endswith(".py") and not other


async def _text(repository: Repository, tree: str, path: str) -> str:
    try:
        return (await repository.read(tree, path)).decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
