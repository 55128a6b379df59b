"""Empties what a patch has added to a module: a test of a feature must notice that.

Only for the run that asks; the result is never part of a change.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from typing_extensions import override

from pipeline.verification.syntax import parsed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def stubbed(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    """Path -> source in which every new or changed body returns None; unchanged files are absent.

    `before` and `after` hold the Python files that a patch touches. Where it adds no body at all,
    new module-level names are None instead, and failing that, newly imported ones.
    """
    for names in (False, True):
        found: dict[str, str] = {}
        for path, source in after.items():
            emptied = _emptied(before.get(path, ""), source, names=names)
            if emptied is not None:
                found[path] = emptied
        if found:
            return found
    return {}


def _emptied(before: str, after: str, *, names: bool) -> str | None:
    try:
        old, new = parsed(before), parsed(after)
    except (SyntaxError, ValueError):
        return None
    if names:
        added = sorted(_names(new) - _names(old)) or sorted(_imported(new) - _imported(old))
        lines = "".join(f"{name} = None\n" for name in added)
        return f"{after.rstrip()}\n{lines}" if added else None
    emptier = _Emptier(_defined(old))
    changed = emptier.visit(new)
    return ast.unparse(ast.fix_missing_locations(changed)) + "\n" if emptier.count else None


class _Emptier(ast.NodeTransformer):
    """Replaces bodies that `known` (qualified name -> how it was) does not hold as they are."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = known
        self._scope: list[str] = []
        self.count = 0

    @override
    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    @override
    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    @override
    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self._scope.append(node.name)
        new = ".".join(self._scope) not in self._known
        bodies = any(isinstance(part, _Function) for part in node.body)
        fields = any(isinstance(part, ast.Assign | ast.AnnAssign) for part in node.body)
        if new and fields and not bodies:
            self.count += 1
            node.decorator_list = []
            node.body = ast.parse("def __init__(self, *args, **kwargs):\n    return None").body
        else:
            self.generic_visit(node)
        self._scope.pop()
        return node

    def _function(self, node: _Function) -> ast.AST:
        name = ".".join([*self._scope, node.name])
        if self._known.get(name) != ast.dump(node):
            self.count += 1
            yields = any(isinstance(part, ast.Yield | ast.YieldFrom) for part in own(node))
            # Unreachable, but it keeps a generator one.
            rest: list[ast.stmt] = [ast.Expr(ast.Yield())] if yields else []
            node.body = [ast.Return(ast.Constant(None)), *rest]
        return node


def own(node: _Function) -> Iterator[ast.AST]:
    """What stands in a function, without functions and classes inside it."""
    waiting: list[ast.AST] = list(node.body)
    while waiting:
        part = waiting.pop()
        yield part
        if not isinstance(part, _Function | ast.ClassDef | ast.Lambda):
            waiting += ast.iter_child_nodes(part)


def _defined(tree: ast.Module) -> dict[str, str]:
    """Qualified name -> the whole definition, for functions and classes at any depth of classes."""
    found: dict[str, str] = {}

    def walk(nodes: list[ast.stmt], scope: str) -> None:
        for node in nodes:
            if isinstance(node, _Function | ast.ClassDef):
                found[scope + node.name] = ast.dump(node)
            if isinstance(node, ast.ClassDef):
                walk(node.body, f"{scope}{node.name}.")
            for inner in ("body", "orelse", "handlers", "finalbody"):
                if isinstance(node, ast.If | ast.Try):
                    walk(getattr(node, inner, []), scope)

    walk(tree.body, "")
    return found


def _names(tree: ast.Module) -> set[str]:
    """Public names that are assigned at the top."""
    targets: list[ast.expr] = []
    for node in tree.body:
        if isinstance(node, ast.Assign):
            targets += node.targets
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            targets.append(node.target)
    found = {target.id for target in targets if isinstance(target, ast.Name)}
    return {name for name in found if not name.startswith("__")}


def _imported(tree: ast.Module) -> set[str]:
    """Names that are imported at the top."""
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    return found - {"*", "annotations"}
