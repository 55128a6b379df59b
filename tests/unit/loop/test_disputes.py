"""Test and change disagree: every turn that the dispute can take, alone and pure."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from pipeline.agents.ruling import no_ruling, read_ruling
from pipeline.state import PipelineState
from pipeline.transitions import Cursor, Rules, Stage, advance

TASK = 'show(0) is empty\n\nshow(0) must be "0s".'
QUOTE = 'show(0) must be "0s".'
IDS = ["tests/test_acp.py::test_it"]
TESTING, QA = Cursor(1, Stage.TESTING, 0), Cursor(1, Stage.QA, 0)
ONE = Rules(coders=1, formatters=1, testers=1, reviewers=1, max_iterations=3)
TWO = Rules(coders=1, formatters=1, testers=1, reviewers=2, max_iterations=3)
NOBODY = Rules(coders=1, formatters=1, testers=1, reviewers=0, max_iterations=3)


def ruled(against: str = "test", quote: str = QUOTE, **more: Any) -> Any:
    raw = {"against": against, "quote": quote, "why": "it says so", **more}
    return read_ruling(json.dumps(raw), TASK, "qa")


AGAINST_TEST, AGAINST_CHANGE = ruled(), ruled("change")


def disputed(times: int, *rulings: Any, dropped: Any = ()) -> PipelineState:
    state = {
        "task": TASK,
        "proposed_code": "the change",
        "proposed_tests": "the test",
        "tests_passed": False,
        "feedback": "a test fails",
        "claim": {"kind": "bug", "quote": QUOTE},
        "dispute": {
            "ids": IDS,
            "times": times,
            "rulings": list(rulings),
            "dropped": list(dropped),
        },
    }
    return cast("PipelineState", state)


# where the loop stands, the seats, the state, where it goes
TURNS = {
    "once: the author tries again": (TESTING, ONE, disputed(1), "drafting 2"),
    "twice: a reviewer rules": (TESTING, ONE, disputed(2), "qa 1"),
    "twice, but nobody may rule": (TESTING, NOBODY, disputed(2), "drafting 2"),
    "it was ruled on before": (TESTING, ONE, disputed(3, AGAINST_CHANGE), "drafting 2"),
    "against the change": (QA, ONE, disputed(2, AGAINST_CHANGE), "drafting 2"),
    "against the test": (QA, ONE, disputed(2, AGAINST_TEST), "testing 2"),
    "nobody has ruled": (QA, ONE, disputed(2), "drafting 2"),
    "the first of two against the test": (QA, TWO, disputed(2, AGAINST_TEST), "qa 1"),
    "both against the test": (
        Cursor(1, Stage.QA, 1),
        TWO,
        disputed(2, AGAINST_TEST, AGAINST_TEST),
        "testing 2",
    ),
    "one against each": (
        Cursor(1, Stage.QA, 1),
        TWO,
        disputed(2, AGAINST_TEST, AGAINST_CHANGE),
        "drafting 2",
    ),
    "the second has not ruled": (
        Cursor(1, Stage.QA, 1),
        TWO,
        disputed(2, AGAINST_TEST),
        "drafting 2",
    ),
    "without a quote": (QA, ONE, disputed(2, ruled(quote="")), "drafting 2"),
    "words that the task does not say": (
        QA,
        ONE,
        disputed(2, ruled(quote="show(0) must be nothing")),
        "drafting 2",
    ),
    "against neither": (QA, ONE, disputed(2, ruled("both")), "drafting 2"),
    "unreadable": (QA, ONE, disputed(2, read_ruling("PASS", TASK, "qa")), "drafting 2"),
    "no answer": (QA, ONE, disputed(2, no_ruling("qa", "it gave up")), "drafting 2"),
    "against the test, in the last iteration": (
        Cursor(3, Stage.QA, 0),
        ONE,
        disputed(2, AGAINST_TEST),
        "ended 3 unproven",
    ),
    "against the change, in the last iteration": (
        Cursor(3, Stage.QA, 0),
        ONE,
        disputed(2, AGAINST_CHANGE),
        "ended 3 tests failed",
    ),
}


@pytest.mark.parametrize(("at", "rules", "state", "goes"), TURNS.values(), ids=TURNS)
def test_a_dispute_takes_its_turn(at: Cursor, rules: Rules, state: Any, goes: str) -> None:
    cursor, after = advance(at, state, rules)
    ended = f" {after['reason']}" if "reason" in after else ""
    assert f"{cursor.stage.value} {cursor.iteration}{ended}" == goes
    assert after.get("status") != "completed"
    lost = goes.startswith("testing") or goes.endswith("unproven")
    assert after["dispute"]["dropped"] == (IDS if lost else [])


def test_what_is_dropped_leaves_nothing_of_itself_but_its_name() -> None:
    _, after = advance(QA, disputed(2, AGAINST_TEST, dropped=["older"]), ONE)
    assert after["proposed_tests"] == ""
    assert not {"claim", "feedback", "tests_passed", "evidence"} & after.keys()
    assert after["dispute"]["dropped"] == ["older", *IDS]
    assert after["dispute"]["times"] == 0
    assert after["proposed_code"] == "the change"


def test_a_second_dispute_is_not_ruled_on_again() -> None:
    """One ruling a run: after it the author has the word, until the iterations are used up."""
    _, after = advance(QA, disputed(2, AGAINST_TEST), ONE)
    dispute = {**after["dispute"], "ids": ["tests/test_acp.py::other"], "times": 2}
    again = cast("PipelineState", {**after, "tests_passed": False, "dispute": dispute})
    assert advance(Cursor(2, Stage.TESTING, 0), again, ONE)[0].stage is Stage.DRAFTING
