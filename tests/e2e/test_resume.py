"""Every checkpoint of a run, after a JSON round trip, resumes to the same remaining history."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import AgenticCodingPipeline, Checkpoint, NoSandbox, PipelineState
from pipeline.defaults import build_pipeline
from pipeline.limits import Limits
from pipeline.llm.scripted import ScriptedClient, Turn, load_script

DEMO = Path(__file__).parents[2] / "bot/demo"


@dataclass(frozen=True)
class Scripted:
    """An agent whose answer depends only on the iteration, so that it can be asked again."""

    name: str
    key: str
    answers: tuple[Any, ...]

    def run(self, state: PipelineState) -> PipelineState:
        answer = self.answers[len(state.get("attempts", ())) % len(self.answers)]
        said = {self.key: answer, "feedback": f"{self.name} says {answer}"}
        if self.key == "proposed_code":
            said = {self.key: a_diff(answer)}
        return PipelineState(**{**state, **said})  # type: ignore[typeddict-item]


def a_diff(text: str) -> str:
    if not text:
        return ""
    return (
        "diff --git a/a.txt b/a.txt\nnew file mode 100644\n--- /dev/null\n+++ b/a.txt\n"
        f"@@ -0,0 +1 @@\n+{text}\n"
    )


async def history(
    pipeline: AgenticCodingPipeline, state: PipelineState, start: Checkpoint | None = None
) -> list[str]:
    cursor = start.cursor if start else None
    return [c.to_json() async for c in pipeline.steps(state, cursor)]


gates = st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=3).map(tuple)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    drafts=st.lists(st.sampled_from(["x", "y", ""]), min_size=1, max_size=3).map(tuple),
    tests=gates,
    reviews=gates,
    patience=st.integers(2, 4),
)
async def test_any_lineup_resumes_from_any_checkpoint(
    drafts: tuple[str, ...], tests: tuple[Any, ...], reviews: tuple[Any, ...], patience: int
) -> None:
    pipeline = AgenticCodingPipeline(
        coders=[Scripted("coder", "proposed_code", drafts)],
        testers=[Scripted("tester", "tests_passed", tests)],
        reviewers=[Scripted("reviewer", "qa_passed", reviews)],
        max_iterations=3,
        sandbox=NoSandbox(),
        limits=Limits(same_feedback=patience),
        clock=lambda: 0.0,
    )
    straight = await history(pipeline, pipeline.start("a task"))
    for number, text in enumerate(straight):
        kept = Checkpoint.from_json(text)
        assert await history(pipeline, kept.state, kept) == straight[number + 1 :]


def the_demo(script: dict[str, list[Turn]], after: PipelineState | None) -> AgenticCodingPipeline:
    """The default line-up, its script wound forward to where the checkpoint stands."""
    used = after["usage"]["agents"] if after else {}
    clients = {
        seat: ScriptedClient(turns[used[seat]["calls"] if seat in used else 0 :])
        for seat, turns in script.items()
    }
    return build_pipeline(clients=clients, sandbox=NoSandbox())


def remembered(checkpoints: list[Checkpoint]) -> Iterator[dict[str, Any]]:
    """What must be equal: all but seconds, the random names of one run, and raw output."""
    for checkpoint in checkpoints:
        raw = json.loads(checkpoint.to_json())
        raw.pop("seconds")
        state = raw["state"]
        state["usage"].pop("seconds")
        state.pop("test_output", None)
        evidence = state.pop("evidence", None)
        if evidence:
            kept = ("kind", "verdict_tree", "changed", "reproduction", "regressions", "reason")
            state["evidence"] = {key: evidence[key] for key in kept}
        yield raw


@pytest.mark.slow
async def test_the_default_lineup_resumes_from_any_checkpoint(patient: Path) -> None:
    script = load_script(DEMO / "script.json")
    task = (DEMO / "issue.md").read_text("utf-8")
    pipeline = the_demo(script, None)
    straight = [c async for c in pipeline.steps(pipeline.start(task, patient))]
    assert straight[-1].state["status"] == "completed"
    assert len(straight) == 9
    for number in range(len(straight) - 1):
        kept = Checkpoint.from_json(straight[number].to_json())
        resumed = [c async for c in the_demo(script, kept.state).steps(kept.state, kept.cursor)]
        assert list(remembered(resumed)) == list(remembered(straight[number + 1 :]))
