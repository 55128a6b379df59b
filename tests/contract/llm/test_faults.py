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
    LLMTooLong,
    LLMUnavailable,
)
from pipeline.llm.base import LLMRequest, Message, ToolSpec
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
    return opened(wire.at(llmock))


@pytest.mark.parametrize(
    ("status", "leaf"),
    [
        (400, LLMBadRequest),
        (401, LLMMisconfigured),
        (403, LLMMisconfigured),
        (404, LLMMisconfigured),
        (413, LLMTooLong),
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


@pytest.mark.parametrize("fault", ["truncate", "disconnect", "corrupt"])
@pytest.mark.parametrize("chunks", [1, 3])  # the second is a ping, which carries nothing
async def test_half_a_stream_is_no_answer(
    fault: str, chunks: int, wire: Any, opened: Any, llmock: Any
) -> None:
    getattr(llmock, fault)(after_chunks=chunks)
    error = await failure(at_llmock(wire, opened, llmock))
    assert type(error) is (LLMUnavailable if fault == "disconnect" else LLMIncomplete)


async def test_a_slow_server_is_unavailable(wire: Any, opened: Any, llmock: Any) -> None:
    llmock.delay(3)
    error = await failure(at_llmock(wire, opened, llmock), replace(REQUEST, timeout_s=0.2))
    assert type(error) is LLMUnavailable
    assert "time" in str(error)
    assert error.maybe_billed  # it may have been answered after we had gone


async def test_nobody_listening_is_unavailable(wire: Any, opened: Any) -> None:
    error = await failure(opened(wire.open("http://127.0.0.1:1")))
    assert type(error) is LLMUnavailable
    assert not error.maybe_billed


async def test_an_address_without_a_scheme_is_a_setting(wire: Any, opened: Any) -> None:
    client = opened(wire.kind("m", api_key=KEY, base_url="localhost:8000/v1"))
    assert type(await failure(client)) is LLMMisconfigured


def sse(*events: Any) -> str:
    """Events of a stream, named as all the vendors name them."""
    said = [e if isinstance(e, str) else json.dumps(e) for e in events]
    names = [e.get("type", "e") if isinstance(e, dict) else "e" for e in events]
    return "".join(f"event: {n}\ndata: {d}\n\n" for n, d in zip(names, said, strict=True))


COMPLETED = "response.completed"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/html", "<html>please log in</html>"),
        ("application/json", "<html>"),
        ("application/json", ""),
        ("application/json", '{"hello": "world"}'),
        ("application/json", '"words"'),
        ("application/json", "[1, 2]"),
        ("text/event-stream", sse({"type": COMPLETED})),
        ("text/event-stream", sse({"type": COMPLETED, "response": {"status": "completed"}})),
        ("text/event-stream", sse({"choices": [{"finish_reason": None}], "candidates": [1]})),
        ("text/event-stream", sse({"choices": 3, "candidates": [{"content": 3}]})),
        ("text/event-stream", sse({"type": "message_start"})),
        ("text/event-stream", sse({"type": "content_block_delta", "index": 0})),
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


STREAM = {"content_type": "text/event-stream"}


@pytest.mark.parametrize("wire", ["messages"], indirect=True)
async def test_an_overloaded_stream_is_unavailable(wire: Any, opened: Any, canned: Any) -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": PROMPT}}
    canned.say(200, sse(error), **STREAM)
    assert type(await failure(opened(wire.open(canned.url)))) is LLMUnavailable


@pytest.mark.parametrize("wire", ["responses"], indirect=True)
async def test_a_failure_inside_a_stream_has_its_leaf(wire: Any, opened: Any, canned: Any) -> None:
    error = {"type": "error", "code": "rate_limit_exceeded", "message": PROMPT}
    canned.say(200, sse(error), **STREAM)
    assert type(await failure(opened(wire.open(canned.url)))) is LLMUnavailable


@pytest.mark.parametrize(
    "said",
    [
        {"code": "context_length_exceeded", "message": "x"},
        {"type": "invalid_request_error", "message": "prompt is too long: 9 tokens > 8 maximum"},
        {"status": "INVALID_ARGUMENT", "message": "The input token count (9) exceeds the maximum"},
    ],
)
async def test_a_conversation_that_is_too_long_has_a_leaf_of_its_own(
    said: Any, wire: Any, opened: Any, canned: Any
) -> None:
    canned.say(400, json.dumps({"error": {"code": 400, **said}}), content_type="application/json")
    error = await failure(opened(wire.open(canned.url)))
    assert type(error) is LLMTooLong
    assert "window" in str(error)
