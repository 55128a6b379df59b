"""What a maker wrote for itself goes back to it as it came, and to nobody else: on the wire."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bot.emulators.models import ModelServer
from pipeline.errors import LLMIncomplete, LLMTooLong
from pipeline.llm.anthropic import AnthropicMessages
from pipeline.llm.base import LLMRequest, LLMResponse, Message, Native, Text, ToolResult, ToolSpec
from pipeline.llm.codec import response_from_json, response_to_json

TOOL = ToolSpec("f", "d", {"type": "object", "properties": {}})
REQUEST = LLMRequest("system", (Message.user("go"),), tools=(TOOL,), timeout_s=20)
CALL = {"text": "I look.", "tools": [{"name": "f", "args": {"x": 1}}]}
SEALING = ["responses", "messages", "generate", "generate_v1"]
OWN = "of-one-maker"


@pytest.fixture
def emulator() -> Iterator[ModelServer]:
    with ModelServer({"all": [CALL, "done"]}, seats=lambda _: "all") as server:
        yield server


def gone_on(first: LLMResponse) -> LLMRequest:
    """The request with the first answer and its tool's result."""
    journalled = response_from_json(json.loads(json.dumps(response_to_json(first))))
    (call,) = journalled.tool_calls
    result = Message("user", (ToolResult(call.id, call.name, "ok"),))
    return replace(REQUEST, messages=(*REQUEST.messages, journalled.message, result))


@pytest.mark.parametrize("wire", SEALING, indirect=True)
async def test_thoughts_go_back_unchanged_even_through_the_journal(
    wire: Any, opened: Any, emulator: ModelServer
) -> None:
    client = opened(wire.open(emulator.url))
    first = await client.complete(REQUEST)
    (native,) = [part for part in first.message.parts if isinstance(part, Native)]
    assert (native.provider, native.model) == (wire.vendor, client.model)
    assert (await client.complete(gone_on(first))).text == "done"  # the stand-in looks at the seal


async def test_openai_is_told_to_keep_nothing_and_gives_its_reasoning_along(
    wires: Any, opened: Any, emulator: ModelServer
) -> None:
    client = opened(wires["responses"].open(emulator.url))
    await client.complete(gone_on(await client.complete(REQUEST)))
    bodies = [incoming.body for incoming in emulator.requests]
    assert [body["store"] for body in bodies] == [False, False]
    assert all(body["include"] == ["reasoning.encrypted_content"] for body in bodies)
    reasoning, message, call, result = bodies[1]["input"][1:]
    assert reasoning["type"] == "reasoning"
    assert reasoning["encrypted_content"]
    assert (message["type"], call["type"]) == ("message", "function_call")
    assert result == {"type": "function_call_output", "call_id": call["call_id"], "output": "ok"}


@pytest.mark.parametrize(
    "maker", [("stranger", "m"), ("openai", "m"), ("anthropic", "m"), ("google", "m")]
)
async def test_nothing_of_another_maker_is_sent(
    maker: tuple[str, str], wire: Any, opened: Any, canned: Any
) -> None:
    client = opened(wire.open(canned.url))
    said = Message(
        "assistant", (Native(maker[0], [{"type": OWN, "text": OWN}], maker[1]), Text("hm"))
    )
    messages = (*REQUEST.messages, said, Message.user("on"))
    with pytest.raises(LLMIncomplete):
        await client.complete(replace(REQUEST, messages=messages))
    (body,) = canned.bodies
    assert OWN not in json.dumps(body)
    assert "hm" in json.dumps(body)


async def test_its_own_turn_goes_out_as_the_maker_wrote_it(
    wires: Any, opened: Any, canned: Any
) -> None:
    part = {"text": "hm", "thought_signature": "c2VhbA=="}
    blocks = [{"type": "redacted_thinking", "data": OWN}, {"type": "text", "text": "hm"}]
    items = [{"type": "reasoning", "id": "r", "summary": [], "encrypted_content": OWN}]
    payloads = {"responses": items, "messages": blocks, "generate": [part], "generate_v1": [part]}
    for name, payload in payloads.items():
        client = opened(wires[name].open(canned.url))
        native = Native(client.provider, payload, client.model)
        said = Message("assistant", (native, Text("other words")))
        with pytest.raises(LLMIncomplete):
            await client.complete(
                replace(REQUEST, messages=(*REQUEST.messages, said, Message.user("on")))
            )
        sent = json.dumps(canned.bodies[-1])
        assert (OWN if name in {"responses", "messages"} else "c2VhbA==") in sent
        assert "other words" not in sent


@pytest.mark.parametrize("wire", ["generate", "generate_v1"], indirect=True)
async def test_gemini_is_told_that_a_call_was_another_models(
    wire: Any, opened: Any, wires: Any, emulator: ModelServer
) -> None:
    first = await opened(wires["chat"].open(emulator.url)).complete(REQUEST)
    assert (await opened(wire.open(emulator.url)).complete(gone_on(first))).text == "done"
    (call,) = [p for c in emulator.requests[-1].body["contents"] for p in c["parts"] if len(p) > 1]
    assert call["thoughtSignature"] == "skip_thought_signature_validator"


def claude(model: str, canned: Any) -> AnthropicMessages:
    return AnthropicMessages(model, api_key="k", base_url=canned.url)


@pytest.mark.parametrize(
    ("model", "effort", "tokens", "thinking", "output"),
    [
        ("claude-opus-5-5", "high", 9000, {"type": "adaptive"}, {"effort": "high"}),
        ("claude-haiku-5-5", "low", 9000, {"type": "adaptive"}, {"effort": "low"}),
        ("claude-sonnet-4-6", "none", 9000, {"type": "disabled"}, None),
        ("claude-haiku-4-5", "low", 9000, {"type": "enabled", "budget_tokens": 2048}, None),
        ("claude-haiku-4-5", "high", 9000, {"type": "enabled", "budget_tokens": 4500}, None),
        (
            "claude-haiku-4-5-20251001",
            "medium",
            64000,
            {"type": "enabled", "budget_tokens": 8192},
            None,
        ),
        ("claude-haiku-4-5", "high", 1500, {"type": "disabled"}, None),
    ],
)
async def test_a_claude_is_asked_to_think_in_its_own_way(
    model: str, effort: Any, tokens: int, thinking: Any, output: Any, opened: Any, canned: Any
) -> None:
    request = replace(REQUEST, effort=effort, max_output_tokens=tokens)
    with pytest.raises(LLMIncomplete):
        await opened(claude(model, canned)).complete(request)
    (body,) = canned.bodies
    assert body["thinking"] == thinking
    assert body.get("output_config") == output


async def test_a_claude_that_takes_over_a_tool_loop_is_not_asked_for_a_thought_it_never_had(
    opened: Any, canned: Any, wires: Any, emulator: ModelServer
) -> None:
    first = await opened(wires["chat"].open(emulator.url)).complete(REQUEST)
    with pytest.raises(LLMIncomplete):
        await opened(claude("claude-haiku-4-5", canned)).complete(gone_on(first))
    assert canned.bodies[0]["thinking"] == {"type": "disabled"}


def turn(*blocks: Any, stop: str, tokens: int = 5) -> str:
    """A turn of Anthropic's as a stream."""
    usage = {"input_tokens": 10, "output_tokens": 1}
    events: list[Any] = [{"type": "message_start", "message": {"model": "m", "usage": usage}}]
    for index, block in enumerate(blocks):
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        events.append({"type": "content_block_stop", "index": index})
    ended = {"delta": {"stop_reason": stop}, "usage": {"output_tokens": tokens}}
    events += [{"type": "message_delta", **ended}, {"type": "message_stop"}]
    return "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events)


THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "seal"}
HALF, REST = {"type": "text", "text": "half and "}, {"type": "text", "text": "whole"}
STREAM = {"content_type": "text/event-stream"}


async def test_a_paused_turn_is_gone_on_with(opened: Any, canned: Any) -> None:
    canned.say(200, turn(REST, stop="end_turn"), **STREAM)
    canned.first = [turn(THOUGHT, HALF, stop="pause_turn").encode()]
    response = await opened(claude("claude-x", canned)).complete(REQUEST)
    assert response.text == "half and whole"
    assert canned.bodies[1]["messages"][-1] == {"role": "assistant", "content": [THOUGHT, HALF]}
    assert (response.usage.input_tokens, response.usage.output_tokens) == (20, 10)
    (native,) = [part for part in response.message.parts if isinstance(part, Native)]
    assert native.payload == [THOUGHT, HALF, REST]


async def test_a_turn_that_does_nothing_but_pause_is_no_answer(opened: Any, canned: Any) -> None:
    canned.say(200, turn(HALF, stop="pause_turn"), **STREAM)
    with pytest.raises(LLMIncomplete) as caught:
        await opened(claude("claude-x", canned)).complete(REQUEST)
    assert canned.calls == 5
    assert caught.value.usage is not None
    assert caught.value.usage.output_tokens == 25


async def test_a_full_window_is_said_as_such(opened: Any, canned: Any) -> None:
    canned.say(200, turn(HALF, stop="model_context_window_exceeded"), **STREAM)
    with pytest.raises(LLMTooLong) as caught:
        await opened(claude("claude-x", canned)).complete(REQUEST)
    assert caught.value.usage is not None
