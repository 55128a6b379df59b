"""Makes small wrong versions of a product's files: tests that prove something notice them."""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.verification.syntax import parsed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_SWAPS: Mapping[type, type] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.And: ast.Or,
    ast.Or: ast.And,
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One file with one thing wrong in it, and which thing."""

    path: str
    line: int
    what: str
    source: str

    def describe(self) -> str:
        """Such as "calc.py:3: Add became Sub"."""
        return f"{self.path}:{self.line}: {self.what}"


def mutants(
    sources: Mapping[str, str], lines: Mapping[str, Collection[int]], limit: int
) -> list[Mutant]:
    """At most `limit` mutants on the given lines, spread over the files; the same ones each time.

    What is returned is made wrong first: that is what a test sees soonest.
    """
    queues = [_of_file(path, source, lines.get(path, ())) for path, source in sources.items()]
    found: list[Mutant] = []
    while queues and len(found) < limit:
        for queue in list(queues):
            mutant = next(queue, None)
            if mutant is None:
                queues.remove(queue)
            elif len(found) < limit:
                found.append(mutant)
    return found


def _of_file(path: str, source: str, lines: Collection[int]) -> Iterator[Mutant]:
    try:
        tree = parsed(source)
    except (SyntaxError, ValueError):
        return
    places = list(ast.walk(tree))
    documents = {id(node.value) for node in places if isinstance(node, ast.Expr)}
    for change in (_return_nothing, _swap, _turn, _other_constant):
        for number, node in enumerate(places):
            if getattr(node, "lineno", 0) not in lines or id(node) in documents:
                continue
            wrong = copy.deepcopy(tree)
            target = next(part for n, part in enumerate(ast.walk(wrong)) if n == number)
            if what := change(target):
                text = ast.unparse(ast.fix_missing_locations(wrong)) + "\n"
                yield Mutant(path, getattr(node, "lineno", 0), what, text)


def _return_nothing(node: ast.AST) -> str:
    """A function that gives a value gives none."""
    if isinstance(node, ast.Return) and node.value is not None:
        if isinstance(node.value, ast.Constant) and node.value.value is None:
            return ""
        node.value = ast.Constant(None)
        return "nothing is returned"
    return ""


def _swap(node: ast.AST) -> str:
    """An operator becomes its opposite, or one that gives something else."""
    if isinstance(node, ast.BinOp | ast.AugAssign | ast.BoolOp):
        old, new = type(node.op), _SWAPS.get(type(node.op))
        if new is None:
            return ""
        node.op = new()
        return f"{old.__name__} became {new.__name__}"
    if isinstance(node, ast.Compare):
        was, becomes = type(node.ops[0]), _SWAPS[type(node.ops[0])]
        node.ops[0] = becomes()
        return f"{was.__name__} became {becomes.__name__}"
    return ""


def _turn(node: ast.AST) -> str:
    """A condition is turned round."""
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        node.test = ast.UnaryOp(ast.Not(), node.test)
        return "a condition was turned round"
    return ""


def _other_constant(node: ast.AST) -> str:
    """A constant becomes another one of its type."""
    if not isinstance(node, ast.Constant):
        return ""
    value = node.value
    if isinstance(value, bool):
        node.value = not value
    elif isinstance(value, int | float):
        node.value = value + 1
    elif isinstance(value, str) and value:
        node.value = value + "x"
    else:
        return ""
    return f"{value!r:.20} became {node.value!r:.20}"
