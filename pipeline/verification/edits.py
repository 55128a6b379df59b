"""Finds existing tests that a change removes or alters; the verdict itself ignores such edits.

What only adds is no alteration: new tests, further statements at the end of a test, further cases.
"""

from __future__ import annotations

import ast
import doctest
import re
from typing import TYPE_CHECKING

from pipeline.verification.syntax import parsed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_Function = ast.FunctionDef | ast.AsyncFunctionDef
# In other languages: what new tests change as well, and a line that ends a test early.
_IMPORT = re.compile(
    r"(import|from|use|using|package|require|#include)\b|(const|var|let)\b.*\brequire\(|//"
    r'|(\w+ )?"[^"]+"$'
)
_WAY_OUT = re.compile(r"return;?|.*\bprocess\.exit\(.*|.*\bos\.Exit\(.*|t\.Skip.*\(.*")
_SWITCHES = frozenset({"__test__", "pytestmark", "collect_ignore", "collect_ignore_glob"})


def altered(before: str, after: str | None) -> list[str]:
    """Names of tests, as they stand in ids ("Class::test"), that are not as they were; sorted.

    `after` None: the file is gone. A file that cannot be parsed any more has lost them all.
    """
    old = _tests(before)
    if after is None:
        return sorted(old)
    try:
        new = _tests(after, strict=True)
    except (SyntaxError, ValueError):
        return sorted(old)
    if _switched(before) != _switched(after):
        return sorted(old)
    return sorted(name for name, node in old.items() if not _kept(node, new.get(name)))


def rewritten(before: str, after: str | None) -> bool:
    """Whether a test file of another language has lost anything but imports, or got a way out.

    Its tests are not told apart: what stood there must still stand there, in the same order.
    """
    if after is None:
        return True
    rest = iter([line.strip() for line in after.splitlines()])
    added: list[str] = []
    for line in map(str.strip, before.splitlines()):
        if not line or _IMPORT.match(line):
            continue
        for other in rest:
            if other == line:
                break
            added.append(other)
        else:
            return True
    return any(_WAY_OUT.fullmatch(line) for line in [*added, *rest])


def altered_examples(before: str, after: str | None) -> list[str]:
    """Names of what has doctests that are not all there any more, as in pytest's ids; sorted."""
    old, new = _examples(before), _examples(after or "")
    return sorted(name for name, examples in old.items() if not examples <= new.get(name, set()))


def _tests(source: str, *, strict: bool = False) -> dict[str, ast.AST]:
    """Test functions and what decides whether a class of them runs, by name."""
    try:
        tree = parsed(source)
    except (SyntaxError, ValueError):
        if strict:
            raise
        return {}
    found: dict[str, ast.AST] = {}
    for node in _functions(tree.body):
        if isinstance(node, _Function) and node.name.startswith("test"):
            found[node.name] = node
        elif isinstance(node, ast.ClassDef):
            methods = {part.name: part for part in node.body if isinstance(part, _Function)}
            tests = {name: part for name, part in methods.items() if name.startswith("test")}
            found |= {f"{node.name}::{name}": part for name, part in tests.items()}
            if tests:
                head = ast.Tuple([*node.decorator_list, *node.bases], ast.Load())
                found[node.name] = head
    return found


def _functions(nodes: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in nodes:
        yield node
        if isinstance(node, ast.If | ast.Try):
            yield from _functions(node.body)


def _switched(source: str) -> set[str]:
    """Assignments that decide whether tests run at all, and calls that skip a whole file."""
    try:
        tree = parsed(source)
    except (SyntaxError, ValueError):
        return set()
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            names = {target.id for target in node.targets if isinstance(target, ast.Name)}
            found |= {ast.dump(node)} if names & _SWITCHES else set()
    for node in tree.body:
        if isinstance(node, ast.Expr | ast.Raise) and "skip" in ast.dump(node).lower():
            found.add(ast.dump(node))
    return found


def _kept(old: ast.AST, new: ast.AST | None) -> bool:
    if new is None or not (isinstance(old, _Function) and isinstance(new, _Function)):
        return new is not None and ast.dump(old) == ast.dump(new)
    return (
        type(old) is type(new)
        and _dumps(new.body)[: len(old.body)] == _dumps(old.body)
        and _covers(new.args, old.args)
        and len(old.decorator_list) == len(new.decorator_list)
        and all(_covers(*pair) for pair in zip(new.decorator_list, old.decorator_list, strict=True))
    )


def _covers(new: ast.AST, old: ast.AST) -> bool:
    """Equal, or a call whose lists have got further elements."""
    if ast.dump(new) == ast.dump(old):
        return True
    if not (isinstance(new, ast.Call) and isinstance(old, ast.Call)):
        return False
    if ast.dump(new.func) != ast.dump(old.func) or len(new.args) != len(old.args):
        return False
    same = _dumps(new.keywords) == _dumps(old.keywords)
    return same and all(_includes(*pair) for pair in zip(new.args, old.args, strict=True))


def _includes(new: ast.expr, old: ast.expr) -> bool:
    if isinstance(new, ast.List | ast.Tuple) and isinstance(old, ast.List | ast.Tuple):
        return set(_dumps(old.elts)) <= set(_dumps(new.elts))
    return ast.dump(new) == ast.dump(old)


def _dumps(nodes: list[ast.stmt] | list[ast.expr] | list[ast.keyword]) -> list[str]:
    return [ast.dump(node) for node in nodes]


def _examples(source: str) -> Mapping[str, set[tuple[str, str]]]:
    """What has a docstring with examples -> each example with what it must give."""
    try:
        tree = parsed(source)
    except (SyntaxError, ValueError):
        return {}
    found: dict[str, set[tuple[str, str]]] = {}

    def visit(node: ast.Module | ast.ClassDef | _Function, name: str) -> None:
        try:
            examples = doctest.DocTestParser().get_examples(ast.get_docstring(node) or "")
        except ValueError:
            examples = []
        if examples:
            found[name] = {(one.source, one.want) for one in examples}
        for part in node.body:
            if isinstance(part, _Function | ast.ClassDef):
                visit(part, f"{name}.{part.name}".lstrip("."))

    visit(tree, "")
    return found
