"""A repository that holds secrets is worked on unharmed, and nobody is shown ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline import Checkpoint, NoSandbox
from pipeline.agents import CodingAgent
from pipeline.errors import SecretFound
from pipeline.journal import MemoryJournal
from pipeline.llm.scripted import ScriptedClient, read_turn
from pipeline.orchestrator import AgenticCodingPipeline
from pipeline.redaction import Redactor
from pipeline.replay import replay

OURS = "sk-ours-and-committed-by-mistake"
EXAMPLE = "AKIAIOSFODNN7EXAMPLE"
MARK = "[redacted:openai-api-key]"
# git heads a hunk with the nearest line above that begins with a letter
CONFIG = f"key = {OURS}\n\nother:\n" + "\n" * 9 + f"example = {EXAMPLE}\nname = 1\n"


def a_coder(*calls: tuple[str, dict[str, str]]) -> tuple[AgenticCodingPipeline, ScriptedClient]:
    turns = [{"tools": [{"name": name, "args": args}]} for name, args in calls]
    finish = {"tools": [{"name": "finish", "args": {"summary": "done"}}]}
    model = ScriptedClient([read_turn(turn) for turn in [*turns, finish]])
    redact = Redactor({"openai_api_key": OURS})
    coder = CodingAgent("gpt", model)
    return AgenticCodingPipeline([coder], sandbox=NoSandbox(), redact=redact), model


@pytest.fixture
def repository(make_repository: Callable[..., Path]) -> Path:
    return make_repository(**{"app.conf": CONFIG})


async def test_the_file_keeps_its_bytes_and_the_model_sees_a_marker(repository: Path) -> None:
    pipeline, model = a_coder(
        ("read", {"path": "app.conf"}),
        ("edit", {"path": "app.conf", "old": f"key = {MARK}", "new": "key = 2"}),
        ("run", {"command": "cat app.conf; base64 -w0 app.conf; cp app.conf copy.conf; rm copy.*"}),
        ("edit", {"path": "app.conf", "old": "name = 1", "new": "name = 2"}),
    )
    journal = MemoryJournal()
    state = pipeline.start(f"Rename. Our key is {OURS}.", repository)
    live = [c.to_json() async for c in pipeline.steps(state, journal=journal)]

    diff = Checkpoint.from_json(live[-1]).state["proposed_code"]
    assert "-name = 1\n+name = 2\n" in diff
    assert f" example = {EXAMPLE}\n" in diff  # a key that is not ours is nobody's business here
    heard = repr(model.requests)
    assert "a secret stands there" in heard
    assert MARK in heard
    assert EXAMPLE in heard
    for told in (heard, "".join(live), json.dumps([e.reply for e in journal.entries.values()])):
        assert OURS not in told

    # Whoever replays it does not know our secret: a marker stands for whatever is there.
    assert [c.to_json() async for c in replay(journal.entries, journal.base)] == live


async def test_a_change_that_holds_a_secret_of_ours_goes_nowhere(repository: Path) -> None:
    pipeline, _ = a_coder(("run", {"command": "sed -i '2i more = 1' app.conf"}))
    with pytest.raises(SecretFound, match=r"holds a secret of this installation \(\[redacted:op"):
        await pipeline.arun("Add a line.", repository)
