"""A ruling counts only with words of the task, and whatever is unclear leaves the test standing."""

from __future__ import annotations

import json

import pytest

from pipeline.agents.ruling import read_ruling, render

TASK = "add() is wrong\n\nadd(1, 2) must\nbe 3."


def said(**more: str) -> str:
    whole = {"against": "test", "quote": "add(1, 2) must be 3.", "why": "It asks for 4."}
    return json.dumps({**whole, **more})


def test_a_ruling_with_words_of_the_task_counts() -> None:
    ruling = read_ruling(said(), TASK, "qa")
    assert (ruling["against"], ruling["problem"]) == ("test", "")
    assert render(ruling) == (
        'qa: the test contradicts the task, which says: "add(1, 2) must be 3."\nIt asks for 4.'
    )


@pytest.mark.parametrize(
    "text", [said(quote="add(1, 2) must be 4."), said(quote=""), said(against="both"), "no", "[]"]
)
def test_anything_else_does_not_count(text: str) -> None:
    ruling = read_ruling(text, TASK, "qa")
    assert ruling["problem"]
    assert "has not ruled" in render(ruling)
