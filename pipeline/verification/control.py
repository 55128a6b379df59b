"""Runs a copy of the proof that must fail: what passes it too would have passed anything.

The copy stands at the same path under the same names, so that code which forges the one result
forges the other as well.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pipeline.verification.evidence import CONTROL
from pipeline.verification.node import is_script
from pipeline.verification.runner import Selection
from pipeline.verification.spoilt import spoilt
from pipeline.verification.stubs import own
from pipeline.verification.syntax import parsed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pipeline.verification.report import TestRun
    from pipeline.verification.runs import Runs
    from pipeline.workspace.repository import Repository

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_EQUALS = frozenset({"assertEqual", "assertEquals"})
_LITERALS = (ast.Constant, ast.JoinedStr, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.UnaryOp)


_OTHER = "_another"
_DEFINITION = f"""

def {_OTHER}(value):
    if isinstance(value, bool):
        return not value
    for kind, more in ((str, "x"), (bytes, b"x"), (list, [object()]), (tuple, (object(),))):
        if isinstance(value, kind):
            return kind(value) + more
    return value + 1 if isinstance(value, (int, float)) and value == value else object()
"""


async def blind(
    runs: Runs, repository: Repository, tree: str, passed: Iterable[str]
) -> tuple[str, ...]:
    """Those of the `passed` ids that pass with a wrong expectation as well; sorted.

    Of Python files, and of those that assert with Node's own functions: of others nothing can be
    told.
    """
    ids = [key for key in passed if "::" in key]
    asked: list[str] = []
    wrong = tree
    for path in sorted({key.partition("::")[0] for key in ids}):
        mine = [key for key in ids if key.partition("::")[0] == path]
        files, expecting = await _wrong(repository, tree, path, mine)
        asked += expecting
        for name, data in files.items():
            wrong = await repository.write(wrong, name, data)
    if not asked:
        return ()
    run = await runs.run(CONTROL, wrong, Selection.of_ids(asked))
    return _still_green(run, asked)


async def _wrong(
    repository: Repository, tree: str, path: str, ids: Sequence[str]
) -> tuple[Mapping[str, bytes], Sequence[str]]:
    """The files that make the expectations of `path` wrong, and those of its ids that have one."""
    if not (path.endswith(".py") or is_script(path)):
        return {}, ()
    source = (await repository.read(tree, path)).decode("utf-8", "replace")
    if is_script(path):
        files = spoilt(path, source)
        return files, ids if files else ()
    text, names = inverted(source)
    known = {f"{path}::{name}" for name in names}
    files = {path: text.encode()} if names else {}
    return files, [key for key in ids if key.partition("[")[0] in known]


def _still_green(run: TestRun, asked: Sequence[str]) -> tuple[str, ...]:
    return () if run.problem else tuple(sorted(key for key in asked if run.passed(key)))


def inverted(source: str) -> tuple[str, frozenset[str]]:
    """The source with expectations that nothing meets, and the names of the tests that have them.

    What is compared for equality is compared with another value of the same type instead; a test
    that compares nothing for certain fails at its end.
    """
    try:
        tree = parsed(source)
    except (SyntaxError, ValueError):
        return source, frozenset()
    names = frozenset(_spoilt(tree.body, ""))
    return ast.unparse(ast.fix_missing_locations(tree)) + _DEFINITION, names


def _spoilt(body: Sequence[ast.stmt], scope: str) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from _spoilt(node.body, f"{scope}{node.name}::")
        elif isinstance(node, _Function) and node.name.startswith("test") and _spoil(node):
            yield scope + node.name


def _spoil(test: _Function) -> bool:
    if any(isinstance(part, ast.Return | ast.Yield | ast.YieldFrom) for part in own(test)):
        return False
    if not sum(map(_compare, _certain(test.body))):
        test.body.append(ast.Assert(ast.Constant(value=False)))
    return True


def _certain(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run whenever the test passes."""
    for node in body:
        yield node
        if isinstance(node, ast.With | ast.AsyncWith) and not _swallows(node):
            yield from _certain(node.body)
        elif isinstance(node, ast.For) and isinstance(node.iter, ast.List | ast.Tuple):
            yield from _certain(node.body) if node.iter.elts else ()


def _swallows(node: ast.With | ast.AsyncWith) -> bool:
    """Whether what stands inside may be left before its end."""
    text = " ".join(ast.dump(item.context_expr).lower() for item in node.items)
    return "raises" in text or "suppress" in text


def _compare(step: ast.stmt) -> bool:
    """Put another value where one is expected; whether the step expects one."""
    if isinstance(step, ast.Assert) and isinstance(step.test, ast.Compare):
        test = step.test
        if len(test.ops) != 1 or not isinstance(test.ops[0], ast.Eq):
            return False
        if isinstance(test.left, _LITERALS):
            test.left = _other(test.left)
        else:
            test.comparators = [_other(test.comparators[0])]
        return True
    if not (isinstance(step, ast.Expr) and isinstance(step.value, ast.Call)):
        return False
    call = step.value
    equals = isinstance(call.func, ast.Attribute) and call.func.attr in _EQUALS
    if not equals or len(call.args) < 2:  # noqa: PLR2004 - what is, and what it should be
        return False
    place = 0 if isinstance(call.args[0], _LITERALS) else 1
    call.args[place] = _other(call.args[place])
    return True


def _other(value: ast.expr) -> ast.expr:
    return ast.Call(ast.Name(_OTHER, ast.Load()), [value], [])
