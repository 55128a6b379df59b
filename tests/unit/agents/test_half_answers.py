"""Half an answer at a whole seat, over real HTTP: it changes no file and passes no review."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from pipeline.agents import CodingAgent, QAAgent
from pipeline.agents.base import Seat
from pipeline.errors import LLMIncomplete
from pipeline.llm.adapter import Adapter
from pipeline.llm.anthropic import AnthropicMessages
from pipeline.llm.google import GoogleGenerate
from pipeline.llm.openai_chat import OpenAIChat
from pipeline.llm.openai_responses import OpenAIResponses
from pipeline.llm.retrying import Retrying
from pipeline.state import PipelineState
from pipeline.workspace.workspace import Workspace

EDIT = {"path": "new.py", "content": "x = 9\n"}
MET = {"criterion": "new.py", "verdict": "PASS", "why": "there", "file": "new.py", "line": 1}
PASS = json.dumps({"criteria": [MET], "findings": [], "expectations": [], "verdict": "PASS"})
WIRES: dict[str, tuple[type[Adapter], str]] = {
    "responses": (OpenAIResponses, "openai"),
    "chat": (OpenAIChat, "openai"),
    "messages": (AnthropicMessages, "anthropic"),
    "generate": (GoogleGenerate, "gemini"),
}
# Cut there, the call's arguments are all there, and only the terminal marker is missing.
EDIT_CUT_AT = {"responses": 9, "chat": 6, "messages": 7}


@pytest.fixture
async def client(request: pytest.FixtureRequest, llmock: Any) -> AsyncIterator[Retrying]:
    kind, name = WIRES[request.param]
    adapter = kind("m", api_key="k", base_url=llmock.base_url(name))
    yield Retrying(adapter, tries=2, chance=lambda: 0.0)
    await adapter.aclose()


def task() -> PipelineState:
    return PipelineState(task="Add new.py.")


@pytest.mark.parametrize(
    ("client", "chunks"), EDIT_CUT_AT.items(), indirect=["client"], ids=EDIT_CUT_AT
)
async def test_a_truncated_answer_never_becomes_an_edit(
    client: Retrying, chunks: int, llmock: Any, workspace: Workspace, seat: Seat
) -> None:
    llmock.truncate(after_chunks=chunks, times=None).call_tool("create", EDIT, times=None)
    with pytest.raises(LLMIncomplete):
        await CodingAgent("gpt", llm=client, max_turns=1).run(task(), workspace, seat)
    assert "new.py" not in await workspace.files()
    assert len(llmock.requests) == 2


@pytest.mark.parametrize("client", WIRES, indirect=True)
async def test_the_same_answer_whole_is_an_edit(
    client: Retrying, llmock: Any, workspace: Workspace, seat: Seat
) -> None:
    llmock.call_tool("create", EDIT)
    await CodingAgent("gpt", llm=client, max_turns=1).run(task(), workspace, seat)
    assert "new.py" in await workspace.files()


@pytest.mark.parametrize("client", ["responses", "chat", "messages"], indirect=True)
async def test_a_truncated_verdict_never_becomes_a_pass(
    client: Retrying, llmock: Any, workspace: Workspace, seat: Seat
) -> None:
    # The text is whole: what is missing is the end of the stream.
    pieces = {"OpenAIResponses": 4, "OpenAIChat": 1, "AnthropicMessages": 3}
    whole = len(PASS.split()) + pieces[type(client._client).__name__]
    llmock.truncate(after_chunks=whole, times=None).reply(PASS, times=None)
    state = await QAAgent("qa", llm=client).run(task(), workspace, seat)
    assert state["qa_passed"] is False
    assert "no verdict" in state["qa_output"]


@pytest.mark.parametrize("client", WIRES, indirect=True)
@pytest.mark.parametrize("said", ["PASS", '{"verdict": "PASS"', '{"verdict": "pass"}', "[]"])
async def test_an_invalid_verdict_never_becomes_a_pass(
    said: str, client: Retrying, llmock: Any, workspace: Workspace, seat: Seat
) -> None:
    llmock.reply(said, times=None)
    state = await QAAgent("qa", llm=client).run(task(), workspace, seat)
    assert state["qa_passed"] is False
    assert len(llmock.requests) == 2  # it was asked once more, for the form


@pytest.mark.parametrize("client", WIRES, indirect=True)
async def test_a_valid_verdict_passes(
    client: Retrying, llmock: Any, workspace: Workspace, seat: Seat
) -> None:
    llmock.reply(PASS)
    state = await QAAgent("qa", llm=client).run(task(), workspace, seat)
    assert state["qa_passed"] is True
