"""A small repository with a bug, and what models say about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.llm.scripted import Turn, read_turn

TITLE = "Totals leave out the first price"
BODY = "`total([1, 2])` is 2.\n\nThe total of a basket must hold every price."
FILES = {
    "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["."]\n',
    "shop/__init__.py": "",
    "shop/basket.py": "def total(prices):\n    return sum(prices[1:])\n",
    "tests/test_basket.py": (
        "from shop.basket import total\n\n\n"
        "def test_an_empty_basket_costs_nothing():\n    assert total([]) == 0\n"
    ),
}
QUOTE = "The total of a basket must hold every price."
TEST = (
    "from shop.basket import total\n\n\n"
    "def test_every_price_counts():\n    assert total([1, 2]) == 3\n"
)
_WELL = {"criterion": QUOTE, "verdict": "PASS", "why": "all prices are summed up"}
_CODE = {"file": "shop/basket.py", "line": 2}


def _said(*turns: Any) -> list[Turn]:
    return [read_turn(turn) for turn in turns]


def call(name: str, **args: Any) -> dict[str, Any]:
    """One tool call of a model."""
    return {"name": name, "args": args}


def create(path: str, content: str) -> dict[str, Any]:
    """A file that a model makes."""
    return call("create", path=path, content=content)


def mended(
    *more: dict[str, Any],
    test: str = TEST,
    verdict: str = "PASS",
    new: str = "sum(prices)",
    keep: Sequence[str] = (),
) -> dict[str, list[Turn]]:
    """Models that mend the bug, make the calls `more` besides, and prove it by `test`.

    `keep` are the new files of commands that belong to the change.
    """
    summary = "The slice that left the first one out is gone."
    calls = [call("edit", path="shop/basket.py", old="sum(prices[1:])", new=new), *more]
    criterion = {**_WELL, **_CODE, "verdict": verdict}
    findings = [{"severity": "blocking", "message": "It is not right yet.", **_CODE}]
    report = {
        "criteria": [criterion],
        "findings": [] if verdict == "PASS" else findings,
        "verdict": verdict,
    }
    return {
        "gpt": _said(
            {"tools": calls},
            {"tools": [call("finish", summary=summary, keep=list(keep))]},
        ),
        "claude": _said({"tools": [call("finish", summary="Nothing to improve.")]}),
        "tests": _said({"tools": [call("submit", kind="bug", quote=QUOTE, test=test)]}),
        "qa": _said({"json": report}),
    }


def no_change(*first: dict[str, Any]) -> dict[str, list[Turn]]:
    """Models that find the bug mended already, and show it by a test."""
    why = "It sums up all prices already."
    finish = {"tools": [call("finish", summary=why, nothing_to_change=why)]}
    done = _said(*({"tools": [one]} for one in first), finish)
    return {**mended(), "gpt": done, "claude": list(done)}
