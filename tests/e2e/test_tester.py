"""The tester's conversation with the base: what is refused, what counts, and what is no change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline import AgenticCodingPipeline, NoSandbox
from pipeline.agents import CodingAgent, TestingAgent
from pipeline.llm.scripted import ScriptedClient, last_words

TASK = "add() is wrong\n\nadd(1, 2) must be 3."
QUOTE = "add(1, 2) must be 3."
WRONG = "def add(a, b):\n    return a - b\n"
RIGHT = "def add(a, b):\n    return a + b\n"
GOOD = "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n"
VACUOUS = "def test_add():\n    assert True\n"
PASSES_NOW = "from calc import add\n\n\ndef test_add():\n    assert add(3, 0) == 3\n"


def tool(name: str, **args: Any) -> dict[str, Any]:
    return {"tools": [{"name": name, "args": args}]}


def submit(test: str = GOOD, *, kind: str = "bug", quote: str = QUOTE) -> dict[str, Any]:
    return tool("submit", kind=kind, quote=quote, test=test)


FIX = tool("edit", path="calc.py", old="a - b", new="a + b")
DONE = tool("finish", summary="done")
NOTHING = tool("finish", summary="-", nothing_to_change="add() adds already")


def pipeline_of(
    coder: list[Any], tester: list[Any]
) -> tuple[AgenticCodingPipeline, ScriptedClient, ScriptedClient]:
    writes, tests = ScriptedClient(coder), ScriptedClient(tester)
    pipeline = AgenticCodingPipeline(
        [CodingAgent("gpt", llm=writes)],
        testers=[TestingAgent("tests", llm=tests)],
        max_iterations=2,
        sandbox=NoSandbox(),
    )
    return pipeline, writes, tests


def answers(client: ScriptedClient) -> list[str]:
    """What the model was told after each of its submissions that did not end the talk."""
    told = [m for m in client.requests[-1].messages if m.role == "user"][1:]
    return [part.content for message in told for part in message.parts]  # type: ignore[union-attr]


def test_a_test_is_taken_only_when_it_has_shown_the_bug(
    make_repository: Callable[..., Path],
) -> None:
    repository = make_repository(**{"calc.py": WRONG})
    pipeline, _, tests = pipeline_of(
        [FIX, DONE],
        [submit(quote="add() must be fast."), submit(VACUOUS), submit(PASSES_NOW), submit()],
    )
    result = pipeline.run(TASK, repository)
    assert result["status"] == "completed"
    assert result["claim"] == {"kind": "bug", "quote": QUOTE}
    unquoted, vacuous, passing = answers(tests)
    assert "the task does not say" in unquoted
    assert vacuous
    assert "pass" in passing


def test_a_tester_without_a_proof_leaves_the_patch_unproven(
    make_repository: Callable[..., Path],
) -> None:
    repository = make_repository(**{"calc.py": WRONG})
    talk = ["I cannot think of a test."] * 3
    pipeline, _, _ = pipeline_of([FIX, DONE, DONE], talk * 2)
    result = pipeline.run(TASK, repository)
    assert (result["status"], result["reason"]) == ("failed", "unproven")
    assert "+    return a + b" in result["proposed_code"]


def test_nothing_to_change_holds_when_a_test_of_the_task_passes(
    make_repository: Callable[..., Path],
) -> None:
    repository = make_repository(**{"calc.py": RIGHT})
    pipeline, _, _ = pipeline_of([NOTHING], [submit()])
    result = pipeline.run(TASK, repository)
    assert result["status"] == "no_change"
    assert result["proposed_code"] == ""
    assert "assert add(1, 2) == 3" in result["proposed_tests"]


def test_nothing_to_change_falls_when_a_test_of_the_task_fails(
    make_repository: Callable[..., Path],
) -> None:
    repository = make_repository(**{"calc.py": WRONG})
    pipeline, writes, _ = pipeline_of([NOTHING, FIX, DONE], [submit()])
    result = pipeline.run(TASK, repository)
    assert result["status"] == "completed"
    read = "\n".join(last_words([message]) for message in writes.requests[1].messages)
    assert "You said that nothing needs to change" in read


def test_a_vacuous_test_does_not_prove_that_nothing_is_to_be_done(
    make_repository: Callable[..., Path],
) -> None:
    repository = make_repository(**{"calc.py": WRONG})
    talk = ["I give up."] * 2
    pipeline, _, _ = pipeline_of([NOTHING] * 2, [submit(VACUOUS), *talk, "x"] * 2)
    result = pipeline.run(TASK, repository)
    assert result["status"] == "failed"


def test_a_base_that_cannot_run_at_all_ends_the_run_at_once(
    make_repository: Callable[..., Path],
) -> None:
    broken = "import os\n\n\ndef pytest_configure():\n    os._exit(3)\n"
    repository = make_repository(**{"calc.py": WRONG, "conftest.py": broken})
    pipeline, _, _ = pipeline_of([FIX, DONE], ["No."] * 3)
    result = pipeline.run(TASK, repository)
    assert (result["status"], result["reason"]) == ("failed", "not verified")
    assert len(result["attempts"]) == 1
