"""Who acts next: the state diagram as pure functions.

    drafting -> formatting -> testing -> qa -> ended (completed)
        ^                       |        |
        +------- feedback ------+--------+   until iterations, patience or budget end (failed)

Where the same tests of the tester fail twice in a row, qa rules which side contradicts the task:
against the change the run goes back to drafting, against the tests to testing, for another proof.

A stage without seats is skipped; its gate is then "not checked" (None), which is not a failure.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from pipeline.limits import is_stuck
from pipeline.state import Attempt, PipelineState, Reason, Status, copy_of


class Stage(StrEnum):
    """Where in an iteration the loop stands."""

    DRAFTING = "drafting"
    FORMATTING = "formatting"
    TESTING = "testing"
    QA = "qa"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Cursor:
    """The seat that acts next: iterations count from 1, seats of a stage from 0."""

    iteration: int
    stage: Stage
    seat: int


@dataclass(frozen=True, slots=True)
class Rules:
    """What the diagram depends on: seats a stage, iterations, and patience with one feedback."""

    coders: int
    formatters: int
    testers: int
    reviewers: int
    max_iterations: int = 3
    same_feedback: int = 2

    def seats(self, stage: Stage) -> int:
        """How many agents sit in `stage`."""
        return {
            Stage.DRAFTING: self.coders,
            Stage.FORMATTING: self.formatters,
            Stage.TESTING: self.testers,
            Stage.QA: self.reviewers,
            Stage.ENDED: 0,
        }[stage]


Move = tuple[Cursor, PipelineState]
START = Cursor(1, Stage.DRAFTING, 0)
_NEXT = {
    Stage.DRAFTING: Stage.FORMATTING,
    Stage.FORMATTING: Stage.TESTING,
    Stage.TESTING: Stage.QA,
    Stage.QA: Stage.ENDED,
}
_OF_ONE_ITERATION = (
    "nothing_to_change",
    "tests_passed",
    "test_output",
    "evidence",
    "qa_passed",
    "qa_output",
)


def advance(cursor: Cursor, state: PipelineState, rules: Rules) -> Move:
    """The move after the seat at `cursor` has acted and left `state`. Never changes `state`."""
    state = copy_of(state)
    if (stopped := _at_gate(cursor, state, rules)) is not None:
        return stopped
    if cursor.seat + 1 < rules.seats(cursor.stage):
        return Cursor(cursor.iteration, cursor.stage, cursor.seat + 1), state
    if cursor.stage is Stage.DRAFTING:
        if not state.get("proposed_code"):
            return _without_code(cursor, state, rules)
        # Whatever its author says of it, a change has to be proven.
        state.pop("nothing_to_change", None)
    if cursor.stage is Stage.TESTING and not state.get("proposed_code"):
        return end(cursor, state, "no_change")
    return _forward(cursor, state, rules)


def _at_gate(cursor: Cursor, state: PipelineState, rules: Rules) -> Move | None:
    """The move where a gate did not let the change through; None where it did."""
    if cursor.stage is Stage.TESTING and state.get("tests_passed") is not True:
        if rules.reviewers and is_disputed(state):
            return Cursor(cursor.iteration, Stage.QA, 0), state
        return _back(cursor, state, rules, "testing", _reason_of_tests(state))
    if cursor.stage is Stage.TESTING and not rules.reviewers and (named := _changed(state)):
        state["tests_passed"] = False
        state["feedback"] = (
            "There is no reviewer to confirm that the task changes what these tests expect: leave "
            f"them as they are, and passing: {', '.join(named)}"
        )
        return _back(cursor, state, rules, "testing", Reason.UNPROVEN)
    if cursor.stage is Stage.QA and state.get("tests_passed") is False:
        return _after_ruling(cursor, state, rules)
    if cursor.stage is Stage.QA and state.get("qa_passed") is not True:
        return _back(cursor, state, rules, "qa", Reason.QA_FAILED)
    return None


def _changed(state: PipelineState) -> list[str]:
    """Tests whose expectation the change is held to change, as far as running can tell."""
    said = state.get("evidence", {}).get("expected", ())
    return [one["id"] for one in said if not one["problem"]]


def is_disputed(state: PipelineState) -> bool:
    """Whether test and change disagree for the second time, and nobody has ruled on it."""
    dispute = state.get("dispute")
    return dispute is not None and dispute["times"] > 1 and not dispute["rulings"]


def _after_ruling(cursor: Cursor, state: PipelineState, rules: Rules) -> Move:
    """Only if every reviewer rules against the tests are they dropped."""
    rulings = state["dispute"]["rulings"] if "dispute" in state else []
    against = [one["against"] == "test" and not one["problem"] for one in rulings]
    if len(against) <= cursor.seat or not all(against):
        return _back(cursor, state, rules, "testing", Reason.TESTS_FAILED)
    if cursor.seat + 1 < rules.reviewers:
        return Cursor(cursor.iteration, Stage.QA, cursor.seat + 1), state
    attempt = Attempt(
        iteration=cursor.iteration,
        gate="testing",
        reason=Reason.TESTS_FAILED.value,
        feedback=state.get("feedback", ""),
    )
    state["attempts"] = [*state.get("attempts", []), attempt]
    dispute = state["dispute"]
    state["dispute"] = {**dispute, "dropped": [*dispute["dropped"], *dispute["ids"]], "times": 0}
    if cursor.iteration >= rules.max_iterations:
        return end(cursor, state, "failed", Reason.UNPROVEN)
    for key in (*_OF_ONE_ITERATION, "claim", "feedback"):
        state.pop(key, None)  # type: ignore[misc]
    state["proposed_tests"] = ""
    return Cursor(cursor.iteration + 1, Stage.TESTING, 0), state


def end(cursor: Cursor, state: PipelineState, status: Status, reason: Reason | None = None) -> Move:
    """The last move: status and, unless all is well, the reason."""
    state = copy_of(state)
    state["status"] = status
    if reason is not None:
        state["reason"] = reason.value
    return Cursor(cursor.iteration, Stage.ENDED, 0), state


def _without_code(cursor: Cursor, state: PipelineState, rules: Rules) -> Move:
    """An empty draft fails, unless the coder gave a reason that a test can check on the base."""
    if not state.get("nothing_to_change"):
        return end(cursor, state, "failed", Reason.EMPTY_DRAFT)
    if not rules.testers:
        return end(cursor, state, "failed", Reason.UNPROVEN)
    state.pop("feedback", None)
    return Cursor(cursor.iteration, Stage.TESTING, 0), state


def _forward(cursor: Cursor, state: PipelineState, rules: Rules) -> Move:
    """The first seat of the next stage that has one."""
    stage = cursor.stage
    while True:
        stage = _NEXT[stage]
        if stage is Stage.TESTING:
            state.pop("feedback", None)  # the coders have read it; a gate writes its own
        if stage is Stage.ENDED:
            return end(cursor, state, "completed")
        if rules.seats(stage):
            return Cursor(cursor.iteration, stage, 0), state
        if stage is Stage.TESTING:
            state["tests_passed"] = None
        if stage is Stage.QA:
            state["qa_passed"] = None


def _back(
    cursor: Cursor,
    state: PipelineState,
    rules: Rules,
    gate: Literal["testing", "qa"],
    reason: Reason,
) -> Move:
    """A gate said no: feed it back to the coders, or stop where that cannot help any more."""
    output = state.get("test_output") if gate == "testing" else state.get("qa_output")
    feedback = state.get("feedback") or output or f"{gate} did not pass and gave no output"
    state["feedback"] = feedback
    attempt = Attempt(iteration=cursor.iteration, gate=gate, reason=reason.value, feedback=feedback)
    state["attempts"] = [*state.get("attempts", []), attempt]
    if gate == "testing" and state.get("evidence", {}).get("hopeless"):
        return end(cursor, state, "failed", reason)
    if cursor.iteration >= rules.max_iterations:
        return end(cursor, state, "failed", reason)
    if is_stuck(state["attempts"], rules.same_feedback):
        return end(cursor, state, "failed", Reason.REPEATED)
    for key in _OF_ONE_ITERATION:
        state.pop(key, None)  # type: ignore[misc]
    return Cursor(cursor.iteration + 1, Stage.DRAFTING, 0), state


def _reason_of_tests(state: PipelineState) -> Reason:
    """What the evidence calls it; a tester without evidence simply failed."""
    named = state.get("evidence", {}).get("reason")
    return Reason(named) if named in {r.value for r in Reason} else Reason.TESTS_FAILED
