"""Every fault ends in its leaf, never in an answer, and never says what is secret."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from pipeline.errors import (
    LLMBadRequest,
    LLMError,
    LLMIncomplete,
    LLMMisconfigured,
    LLMRefused,
    LLMUnavailable,
)
from pipeline.llm.anthropic import AnthropicMessages
from pipeline.llm.base import LLMRequest, Message, OutputSchema, Stop, ToolSpec
from pipeline.llm.retrying import Retrying

PROMPT = "the-secret-prompt"
KEY = "sk-canary-0123456789abcdef"
REQUEST = LLMRequest("system", (Message.user(PROMPT),), timeout_s=20)
TOOL = ToolSpec("f", "d", {"type": "object", "properties": {}})


async def failure(client: Any, request: LLMRequest = REQUEST) -> LLMError:
    with pytest.raises(LLMError) as caught:
        await client.complete(request)
    said = str(caught.value)
    assert KEY not in said
    assert PROMPT not in said
    assert "canary" not in said
    return caught.value


def at_llmock(wire: Any, opened: Any, llmock: Any) -> Any:
    return opened(wire.kind("m", api_key=KEY, base_url=llmock.base_url(wire.llmock)))


@pytest.mark.parametrize(
    ("status", "leaf"),
    [
        (400, LLMBadRequest),
        (401, LLMMisconfigured),
        (403, LLMMisconfigured),
        (404, LLMMisconfigured),
        (413, LLMBadRequest),
        (422, LLMBadRequest),
        (500, LLMUnavailable),
        (503, LLMUnavailable),
        (529, LLMUnavailable),
    ],
)
async def test_a_status_has_its_leaf(
    status: int, leaf: type[LLMError], wire: Any, opened: Any, llmock: Any
) -> None:
    llmock.fail(status, message=f"{KEY} {PROMPT}")
    error = await failure(at_llmock(wire, opened, llmock))
    assert type(error) is leaf
    assert error.status == status
    assert error.provider == wire.vendor
    assert len(llmock.requests) == 1  # the SDK's own retries are off


async def test_a_rate_limit_carries_the_servers_wish(wire: Any, opened: Any, llmock: Any) -> None:
    llmock.rate_limit(retry_after=3)
    error = await failure(at_llmock(wire, opened, llmock))
    assert isinstance(error, LLMUnavailable)
    assert error.retry_after_s == 3


async def test_our_retries_honour_the_wish_and_recover(wire: Any, opened: Any, llmock: Any) -> None:
    llmock.rate_limit(retry_after=0.2).fail(503).reply("there")
    client = Retrying(at_llmock(wire, opened, llmock))
    assert (await client.complete(REQUEST)).text == "there"
    llmock.assert_resilient()


@pytest.mark.parametrize("wire", ["messages"], indirect=True)  # the others do not stream
@pytest.mark.parametrize("fault", ["truncate", "disconnect", "corrupt"])
@pytest.mark.parametrize("chunks", [1, 3])  # the second is a ping, which carries nothing
async def test_half_a_stream_is_no_answer(
    fault: str, chunks: int, wire: Any, opened: Any, llmock: Any
) -> None:
    getattr(llmock, fault)(after_chunks=chunks)
    error = await failure(at_llmock(wire, opened, llmock))
    assert type(error) is (LLMUnavailable if fault == "disconnect" else LLMIncomplete)


@pytest.mark.parametrize("fault", ["truncate", "disconnect", "corrupt"])
async def test_half_a_stream_is_asked_for_again(fault: str, opened: Any, llmock: Any) -> None:
    getattr(llmock, fault)(after_chunks=3).reply("whole", times=None)
    client = AnthropicMessages("m", api_key=KEY, base_url=llmock.base_url("anthropic"))
    assert (await Retrying(opened(client)).complete(REQUEST)).text == "whole"
    llmock.assert_resilient()


async def test_a_slow_server_is_unavailable(wire: Any, opened: Any, llmock: Any) -> None:
    llmock.delay(3)
    error = await failure(at_llmock(wire, opened, llmock), replace(REQUEST, timeout_s=0.3))
    assert type(error) is LLMUnavailable
    assert "time" in str(error)


async def test_nobody_listening_is_unavailable(wire: Any, opened: Any) -> None:
    error = await failure(opened(wire.open("http://127.0.0.1:1")))
    assert type(error) is LLMUnavailable


async def test_an_address_without_a_scheme_is_a_setting(wire: Any, opened: Any) -> None:
    client = opened(wire.kind("m", api_key=KEY, base_url="localhost:8000/v1"))
    assert type(await failure(client)) is LLMMisconfigured


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/html", "<html>please log in</html>"),
        ("application/json", "<html>"),
        ("application/json", ""),
        ("application/json", '{"hello": "world"}'),
        ("application/json", '"words"'),
        ("application/json", "[1, 2]"),
        ("application/json", "null"),
        ("application/json", '{"output": "x", "choices": [1], "candidates": [{"content": 3}]}'),
        ("application/json", '{"status": "completed", "choices": [{}], "candidates": [{}]}'),
        (
            "application/json",
            '{"status": "completed", "output": [{"type": "function_call", "arguments": 5}],'
            '"choices": [{"finish_reason": "stop", "message": "x"}],'
            '"candidates": [{"finishReason": "STOP", "content": {"parts": "x"}}]}',
        ),
        ("text/event-stream", "event: message_start\ndata: {}\n\n"),
        ("text/event-stream", 'event: message_start\ndata: {"type": "message_start"}\n\n'),
        ("text/event-stream", 'event: e\ndata: {"type": "content_block_delta", "index": 0}\n\n'),
        ("text/event-stream", "event: message_stop\ndata: [1]\n\n"),
        ("application/octet-stream", "\x00\x01"),
    ],
)
async def test_garbage_with_a_200_is_no_answer(
    kind: str, body: Any, wire: Any, opened: Any, canned: Any
) -> None:
    canned.say(200, body, content_type=kind)
    error = await failure(opened(wire.open(canned.url)))
    assert type(error) is LLMIncomplete


async def test_a_body_that_ends_early_is_no_answer(wire: Any, opened: Any, canned: Any) -> None:
    canned.say(200, '{"output": [', content_type="application/json")
    assert isinstance(await failure(opened(wire.open(canned.url))), LLMIncomplete)


QUOTA = {"error": {"message": "x", "type": "insufficient_quota", "code": "insufficient_quota"}}
BILLING = {"type": "error", "error": {"type": "billing_error", "message": "x"}}


@pytest.mark.parametrize(("status", "body"), [(429, QUOTA), (402, BILLING), (400, BILLING)])
async def test_an_empty_account_is_not_tried_again(
    status: int, body: Any, wire: Any, opened: Any, canned: Any
) -> None:
    canned.say(status, json.dumps(body), content_type="application/json")
    error = await failure(Retrying(opened(wire.open(canned.url))))
    assert type(error) is LLMMisconfigured
    assert "credit" in str(error)
    assert canned.calls == 1


@pytest.mark.parametrize("wire", ["generate"], indirect=True)
async def test_google_says_how_long_to_wait_in_the_body(
    wire: Any, opened: Any, canned: Any
) -> None:
    retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "17.5s"}
    said = {"code": 429, "message": "x", "status": "RESOURCE_EXHAUSTED", "details": [retry]}
    canned.say(429, json.dumps({"error": said}), content_type="application/json")
    error = await failure(opened(wire.open(canned.url)))
    assert isinstance(error, LLMUnavailable)
    assert error.retry_after_s == 17.5


@pytest.mark.parametrize("wire", ["generate"], indirect=True)
async def test_google_refuses_a_bad_key_with_a_400(wire: Any, opened: Any, canned: Any) -> None:
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
    said = {"code": 400, "message": "x", "status": "INVALID_ARGUMENT", "details": [info]}
    canned.say(400, json.dumps({"error": said}), content_type="application/json")
    assert type(await failure(opened(wire.open(canned.url)))) is LLMMisconfigured


def ending(wire: Any, *, text: str = "half", call: bool = False, reason: str) -> tuple[str, str]:
    """Content type and body of an answer that ended for that reason: length or refusal."""
    length = reason == "length"
    if wire.name == "messages":
        return "text/event-stream", _messages_ending(text, call, length)
    body = {
        "responses": _responses_ending,
        "chat": _chat_ending,
        "generate": _generate_ending,
    }[wire.name](text, call, length)
    return "application/json", json.dumps(body)


def _responses_ending(text: str, call: bool, length: bool) -> dict[str, Any]:
    said = {"type": "output_text", "text": text, "annotations": []}
    content = [said if length else {"type": "refusal", "refusal": "no"}]
    item: dict[str, Any] = {"type": "message", "id": "m", "role": "assistant", "content": content}
    if call:
        item = {"type": "function_call", "id": "i", "call_id": "c", "name": "f", "arguments": '{"a'}
    details = {"incomplete_details": {"reason": "max_output_tokens"}} if length else {}
    return {"status": "incomplete" if length else "completed", "output": [item], **details}


def _chat_ending(text: str, call: bool, length: bool) -> dict[str, Any]:
    asked = [{"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a'}}]
    message = {"role": "assistant", "content": text} | ({"tool_calls": asked} if call else {})
    finish = "length" if length else "content_filter"
    return {"choices": [{"index": 0, "message": message, "finish_reason": finish}]}


def _generate_ending(text: str, call: bool, length: bool) -> dict[str, Any]:
    part = {"functionCall": {"name": "f", "args": {}}} if call else {"text": text}
    finish = "MAX_TOKENS" if length else "PROHIBITED_CONTENT"
    return {"candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": finish}]}


def _messages_ending(text: str, call: bool, length: bool) -> str:
    block: dict[str, Any] = {"type": "tool_use", "id": "c", "name": "f", "input": {}}
    delta = {"type": "input_json_delta", "partial_json": '{"a'}
    if not call:
        block, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": text}
    stop = "max_tokens" if length else "refusal"
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {"model": "m", "usage": {"input_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    ]
    return "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events)


async def test_a_refusal_is_not_an_answer(wire: Any, opened: Any, canned: Any) -> None:
    kind, body = ending(wire, reason="refusal")
    canned.say(200, body, content_type=kind)
    assert type(await failure(opened(wire.open(canned.url)))) is LLMRefused


async def test_a_plain_text_cut_by_length_says_so(wire: Any, opened: Any, canned: Any) -> None:
    kind, body = ending(wire, reason="length")
    canned.say(200, body, content_type=kind)
    response = await opened(wire.open(canned.url)).complete(REQUEST)
    assert (response.stop, response.text) == (Stop.LENGTH, "half")


async def test_a_tool_call_cut_by_length_never_comes_out(
    wire: Any, opened: Any, canned: Any
) -> None:
    kind, body = ending(wire, reason="length", call=True)
    canned.say(200, body, content_type=kind)
    request = replace(REQUEST, tools=(TOOL,))
    assert type(await failure(opened(wire.open(canned.url)), request)) is LLMIncomplete


async def test_a_document_cut_by_length_never_comes_out(
    wire: Any, opened: Any, canned: Any
) -> None:
    kind, body = ending(wire, text="{}", reason="length")
    canned.say(200, body, content_type=kind)
    request = replace(REQUEST, output=OutputSchema("o", {"type": "object"}))
    assert type(await failure(opened(wire.open(canned.url)), request)) is LLMIncomplete


@pytest.mark.parametrize("wire", ["messages"], indirect=True)
async def test_an_overloaded_stream_is_unavailable(wire: Any, opened: Any, canned: Any) -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": PROMPT}}
    event = f"event: error\ndata: {json.dumps(error)}\n\n"
    canned.say(200, event, content_type="text/event-stream")
    assert type(await failure(opened(wire.open(canned.url)))) is LLMUnavailable
