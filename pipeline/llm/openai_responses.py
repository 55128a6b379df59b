"""OpenAI's Responses API, stateless: nothing is stored there, reasoning travels encrypted."""

from __future__ import annotations

from collections.abc import Iterator

from typing_extensions import override

from pipeline.errors import LLMRefused
from pipeline.llm.adapter import Sdk
from pipeline.llm.base import LLMRequest, LLMResponse, Message, Native, Part, Text, Usage
from pipeline.llm.errors import from_code
from pipeline.llm.openai_client import OpenAIAdapter, function, schema, timeout
from pipeline.llm.wire import (
    Json,
    as_json,
    calls,
    cut_short,
    dicts,
    native_of,
    number,
    results,
    spoken,
    texts,
    tool_call,
    unreadable,
    whole,
)


class OpenAIResponses(OpenAIAdapter):
    """A model of OpenAI by the Responses API."""

    @override
    def _body(self, request: LLMRequest) -> Json:
        body: Json = {
            "model": self.model,
            "instructions": request.system,
            "input": [item for m in spoken(request.messages) for item in _items(m, self.vendor)],
            "max_output_tokens": request.max_output_tokens,
            "reasoning": {"effort": request.effort},
            # Customers' code is not left with the vendor; reasoning is carried by ourselves.
            "store": False,
            "include": ["reasoning.encrypted_content"],
        }
        if request.tools:
            body["tools"] = [{"type": "function", **function(tool)} for tool in request.tools]
        if request.output:
            body["text"] = {"format": {"type": "json_schema", **schema(request.output)}}
        return body

    @override
    async def _send(self, sdk: Sdk, body: Json, timeout_s: float) -> Sdk:
        return await sdk.responses.create(**body, timeout=timeout(timeout_s))

    @override
    def _read(self, answer: Sdk, request: LLMRequest) -> LLMResponse:
        data = as_json(answer, self.vendor)
        length = _ended_by_length(data, self.vendor)
        output = dicts(data.get("output"))
        if not output:
            raise unreadable(self.vendor)
        parts = tuple(part for item in output for part in _parts(item, self.vendor))
        message = Message("assistant", (*_native(output, self.vendor), *parts))
        stop = whole(request, bool(calls(message)), length=length, provider=self.vendor)
        return LLMResponse(message, stop, _usage(data), str(data.get("model", self.model)))


def _items(message: Message, provider: str) -> Iterator[Json]:
    native = native_of(message, provider)
    if native is not None:
        yield from native
        return
    for result in results(message):
        yield {
            "type": "function_call_output",
            "call_id": result.call_id,
            "output": result.content,
        }
    for text in texts(message):
        yield {"role": message.role, "content": text}
    for call in calls(message):
        yield {
            "type": "function_call",
            "call_id": call.id,
            "name": call.name,
            "arguments": call.raw or "{}",
        }


def _ended_by_length(data: Json, provider: str) -> bool:
    """Whether the token limit ended it. Raises unless it ended in one of the known ways."""
    status = data.get("status")
    if status == "completed":
        return False
    if status == "failed":
        raise from_code(str((data.get("error") or {}).get("code", "")), provider)
    reason = (data.get("incomplete_details") or {}).get("reason")
    if status == "incomplete" and reason == "content_filter":
        raise LLMRefused(f"{provider}: the answer was filtered", provider=provider)
    if status == "incomplete" and reason == "max_output_tokens":
        return True
    raise cut_short(provider)


def _parts(item: Json, provider: str) -> Iterator[Part]:
    if item.get("type") == "function_call":
        yield tool_call(item.get("call_id", ""), item.get("name", ""), item.get("arguments", ""))
    if item.get("type") != "message":
        return
    for content in dicts(item.get("content")):
        if content.get("type") == "refusal":
            raise LLMRefused(f"{provider}: the model declined", provider=provider)
        if content.get("type") == "output_text":
            yield Text(content.get("text", ""))


def _native(output: list[Json], provider: str) -> tuple[Native, ...]:
    """The items as they came, where our own parts could not say all that is in them."""
    opaque = any(
        item.get("type") not in {"message", "function_call"} or "phase" in item for item in output
    )
    return (Native(provider, output),) if opaque else ()


def _usage(data: Json) -> Usage:
    usage = data.get("usage")
    return Usage(
        input_tokens=number(usage, "input_tokens"),
        cached_tokens=number(usage, "input_tokens_details", "cached_tokens"),
        cache_write_tokens=number(usage, "input_tokens_details", "cache_write_tokens"),
        output_tokens=number(usage, "output_tokens"),
        reasoning_tokens=number(usage, "output_tokens_details", "reasoning_tokens"),
    )
