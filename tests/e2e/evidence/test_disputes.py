"""Where test and change keep disagreeing a reviewer rules by the task, or the test stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline import AgenticCodingPipeline
from pipeline.agents import QAAgent, TestingAgent
from pipeline.llm.scripted import ScriptedClient
from pipeline.state import PipelineState
from tests.e2e.evidence.harness import PASS, Coder, House, end_of, lay_out

pytestmark = pytest.mark.needs_bubblewrap

TASK = 'show(0) is empty\n\nshow(0) must be "0s".'
QUOTE = TASK.splitlines()[-1]
FIX = Coder([("spans.py", 'return " ".join(parts)', 'return " ".join(parts) or "0s"')])
GOES_TOO_FAR = 'import spans\n\n\ndef test_it():\n    assert spans.show(0) == "0 seconds"\n'
FAIR = 'import spans\n\n\ndef test_it():\n    assert spans.show(0) == "0s"\n'
VACUOUS = "import spans\n\n\ndef test_it():\n    spans.show(0)\n    assert True\n"


def submit(test: str, kind: str = "bug") -> dict[str, Any]:
    return {"tools": [{"name": "submit", "args": {"kind": kind, "quote": QUOTE, "test": test}}]}


def ruling(against: str = "test", quote: str = QUOTE) -> dict[str, Any]:
    return {"json": {"against": against, "quote": quote, "why": "It says 0s."}}


def settle(
    house: House, where: Path, tests: list[Any], review: list[Any], rounds: int = 3
) -> PipelineState:
    pipeline = AgenticCodingPipeline(
        [FIX],
        testers=[TestingAgent("tests", llm=ScriptedClient([*tests, *["No."] * 3]))],
        reviewers=[QAAgent("qa", llm=ScriptedClient([*review, {"json": PASS}]))],
        max_iterations=rounds,
        sandbox=house.sandbox,
        kept=house.kept,
    )
    return pipeline.run(TASK, lay_out(where / "spans", "spans"))


def test_a_test_that_contradicts_the_task_is_dropped_and_another_one_proves(
    house: House, tmp_path: Path
) -> None:
    tests = [submit(GOES_TOO_FAR), submit(FAIR)]
    state = settle(house, tmp_path, tests, [ruling()])
    assert end_of(state) == "completed"
    assert "0s" in state["proposed_tests"]
    assert "0 seconds" not in state["proposed_tests"]
    (dropped,) = state["evidence"]["dropped"]
    assert dropped.endswith("::test_it")


@pytest.mark.parametrize(
    "tests",
    [
        [submit(GOES_TOO_FAR)],
        [submit(GOES_TOO_FAR), submit("", "docs"), submit("", "refactoring")],
        [submit(GOES_TOO_FAR), *[submit(VACUOUS)] * 27],
    ],
    ids=["none", "another kind", "vacuous"],
)
def test_a_dropped_test_without_another_proof_never_completes(
    tests: list[Any], house: House, tmp_path: Path
) -> None:
    state = settle(house, tmp_path, tests, [ruling()])
    assert end_of(state) == "failed - unproven"
    assert "or " in state["proposed_code"]


@pytest.mark.parametrize(
    "answers",
    [[ruling("change")], [ruling(quote='show(0) must be "nothing".')] * 2, ["PASS", "PASS"]],
    ids=["against the change", "not in the task", "unreadable"],
)
def test_without_a_valid_ruling_against_it_the_test_stands(
    answers: list[Any], house: House, tmp_path: Path
) -> None:
    state = settle(house, tmp_path, [submit(GOES_TOO_FAR)], answers)
    assert state["status"] == "failed"
    assert state["reason"] in {"tests failed", "repeated feedback"}
    assert state["evidence"]["dropped"] == []
    assert "qa" in state["feedback"] + state["attempts"][1]["feedback"]


@pytest.mark.parametrize("kind", ["refactoring", "docs"])
def test_who_finds_no_test_of_a_bug_cannot_call_it_something_else(
    kind: str, house: House, tmp_path: Path
) -> None:
    tests = [submit(VACUOUS), *[submit("", kind)] * 12]
    state = settle(house, tmp_path, tests, [], rounds=1)
    assert end_of(state) == "failed - unproven"


def test_in_the_last_iteration_a_dropped_test_leaves_the_patch_unproven(
    house: House, tmp_path: Path
) -> None:
    state = settle(house, tmp_path, [submit(GOES_TOO_FAR)], [ruling()], rounds=2)
    assert end_of(state) == "failed - unproven"
