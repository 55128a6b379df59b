"""The state diagram, alone: every edge, and the properties that hold for any line-up."""

from __future__ import annotations

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.state import PipelineState, Reason
from pipeline.transitions import START, Cursor, Rules, Stage, advance

FULL = Rules(coders=2, formatters=1, testers=1, reviewers=1)
PASSING = {"proposed_code": "diff", "tests_passed": True, "qa_passed": True}


def a_state(**keys: object) -> PipelineState:
    return cast("PipelineState", {"task": "t", **keys})


def test_the_second_coder_follows_the_first() -> None:
    cursor, _ = advance(START, a_state(proposed_code="diff"), FULL)
    assert cursor == Cursor(1, Stage.DRAFTING, 1)


def test_a_straight_run_visits_every_stage_and_completes() -> None:
    cursor, state, seen = START, a_state(**PASSING), []
    while cursor.stage is not Stage.ENDED:
        seen.append((cursor.stage.value, cursor.seat))
        cursor, state = advance(cursor, state, FULL)
    assert seen == [("drafting", 0), ("drafting", 1), ("formatting", 0), ("testing", 0), ("qa", 0)]
    assert state["status"] == "completed"
    assert "reason" not in state


def test_an_empty_draft_fails_with_the_reason_that_users_know() -> None:
    _, state = advance(Cursor(1, Stage.DRAFTING, 1), a_state(), FULL)
    assert (state["status"], state["reason"]) == ("failed", "coder did not return code")


def test_an_empty_first_draft_still_lets_the_second_coder_try() -> None:
    cursor, _ = advance(START, a_state(), FULL)
    assert cursor == Cursor(1, Stage.DRAFTING, 1)


def test_without_a_reviewer_nobody_confirms_another_expectation() -> None:
    rules = Rules(coders=1, formatters=0, testers=1, reviewers=0, max_iterations=2)
    expected = [{"id": "tests/t.py::test_a", "quote": "the", "problem": "", "gone": True}]
    state = a_state(proposed_code="diff", tests_passed=True, evidence={"expected": expected})
    cursor, after = advance(Cursor(1, Stage.TESTING, 0), state, rules)
    assert cursor == Cursor(2, Stage.DRAFTING, 0)
    assert "no reviewer to confirm" in after["feedback"]
    assert "tests/t.py::test_a" in after["feedback"]
    _, ended = advance(Cursor(2, Stage.TESTING, 0), state, rules)
    assert (ended["status"], ended["reason"]) == ("failed", "unproven")
    assert ended["tests_passed"] is False
    assert advance(Cursor(1, Stage.TESTING, 0), state, FULL)[0] == Cursor(1, Stage.QA, 0)


def test_nothing_to_change_goes_straight_to_the_tester() -> None:
    cursor, _ = advance(Cursor(1, Stage.DRAFTING, 1), a_state(nothing_to_change="done"), FULL)
    assert cursor == Cursor(1, Stage.TESTING, 0)


def test_nothing_to_change_ends_in_no_change_once_the_tests_agree() -> None:
    state = a_state(nothing_to_change="done", tests_passed=True)
    _, state = advance(Cursor(1, Stage.TESTING, 0), state, FULL)
    assert state["status"] == "no_change"


def test_nothing_to_change_without_a_tester_is_unproven() -> None:
    rules = Rules(coders=1, formatters=0, testers=0, reviewers=1)
    _, state = advance(START, a_state(nothing_to_change="done"), rules)
    assert (state["status"], state["reason"]) == ("failed", Reason.UNPROVEN.value)


@pytest.mark.parametrize("answer", [False, None, "yes", 1])
def test_only_true_passes_the_test_gate(answer: object) -> None:
    state = a_state(proposed_code="diff", tests_passed=answer, test_output="1 failed")
    cursor, state = advance(Cursor(1, Stage.TESTING, 0), state, FULL)
    assert cursor == Cursor(2, Stage.DRAFTING, 0)
    assert state["feedback"] == "1 failed"


@pytest.mark.parametrize("answer", [False, None, "PASS", 1])
def test_only_true_passes_the_review_gate(answer: object) -> None:
    state = a_state(proposed_code="diff", tests_passed=True, qa_passed=answer, qa_output="no")
    cursor, state = advance(Cursor(1, Stage.QA, 0), state, FULL)
    assert cursor == Cursor(2, Stage.DRAFTING, 0)
    assert state["feedback"] == "no"


def test_a_gate_that_never_wrote_its_key_does_not_pass() -> None:
    cursor, _ = advance(Cursor(1, Stage.TESTING, 0), a_state(proposed_code="diff"), FULL)
    assert cursor.stage is Stage.DRAFTING


def test_the_gates_own_feedback_wins_over_its_output() -> None:
    state = a_state(proposed_code="d", tests_passed=False, test_output="raw", feedback="look here")
    _, state = advance(Cursor(1, Stage.TESTING, 0), state, FULL)
    assert state["feedback"] == "look here"
    assert state["attempts"][0]["feedback"] == "look here"


def test_a_new_iteration_starts_without_the_verdicts_of_the_old_one() -> None:
    state = a_state(proposed_code="d", tests_passed=False, test_output="x", evidence={"a": 1})
    _, state = advance(Cursor(1, Stage.TESTING, 0), state, FULL)
    assert not {"tests_passed", "test_output", "evidence"} & set(state)


def test_the_last_iteration_ends_with_the_last_state_kept() -> None:
    state = a_state(proposed_code="d", tests_passed=False, test_output="x")
    cursor, state = advance(Cursor(3, Stage.TESTING, 0), state, FULL)
    assert cursor.stage is Stage.ENDED
    assert (state["status"], state["reason"]) == ("failed", "tests failed")
    assert state["tests_passed"] is False


def test_the_same_feedback_twice_stops_the_run() -> None:
    state = a_state(proposed_code="d", tests_passed=False, test_output="failed in 0.13s at 0xab12")
    cursor, state = advance(Cursor(1, Stage.TESTING, 0), state, Rules(1, 0, 1, 1, 9))
    state["tests_passed"], state["feedback"] = False, "failed in 0.21s at 0xff00"
    cursor, state = advance(Cursor(2, Stage.TESTING, 0), state, Rules(1, 0, 1, 1, 9))
    assert (cursor.stage, state["reason"]) == (Stage.ENDED, "repeated feedback")


def test_a_hopeless_environment_ends_the_run_at_once() -> None:
    evidence = {"hopeless": True, "reason": "not verified"}
    state = a_state(proposed_code="d", tests_passed=False, evidence=evidence)
    cursor, state = advance(Cursor(1, Stage.TESTING, 0), state, FULL)
    assert (cursor.stage, state["reason"]) == (Stage.ENDED, "not verified")


def test_a_role_that_was_left_out_is_not_checked_and_no_failure() -> None:
    _, state = advance(START, a_state(proposed_code="d"), Rules(1, 0, 0, 0))
    assert state["status"] == "completed"
    assert state["tests_passed"] is None
    assert state["qa_passed"] is None


def test_every_tester_must_pass() -> None:
    rules = Rules(coders=1, formatters=0, testers=2, reviewers=0)
    state = a_state(proposed_code="d", tests_passed=True)
    cursor, state = advance(Cursor(1, Stage.TESTING, 0), state, rules)
    assert cursor == Cursor(1, Stage.TESTING, 1)
    state["tests_passed"] = False
    cursor, _ = advance(cursor, state, rules)
    assert cursor == Cursor(2, Stage.DRAFTING, 0)


def test_advance_never_changes_the_state_it_was_given() -> None:
    state = a_state(proposed_code="d", tests_passed=False, test_output="x")
    before = dict(state)
    advance(Cursor(1, Stage.TESTING, 0), state, FULL)
    assert state == before


lineups = st.builds(
    Rules,
    coders=st.integers(1, 3),
    formatters=st.integers(0, 2),
    testers=st.integers(0, 2),
    reviewers=st.integers(0, 2),
    max_iterations=st.integers(1, 4),
    same_feedback=st.integers(2, 5),
)
answers = st.fixed_dictionaries(
    {
        "proposed_code": st.sampled_from(["", "diff"]),
        "nothing_to_change": st.sampled_from(["", "already done"]),
        "tests_passed": st.sampled_from([True, False, None]),
        "qa_passed": st.sampled_from([True, False, None]),
        "feedback": st.sampled_from(["a", "b", "c"]),
    }
)


@given(lineups, st.lists(answers, min_size=60, max_size=60))
def test_the_loop_always_ends_and_no_gate_is_skipped(
    rules: Rules, script: list[dict[str, object]]
) -> None:
    cursor, state = START, a_state()
    passed: dict[Stage, set[int]] = {Stage.TESTING: set(), Stage.QA: set()}
    bound = rules.max_iterations * (
        rules.coders + rules.formatters + rules.testers + rules.reviewers
    )
    steps = 0
    while cursor.stage is not Stage.ENDED:
        if cursor == Cursor(cursor.iteration, Stage.DRAFTING, 0):
            passed = {Stage.TESTING: set(), Stage.QA: set()}
        answer = script[steps % len(script)]
        state = _acted(cursor, state, answer)
        if cursor.stage in passed and _is_pass(cursor, state):
            passed[cursor.stage].add(cursor.seat)
        cursor, state = advance(cursor, state, rules)
        steps += 1
        assert steps <= bound
    if state["status"] == "completed":
        assert passed[Stage.TESTING] == set(range(rules.testers))
        assert passed[Stage.QA] == set(range(rules.reviewers))
        assert state["proposed_code"]
    if state["status"] == "no_change":
        assert passed[Stage.TESTING] == set(range(rules.testers))
        assert rules.testers


def _acted(cursor: Cursor, state: PipelineState, answer: dict[str, object]) -> PipelineState:
    keys = {
        Stage.DRAFTING: ("proposed_code", "nothing_to_change"),
        Stage.FORMATTING: (),
        Stage.TESTING: ("tests_passed", "feedback"),
        Stage.QA: ("qa_passed", "feedback"),
    }[cursor.stage]
    return PipelineState(**{**state, **{key: answer[key] for key in keys}})  # type: ignore[typeddict-item]


def _is_pass(cursor: Cursor, state: PipelineState) -> bool:
    key = "tests_passed" if cursor.stage is Stage.TESTING else "qa_passed"
    return state.get(key) is True
