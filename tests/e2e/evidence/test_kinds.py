"""Each kind of task has its own proof and its own end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.verification.decide import RULES
from pipeline.verification.verifier import Bounds
from tests.e2e.evidence.harness import PASS, SECOND, Coder, House, end_of, lay_out, stopped_by
from tests.e2e.evidence.kinds import EARLY, EXPORTED, ROWS

pytestmark = pytest.mark.needs_bubblewrap


@pytest.mark.parametrize("name", ROWS)
def test_a_kind_has_its_end(name: str, house: House, tmp_path: Path) -> None:
    project, kind, task, coder, test, reason, rule = ROWS[name]
    more = {"tests/test_exported.py": EXPORTED} if rule == "vanished" else {}
    more |= EARLY if "something else has run" in name else {}
    repository = lay_out(tmp_path / project, project, more)
    bounds = Bounds(share=1e-9) if rule == "unreached" else house.bounds
    rounds = 2 if coder.later else 1
    state = replace(house, max_iterations=rounds, bounds=bounds).run(
        task, repository, coder, test, kind
    )
    expected = f"failed - {reason}" if reason else "completed"
    assert end_of(state) == expected, state.get("feedback")
    assert stopped_by(state) == rule
    if not reason:
        assert state["evidence"]["kind"] == kind


def test_every_rule_stops_a_row() -> None:
    """`stopped_by` holds each row to it: without its rule it comes to another end."""
    first = {row[-1] for row in ROWS.values()} - {""}
    second = {name for rule in first for name in SECOND.get(rule, ())}
    attacks = {"untrusted_run", "blind"}
    # A sandbox that refuses sockets is met where there is one.
    elsewhere = {"walled"}
    assert {rule.__name__ for rule in RULES} - elsewhere == first | second | attacks


TITLE = "Headings in upper case\n\ntitle() must write every word in upper case."
QUOTE = TITLE.splitlines()[-1]
UPPER = ("slugs/text.py", "word.capitalize()", "word.upper()")
OLD = ("tests/test_text.py", '== "Hello World"', '== "HELLO WORLD"')
WEAK = ("tests/test_text.py", 'assert title("hello-world") == "Hello World"', "assert title")
CASES = 'from slugs.text import title\n\n\ndef test_it():\n    assert title("ab") == "AB"\n'
NAME = "tests/test_text.py::test_title"
CONFIRMED = {**PASS, "expectations": [{"test": NAME, "verdict": "PASS", "why": "it says so"}]}
NAMED: Any = ({"test": NAME, "quote": QUOTE},)


@pytest.mark.parametrize(
    ("coder", "review", "end"),
    [
        (Coder([UPPER, OLD], expectations=NAMED), CONFIRMED, "completed"),
        (Coder([UPPER, OLD], expectations=NAMED), PASS, "failed - qa failed"),
        (Coder([UPPER, OLD]), CONFIRMED, "failed - tests failed"),
        (
            Coder([UPPER, OLD], expectations=({"test": NAME, "quote": "The test is wrong."},)),
            CONFIRMED,
            "failed - tests failed",
        ),
        (Coder([UPPER, WEAK], expectations=NAMED), CONFIRMED, "failed - tests failed"),
    ],
    ids=["named", "not confirmed", "not named", "not in the task", "weakened"],
)
def test_an_expectation_changes_only_with_the_words_of_the_task(
    coder: Coder, review: Any, end: str, house: House, tmp_path: Path
) -> None:
    repository = lay_out(tmp_path / "slugs", "slugs")
    state = house.run(TITLE, repository, coder, CASES, review=review)
    assert end_of(state) == end, state.get("feedback")
    if end == "completed":
        assert any("the task changes it" in one for one in state["evidence"]["not_verified"])


def test_a_base_that_is_red_or_has_no_tests_gets_an_honest_result(
    house: House, tmp_path: Path
) -> None:
    red = {"tests/test_red.py": "def test_red():\n    assert False\n"}
    coder = Coder([UPPER, OLD], expectations=NAMED)
    state = house.run(
        TITLE, lay_out(tmp_path / "red", "slugs", red), coder, CASES, review=CONFIRMED
    )
    assert state["status"] == "completed"
    assert state["evidence"]["failing_before"] == ["tests/test_red.py::test_red"]
