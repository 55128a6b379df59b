"""What every client promises, over a double that we did not write, our own, and a script."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bot.emulators.models import ModelServer
from pipeline.llm.base import (
    LLMClient,
    LLMRequest,
    LLMResponse,
    Message,
    OutputSchema,
    Stop,
    Text,
    ToolCall,
    ToolResult,
    ToolSpec,
)
from pipeline.llm.scripted import Playable, ScriptedClient

READ = ToolSpec(
    "read_file",
    "Read a file.",
    {
        "type": "object",
        "properties": {"path": {"type": "string"}},
        "required": ["path"],
        "additionalProperties": False,
    },
)
VERDICT = OutputSchema(
    "verdict",
    {
        "type": "object",
        "properties": {"verdict": {"type": "string", "enum": ["PASS", "FAIL"]}},
        "required": ["verdict"],
        "additionalProperties": False,
    },
)
REQUEST = LLMRequest("You are careful.", (Message.user("Look at a.py, please."),))
TWO_CALLS: dict[str, Any] = {
    "text": "I look.",
    "tools": [
        {"name": "read_file", "args": {"path": "a.py"}},
        {"name": "read_file", "args": {"path": "ü.py"}},
    ],
}
SCRIPT: list[Playable] = [
    TWO_CALLS,
    {"text": "", "tools": [{"name": "read_file", "args": {"path": "b.py"}}], "expect": "x = 1"},
    {"json": {"verdict": "PASS"}, "expect": "y = 2"},
]


def answering(response: LLMResponse, *contents: str) -> Message:
    results = zip(response.tool_calls, contents, strict=True)
    return Message("user", tuple(ToolResult(c.id, c.name, text) for c, text in results))


@pytest.fixture(params=["scripted", "responses", "chat", "messages", "generate", "generate_v1"])
def loop_client(request: Any, wires: Any, opened: Any) -> Iterator[Any]:
    """A client whose model plays SCRIPT."""
    if request.param == "scripted":
        yield opened(ScriptedClient(SCRIPT))
        return
    wire = wires[request.param]
    with ModelServer({f"{wire.vendor}-test": SCRIPT}) as server:
        yield opened(wire.open(server.url))


async def test_a_tool_loop_ends_in_a_schema_answer(loop_client: Any) -> None:
    request = replace(REQUEST, tools=(READ,))
    first = await loop_client.complete(request)
    assert first.stop is Stop.TOOL
    assert first.text == "I look."
    assert [(c.name, c.arguments) for c in first.tool_calls] == [
        ("read_file", {"path": "a.py"}),
        ("read_file", {"path": "ü.py"}),
    ]
    assert len({c.id for c in first.tool_calls}) == 2

    said = (*REQUEST.messages, first.message, answering(first, "x = 1", "empty"))
    second = await loop_client.complete(replace(request, messages=said))
    assert [c.arguments for c in second.tool_calls] == [{"path": "b.py"}]

    said = (*said, second.message, answering(second, "y = 2"))
    third = await loop_client.complete(replace(request, messages=said, output=VERDICT))
    assert third.stop is Stop.END
    assert json.loads(third.text) == {"verdict": "PASS"}
    for response in (first, second, third):
        assert response.usage.input_tokens > 0
        assert response.usage.output_tokens > 0
    assert isinstance(loop_client, LLMClient)


async def test_the_request_says_all_that_was_asked(wire: Any, opened: Any) -> None:
    with ModelServer({f"{wire.vendor}-test": ["ok"]}) as server:
        client = opened(wire.open(server.url))
        await client.complete(
            replace(REQUEST, tools=(READ,), output=VERDICT, effort="high", max_output_tokens=1234)
        )
        incoming = server.requests[0]
    sent = json.dumps(incoming.body)
    assert incoming.system == "You are careful."
    assert incoming.last == "Look at a.py, please."
    assert "1234" in sent
    assert "high" in sent.lower()
    assert json.dumps(READ.schema["properties"]) in sent
    assert json.dumps(VERDICT.schema["properties"]) in sent
    assert "temperature" not in sent


async def test_a_malformed_tool_call_can_be_sent_back(wire: Any, opened: Any, llmock: Any) -> None:
    llmock.reply("Sorry.")
    broken = ToolCall("call_0", "read_file", None, '{"path": "a')
    said = (
        *REQUEST.messages,
        Message("assistant", (broken,)),
        Message("user", (ToolResult("call_0", "read_file", "not JSON", is_error=True),)),
    )
    client = opened(wire.at(llmock))
    assert (await client.complete(replace(REQUEST, messages=said, tools=(READ,)))).text == "Sorry."
    assert "path" in json.dumps(llmock.last_request.body).partition("not JSON")[0]


async def test_llmock_answers_in_text(wire: Any, opened: Any, llmock: Any) -> None:
    llmock.reply("Hello from a stranger.")
    client = opened(wire.at(llmock))
    response = await client.complete(REQUEST)
    assert response.text == "Hello from a stranger."
    assert response.stop is Stop.END
    assert response.message.parts == (Text("Hello from a stranger."),)


async def test_llmock_runs_a_tool_loop(wire: Any, opened: Any, llmock: Any) -> None:
    llmock.call_tool("read_file", {"path": "a.py"})
    client = opened(wire.at(llmock))
    request = replace(REQUEST, tools=(READ,))
    first = await client.complete(request)
    assert first.stop is Stop.TOOL
    assert [c.arguments for c in first.tool_calls] == [{"path": "a.py"}]
    said = (*REQUEST.messages, first.message, answering(first, "x = 1"))
    second = await client.complete(replace(request, messages=said))
    assert second.stop is Stop.END
    assert second.text
    llmock.assert_resilient(strict=True)


# llmock 0.2.2 ignores Anthropic's json_schema; that cell is played by our own stand-in.
@pytest.mark.parametrize("wire", ["responses", "chat", "generate", "generate_v1"], indirect=True)
async def test_llmock_follows_the_schema(wire: Any, opened: Any, llmock: Any) -> None:
    client = opened(wire.at(llmock))
    response = await client.complete(replace(REQUEST, output=VERDICT))
    assert json.loads(response.text)["verdict"] in {"PASS", "FAIL"}


# Gemini's arguments are an object on the wire: they cannot be malformed.
@pytest.mark.parametrize("wire", ["responses", "chat", "messages"], indirect=True)
async def test_broken_arguments_come_out_as_none_with_the_raw_words(
    wire: Any, opened: Any, llmock: Any
) -> None:
    llmock.break_tool_call("malformed_arguments")
    client = opened(wire.at(llmock))
    response = await client.complete(replace(REQUEST, tools=(READ,)))
    (call,) = response.tool_calls
    assert call.arguments is None
    assert call.raw
