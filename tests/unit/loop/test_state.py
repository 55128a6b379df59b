"""Who may write what, and how a checkpoint travels."""

from __future__ import annotations

import json

import pytest

from pipeline.checkpoint import Checkpoint
from pipeline.errors import InvalidState, StateOwnershipError
from pipeline.limits import feedback_digest
from pipeline.state import WRITES, PipelineState, Role, check_ownership, copy_of
from pipeline.transitions import Cursor, Stage

BEFORE = PipelineState(task="t", proposed_code="d")


@pytest.mark.parametrize(
    ("role", "key"),
    [
        (Role.CODER, "tests_passed"),
        (Role.CODER, "qa_passed"),
        (Role.CODER, "proposed_tests"),
        (Role.CODER, "evidence"),
        (Role.CODER, "status"),
        (Role.FORMATTER, "tests_passed"),
        (Role.TESTER, "proposed_code"),
        (Role.TESTER, "qa_passed"),
        (Role.REVIEWER, "tests_passed"),
        (Role.REVIEWER, "proposed_code"),
        (Role.TESTER, "task"),
        (Role.TESTER, "test_paths"),
    ],
)
def test_a_role_must_not_write_a_key_of_another(role: Role, key: str) -> None:
    after = {**BEFORE, key: "mine"}
    with pytest.raises(StateOwnershipError, match=key):
        check_ownership(role, "bad", BEFORE, after)


def test_a_role_must_not_drop_a_key_of_another() -> None:
    with pytest.raises(StateOwnershipError, match="proposed_code"):
        check_ownership(Role.REVIEWER, "bad", BEFORE, {"task": "t"})


@pytest.mark.parametrize("role", list(Role))
def test_a_role_may_write_its_own_keys_and_keys_nobody_knows(role: Role) -> None:
    own = dict.fromkeys(WRITES[role], "x")
    check_ownership(role, "good", BEFORE, {**BEFORE, **own, "my_metric": 3})


def test_an_agent_that_returns_no_state_is_told_so() -> None:
    with pytest.raises(InvalidState, match="returned NoneType"):
        check_ownership(Role.CODER, "bad", BEFORE, None)


def test_a_copy_shares_nothing_with_its_original() -> None:
    state = PipelineState(task="t", evidence={"a": [1]})
    copy_of(state)["evidence"]["a"].append(2)
    assert state["evidence"] == {"a": [1]}


def test_a_checkpoint_survives_a_json_round_trip() -> None:
    state = PipelineState(task="träge \u2028 \U0001f600", proposed_code="d", tests_passed=None)
    checkpoint = Checkpoint("gpt", Stage.DRAFTING, 1, state, Cursor(1, Stage.QA, 0), 0.5)
    assert Checkpoint.from_json(checkpoint.to_json()) == checkpoint


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"v": 1}', '{"v": 99}', "null"])
def test_what_is_not_a_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(InvalidState):
        Checkpoint.from_json(text)


def test_a_damaged_cursor_is_refused() -> None:
    checkpoint = Checkpoint("gpt", Stage.DRAFTING, 1, BEFORE, Cursor(1, Stage.QA, 0))
    raw = json.loads(checkpoint.to_json())
    raw["cursor"] = [1, "sleeping", 0]
    with pytest.raises(InvalidState):
        Checkpoint.from_json(json.dumps(raw))


def test_feedback_is_compared_without_durations_and_addresses() -> None:
    assert feedback_digest("at 0x7f00 in 1.2s") == feedback_digest("at 0x8f11 in 3.4s")
    assert feedback_digest("2 failed") != feedback_digest("3 failed")
