"""The public API as the README prints it, on a machine without a sandbox."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from pipeline import AgenticCodingPipeline, Checkpoint, NoSandbox, PipelineState, errors, files
from pipeline.agents import CodingAgent, FormattingAgent, QAAgent, TestingAgent
from pipeline.agents.seated import ModelAgent
from pipeline.defaults import build_pipeline
from pipeline.errors import InvalidState, LLMMisconfigured, PatchError, StateOwnershipError
from pipeline.llm.scripted import ScriptedClient

SIEVE = "def primes(n):\n  return [p for p in range(2,n) if all(p%q for q in range(2,p))]\n"
SIEVE_TEST = (
    "from sieve import primes\n\n\ndef test_primes():\n    assert primes(8) == [2, 3, 5, 7]\n"
)
CREATE = {"tools": [{"name": "create", "args": {"path": "sieve.py", "content": SIEVE}}]}
FINISH = {"tools": [{"name": "finish", "args": {"summary": "done"}}]}
SUBMIT = {
    "tools": [
        {
            "name": "submit",
            "args": {"kind": "feature", "quote": "Implement a prime sieve", "test": SIEVE_TEST},
        }
    ]
}
PASS = {
    "json": {
        "criteria": [
            {"criterion": "sieve", "verdict": "PASS", "why": "", "file": "sieve.py", "line": 1}
        ],
        "findings": [],
        "verdict": "PASS",
    }
}


def the_printed_pipeline(**changes: Any) -> AgenticCodingPipeline:
    lineup: dict[str, Any] = {
        "coders": [
            CodingAgent(name="gpt", llm=ScriptedClient([CREATE, FINISH])),
            CodingAgent(name="claude", llm=ScriptedClient([FINISH])),
        ],
        "formatters": [FormattingAgent(name="formatter")],
        "testers": [TestingAgent(name="tests", llm=ScriptedClient([SUBMIT]))],
        "reviewers": [QAAgent(name="qa", llm=ScriptedClient([PASS]))],
        "max_iterations": 5,
        "sandbox": NoSandbox(),
    }
    return AgenticCodingPipeline(**{**lineup, **changes})


def test_a_task_without_a_repository_starts_from_an_empty_tree() -> None:
    result = the_printed_pipeline().run("Implement a prime sieve")
    assert result["status"] == "completed"
    assert result.get("feedback") is None
    assert result["base_sha"] == ""
    formatted = (
        "def primes(n):\n    return [p for p in range(2, n) if all(p % q for q in range(2, p))]\n"
    )
    assert files(result) == {"sieve.py": formatted}
    assert result["tests_passed"] is True
    assert result["qa_passed"] is True
    json.dumps(result)


def test_a_task_on_a_repository_leaves_that_repository_alone(
    make_repository: Callable[..., Path],
) -> None:
    repository = make_repository(**{"README.md": "# here\n"})
    before = sorted(path.name for path in repository.iterdir())
    result = the_printed_pipeline().run("Implement a prime sieve", repo=repository)
    assert result["status"] == "completed"
    assert len(result["base_sha"]) == 40
    assert list(files(result)) == ["sieve.py"]
    assert sorted(path.name for path in repository.iterdir()) == before


async def test_run_works_inside_a_running_event_loop() -> None:
    result = the_printed_pipeline().run("Implement a prime sieve")
    assert result["status"] == "completed"
    assert list(files(result)) == ["sieve.py"]


async def test_arun_and_steps_tell_the_same_story() -> None:
    pipeline = the_printed_pipeline()
    seen: list[Checkpoint] = [
        checkpoint async for checkpoint in pipeline.steps(pipeline.start("Implement a prime sieve"))
    ]
    assert [c.agent for c in seen] == ["gpt", "claude", "formatter", "tests", "qa"]
    assert seen[-1].final
    assert (await the_printed_pipeline().arun("Implement a prime sieve"))["status"] == "completed"


def test_without_testers_and_reviewers_nothing_is_checked_and_that_is_said() -> None:
    result = the_printed_pipeline(testers=[], reviewers=[]).run("Implement a prime sieve")
    assert result["status"] == "completed"
    assert result["tests_passed"] is None
    assert result["qa_passed"] is None
    assert result["notes"] == [
        "tests: not checked (no tester)",
        "review: not checked (no reviewer)",
    ]


def test_author_and_reviewer_of_one_vendor_are_named() -> None:
    shared = ScriptedClient([PASS], provider="acme")
    coder = CodingAgent("gpt", llm=ScriptedClient([CREATE, FINISH], provider="acme"))
    pipeline = the_printed_pipeline(coders=[coder], reviewers=[QAAgent("qa", llm=shared)])
    result = pipeline.run("Implement a prime sieve")
    assert result["notes"] == ["author and reviewer share one vendor (acme)"]


class Writer:
    """A synchronous agent of somebody else's, which edits the workspace."""

    name = "writer"

    def run(self, state: PipelineState, workspace: Any) -> PipelineState:
        workspace.write("sieve.py", SIEVE)
        (workspace.root / "notes.txt").write_text("on disk\n", "utf-8")
        assert workspace.read("sieve.py") == SIEVE
        assert workspace.files() == ["notes.txt", "sieve.py"]
        assert workspace.exec(["true"]).ok
        return {**state, "my_metric": 7}  # type: ignore[typeddict-unknown-key]


def test_a_synchronous_agent_edits_the_workspace_and_the_host_makes_the_diff() -> None:
    result = the_printed_pipeline(coders=[Writer()]).run("Implement a prime sieve")
    assert result["status"] == "completed"
    assert sorted(files(result)) == ["notes.txt", "sieve.py"]
    assert result["my_metric"] == 7  # type: ignore[typeddict-item]


DIFF = """\
diff --git a/a.txt b/a.txt
new file mode 100644
--- /dev/null
+++ b/a.txt
@@ -0,0 +1 @@
+a
"""


class Stateful:
    """An agent that knows nothing but the state."""

    def __init__(self, **keys: Any) -> None:
        self.name = "stateful"
        self._keys = keys

    def run(self, state: PipelineState) -> PipelineState:
        return PipelineState(**{**state, **self._keys})  # type: ignore[typeddict-item]


def alone(agent: Any) -> AgenticCodingPipeline:
    return AgenticCodingPipeline([agent], sandbox=NoSandbox())


def test_an_agent_without_a_workspace_proposes_a_diff() -> None:
    result = alone(Stateful(proposed_code=DIFF)).run("add a")
    assert files(result) == {"a.txt": "a\n"}


def test_a_proposal_that_is_no_diff_is_refused() -> None:
    with pytest.raises(PatchError):
        alone(Stateful(proposed_code="print(1)")).run("add a")


def test_an_empty_draft_fails_with_the_known_reason() -> None:
    result = alone(Stateful()).run("add a")
    assert (result["status"], result["reason"]) == ("failed", "coder did not return code")


def test_a_coder_that_passes_its_own_tests_is_refused() -> None:
    with pytest.raises(StateOwnershipError, match="tests_passed"):
        alone(Stateful(proposed_code=DIFF, tests_passed=True)).run("add a")


class Meddler:
    """A tester or reviewer that edits the product, and passes it."""

    name = "meddler"

    def __init__(self, passes: str) -> None:
        self._passes = passes

    def run(self, state: PipelineState, workspace: Any) -> PipelineState:
        workspace.write("a.txt", "mended\n")
        return cast("PipelineState", {**state, self._passes: True})


def test_a_tester_that_edits_the_product_is_refused() -> None:
    coder = Stateful(proposed_code=DIFF)
    pipeline = AgenticCodingPipeline(
        [coder], testers=[Meddler("tests_passed")], sandbox=NoSandbox()
    )
    with pytest.raises(StateOwnershipError, match=r"changed a\.txt"):
        pipeline.run("add a")


def test_a_reviewer_that_edits_the_product_is_refused() -> None:
    coder = Stateful(proposed_code=DIFF)
    meddler = Meddler("qa_passed")
    pipeline = AgenticCodingPipeline([coder], reviewers=[meddler], sandbox=NoSandbox())
    with pytest.raises(StateOwnershipError, match="is a reviewer and changed"):
        pipeline.run("add a")


class Intruder:
    """A coder that writes where only the tester may."""

    name = "intruder"

    def run(self, state: PipelineState, workspace: Any) -> PipelineState:
        workspace.write(state["test_paths"][0], "def test(): pass\n")
        return state


def test_a_coder_that_writes_the_testers_file_is_refused() -> None:
    with pytest.raises(StateOwnershipError, match="the tester's"):
        alone(Intruder()).run("add a")


class Broken:
    """An agent that raises."""

    name = "broken"

    def run(self, state: PipelineState) -> PipelineState:
        raise KeyError("oops")


def test_an_agent_that_raises_is_named() -> None:
    with pytest.raises(errors.AgentError, match="agent 'broken' failed: KeyError"):
        alone(Broken()).run("add a")


def test_a_lineup_without_coders_or_with_two_of_one_name_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one coder"):
        AgenticCodingPipeline([])
    with pytest.raises(ValueError, match="used twice: stateful"):
        AgenticCodingPipeline([Stateful(), Stateful()])


def test_an_empty_task_is_refused() -> None:
    with pytest.raises(InvalidState, match="the task is empty"):
        alone(Stateful()).run("  \n")


KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "GEMINI_API_KEY")


def test_without_any_key_every_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in (*KEYS, "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.delenv(key, raising=False)
    with pytest.raises(LLMMisconfigured) as caught:
        build_pipeline(sandbox=NoSandbox()).run("add a")
    assert all(key in str(caught.value) for key in KEYS[:3])


def test_one_vendors_key_seats_every_role(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in (*KEYS, "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-not-a-key")
    agents = [a for a in build_pipeline().agents if isinstance(a, ModelAgent)]
    assert {agent.client.provider for agent in agents} == {"anthropic"}
    for agent in agents:
        asyncio.run(agent.aclose())


def test_an_unknown_seat_or_vendor_is_refused() -> None:
    with pytest.raises(LLMMisconfigured, match="no seat coder"):
        build_pipeline(models={"coder": "openai:x"})
    with pytest.raises(LLMMisconfigured, match="no vendor 'acme'"):
        build_pipeline(models={"gpt": "acme:x"})
