"""The house's rules on size: small modules, small functions."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULE_LINES = 300
FUNCTION_LINES = 40
ROOMS = ("pipeline", "bot", "benchmarks", "tests")
NOT_OURS = ("bot/demo/project",)  # the demo's patient is a repository of its own

Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules() -> list[Path]:
    found = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    return [path for path in found if not shown(path).startswith(NOT_OURS)]


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def oversized_functions(source: str) -> list[str]:
    return [
        f"{node.name} ({node.end_lineno - node.lineno + 1} lines)"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, Function)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > FUNCTION_LINES
    ]


@pytest.mark.parametrize("path", modules(), ids=shown)
def test_a_module_is_small_and_so_are_its_functions(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    lines = len(source.splitlines())
    assert lines <= MODULE_LINES, f"{shown(path)} has {lines} lines: split it"
    assert oversized_functions(source) == []


@pytest.mark.parametrize(
    "path", [path for path in modules() if "tests" not in path.parts], ids=shown
)
def test_a_module_says_in_its_first_line_what_it_is(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert not source or ast.get_docstring(ast.parse(source)), shown(path)


def test_the_rule_itself_can_fail() -> None:
    body = "\n".join(f"    x{n} = {n}" for n in range(FUNCTION_LINES))
    assert oversized_functions(f"def f():\n{body}\n") == ["f (41 lines)"]
