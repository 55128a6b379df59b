"""On the wire too a talk that goes on begins with the bytes that a vendor's cache holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bot.emulators.models import ModelServer
from pipeline.llm.base import LLMRequest, Message, Text, ToolResult, ToolSpec

TOOL = ToolSpec("f", "d", {"type": "object", "properties": {}})
OPENING = Message("user", (Text("the task"), Text("what the gate said")))
REQUEST = LLMRequest("system", (OPENING,), tools=(TOOL,), timeout_s=20)
CALL = {"tools": [{"name": "f", "args": {}}]}
SAID = {"responses": "input", "chat": "messages", "messages": "messages"}


@pytest.fixture
def emulator() -> Iterator[ModelServer]:
    with ModelServer({"all": [CALL, "done"]}, seats=lambda _: "all") as server:
        yield server


@pytest.mark.parametrize("wire", [*SAID, "generate", "generate_v1"], indirect=True)
async def test_the_second_turn_repeats_the_first_byte_for_byte(
    wire: Any, opened: Any, emulator: ModelServer
) -> None:
    client = opened(wire.open(emulator.url))
    first = await client.complete(REQUEST)
    (call,) = first.tool_calls
    result = Message("user", (ToolResult(call.id, call.name, "ok"),))
    await client.complete(replace(REQUEST, messages=(OPENING, first.message, result)))

    one, two = (dict(incoming.body) for incoming in emulator.requests)
    said = SAID.get(wire.name, "contents")
    before, after = one.pop(said), two.pop(said)
    assert json.dumps(after[: len(before)]) == json.dumps(before)
    assert json.dumps(one) == json.dumps(two)


async def test_anthropic_is_told_where_the_lasting_part_ends(
    wires: Any, opened: Any, emulator: ModelServer
) -> None:
    client = opened(wires["messages"].open(emulator.url))
    await client.complete(REQUEST)
    (incoming,) = emulator.requests
    lasting, present = incoming.body["messages"][0]["content"]
    assert lasting == {
        "type": "text",
        "text": "the task",
        "cache_control": {"type": "ephemeral"},
    }
    assert "cache_control" not in present
    assert incoming.body["cache_control"] == {"type": "ephemeral"}
