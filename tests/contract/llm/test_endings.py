"""Answers that the token limit or a refusal has ended: what may be used of them, and the bill."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pipeline.errors import LLMIncomplete, LLMRefused
from pipeline.llm.base import OutputSchema, Stop, Usage
from pipeline.llm.retrying import Retrying
from tests.contract.llm.test_faults import REQUEST, STREAM, TOOL, failure, sse


def ending(wire: Any, *, text: str = "half", call: bool = False, length: bool) -> str:
    """A stream that ended for the token limit, or with a refusal; its usage is counted."""
    made = {
        "responses": _responses_ending,
        "chat": _chat_ending,
        "messages": _messages_ending,
        "generate": _generate_ending,
        "generate_v1": _generate_ending,
    }
    said = sse(*made[wire.name](text, call, length))
    return said.replace("event: e\n", "")  # the vendors without types do not name their events


def _responses_ending(text: str, call: bool, length: bool) -> list[Any]:
    said = {"type": "output_text", "text": text, "annotations": []}
    content = [said if length else {"type": "refusal", "refusal": "no"}]
    item: dict[str, Any] = {"type": "message", "id": "m", "role": "assistant", "content": content}
    if call:
        item = {"type": "function_call", "id": "i", "call_id": "c", "name": "f", "arguments": '{"a'}
    details = {"incomplete_details": {"reason": "max_output_tokens"}} if length else {}
    status = "incomplete" if length else "completed"
    usage = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}
    response = {"status": status, "output": [item], "usage": usage, **details}
    return [{"type": f"response.{status}", "response": response}]


def _chat_ending(text: str, call: bool, length: bool) -> list[Any]:
    asked = {"id": "c", "index": 0, "type": "function"}
    named = {"name": "f", "arguments": '{"a'}
    delta = {"tool_calls": [{**asked, "function": named}]} if call else {"content": text}
    finish = "length" if length else "content_filter"
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    return [
        {"choices": [{"index": 0, "delta": delta}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]},
        {"choices": [], "usage": usage},
        "[DONE]",
    ]


def _generate_ending(text: str, call: bool, length: bool) -> list[Any]:
    part = {"functionCall": {"name": "f", "args": {}}} if call else {"text": text}
    finish = "MAX_TOKENS" if length else "PROHIBITED_CONTENT"
    said = {"content": {"role": "model", "parts": [part]}, "finishReason": finish}
    usage = {"promptTokenCount": 7, "candidatesTokenCount": 3, "totalTokenCount": 10}
    return [{"candidates": [said], "usageMetadata": usage}]


def _messages_ending(text: str, call: bool, length: bool) -> list[Any]:
    block: dict[str, Any] = {"type": "tool_use", "id": "c", "name": "f", "input": {}}
    delta = {"type": "input_json_delta", "partial_json": '{"a'}
    if not call:
        block, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": text}
    stop = "max_tokens" if length else "refusal"
    return [
        {"type": "message_start", "message": {"model": "m", "usage": {"input_tokens": 7}}},
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": 3}},
        {"type": "message_stop"},
    ]


COUNTED = Usage(input_tokens=7, output_tokens=3)


async def test_a_refusal_is_not_an_answer_and_is_billed(
    wire: Any, opened: Any, canned: Any
) -> None:
    canned.say(200, ending(wire, length=False), **STREAM)
    error = await failure(opened(wire.open(canned.url)))
    assert type(error) is LLMRefused
    assert error.usage == COUNTED


async def test_a_plain_text_cut_by_length_says_so(wire: Any, opened: Any, canned: Any) -> None:
    canned.say(200, ending(wire, length=True), **STREAM)
    response = await opened(wire.open(canned.url)).complete(REQUEST)
    assert (response.stop, response.text, response.usage) == (Stop.LENGTH, "half", COUNTED)


async def test_a_tool_call_cut_by_length_never_comes_out(
    wire: Any, opened: Any, canned: Any
) -> None:
    canned.say(200, ending(wire, length=True, call=True), **STREAM)
    response = await opened(wire.open(canned.url)).complete(replace(REQUEST, tools=(TOOL,)))
    assert (response.stop, response.message.parts) == (Stop.LENGTH, ())


async def test_a_document_cut_by_length_never_comes_out_and_is_not_asked_for_again(
    wire: Any, opened: Any, canned: Any
) -> None:
    canned.say(200, ending(wire, text="{}", length=True), **STREAM)
    request = replace(REQUEST, output=OutputSchema("o", {"type": "object"}))
    error = await failure(Retrying(opened(wire.open(canned.url))), request)
    assert type(error) is LLMIncomplete
    assert error.usage == COUNTED
    assert canned.calls == 1
