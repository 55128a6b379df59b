"""OpenAI's Responses API, stateless: nothing is stored there, reasoning travels encrypted."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence

from typing_extensions import override

from pipeline.errors import LLMRefused
from pipeline.llm.adapter import Sdk
from pipeline.llm.base import Delta, LLMRequest, LLMResponse, Message, Native, Part, Text, Usage
from pipeline.llm.errors import from_code
from pipeline.llm.openai_client import OpenAIAdapter, function, schema, used_up
from pipeline.llm.wire import (
    Json,
    cut_short,
    dicts,
    ended,
    native_of,
    number,
    results,
    spoken,
    texts,
    tool_call,
    unreadable,
)
from pipeline.llm.wire import calls as calls_of

_TERMINAL = frozenset({"response.completed", "response.incomplete", "response.failed"})
_DELTAS = {
    "response.output_text.delta": "text",
    "response.reasoning_summary_text.delta": "thinking",
    "response.function_call_arguments.delta": "tool",
}


class OpenAIResponses(OpenAIAdapter):
    """A model of OpenAI by the Responses API."""

    @override
    def _body(self, request: LLMRequest) -> Json:
        items = (x for m in spoken(request.messages) for x in _items(m, self.vendor, self.model))
        body: Json = {
            "model": self.model,
            "instructions": request.system,
            "input": list(items),
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
    def _events(self, sdk: Sdk, body: Json, timeout_s: float) -> AsyncGenerator[Json, None]:
        return self._streamed(sdk.responses.create, body)

    @override
    def _delta(self, event: Json) -> Delta | None:
        kind = _DELTAS.get(event.get("type", ""))
        return Delta(kind, event["delta"]) if kind else None  # type: ignore[arg-type]

    @override
    def _counted(self, events: Sequence[Json]) -> Usage | None:
        data = _final(events)
        return _usage(data) if data and data.get("usage") else None

    @override
    def _read(self, events: Sequence[Json], request: LLMRequest) -> LLMResponse:
        data = _final(events)
        if data is None:
            raise _unfinished(events, self.vendor)
        usage = _usage(data)
        length = _ended_by_length(data, self.vendor) or used_up(request, usage)
        # Some servers leave the items out of the last event: each came as it was done.
        output = dicts(data.get("output")) or [
            event["item"] for event in events if event.get("type") == "response.output_item.done"
        ]
        if not output:
            raise unreadable(self.vendor)
        parts = tuple(part for item in output for part in _parts(item, self.vendor))
        native = _native(output, self.vendor, self.model)
        message, stop = ended(
            request, Message("assistant", (*native, *parts)), length=length, provider=self.vendor
        )
        model = str(data.get("model", self.model))
        return LLMResponse(message, stop, usage, model, self.vendor)


def _final(events: Sequence[Json]) -> Json | None:
    """The response as the terminal event carries it, whole."""
    last = next((e for e in reversed(events) if e.get("type") in _TERMINAL), None)
    return last["response"] if last and isinstance(last.get("response"), dict) else None


def _unfinished(events: Sequence[Json], provider: str) -> Exception:
    for event in events:
        if event.get("type") == "error":
            return from_code(str(event.get("code", "")), provider)
    return cut_short(provider)


def _items(message: Message, provider: str, model: str) -> Iterator[Json]:
    native = native_of(message, provider, model)
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
    for call in calls_of(message):
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


def _native(output: list[Json], provider: str, model: str) -> tuple[Native, ...]:
    """The items as they came, where our own parts could not say all that is in them."""
    opaque = any(
        item.get("type") not in {"message", "function_call"} or "phase" in item for item in output
    )
    return (Native(provider, output, model),) if opaque else ()


def _usage(data: Json) -> Usage:
    usage = data.get("usage")
    return Usage(
        input_tokens=number(usage, "input_tokens"),
        cached_tokens=number(usage, "input_tokens_details", "cached_tokens"),
        cache_write_tokens=number(usage, "input_tokens_details", "cache_write_tokens"),
        output_tokens=number(usage, "output_tokens"),
        reasoning_tokens=number(usage, "output_tokens_details", "reasoning_tokens"),
    )
