"""Chat Completions: the wire that every OpenAI-compatible server speaks."""

from __future__ import annotations

from collections.abc import Iterator

from typing_extensions import override

from pipeline.errors import LLMRefused
from pipeline.llm.adapter import Sdk
from pipeline.llm.base import LLMRequest, LLMResponse, Message, Text, ToolCall, Usage
from pipeline.llm.openai_client import OpenAIAdapter, function, schema, timeout
from pipeline.llm.wire import (
    Json,
    as_json,
    calls,
    cut_short,
    dicts,
    number,
    results,
    spoken,
    texts,
    tool_call,
    unreadable,
    whole,
)

_FINISHED = frozenset({"stop", "tool_calls", "function_call", "length"})


class OpenAIChat(OpenAIAdapter):
    """A model of OpenAI, or of any server that speaks its Chat Completions."""

    @override
    def _body(self, request: LLMRequest) -> Json:
        system = [{"role": "system", "content": request.system}] if request.system else []
        body: Json = {
            "model": self.model,
            "messages": [*system, *(m for x in spoken(request.messages) for m in _messages(x))],
            "max_completion_tokens": request.max_output_tokens,
        }
        # Not every compatible server knows the field: it is sent only to say something.
        if request.effort != "medium":
            body["reasoning_effort"] = request.effort
        if request.tools:
            body["tools"] = [{"type": "function", "function": function(t)} for t in request.tools]
        if request.output:
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": schema(request.output),
            }
        return body

    @override
    async def _send(self, sdk: Sdk, body: Json, timeout_s: float) -> Sdk:
        return await sdk.chat.completions.create(**body, timeout=timeout(timeout_s))

    @override
    def _read(self, answer: Sdk, request: LLMRequest) -> LLMResponse:
        data = as_json(answer, self.vendor)
        choice = _choice(data, self.vendor)
        said = choice.get("message") or {}
        reason = choice.get("finish_reason")
        if reason == "content_filter" or said.get("refusal"):
            raise LLMRefused(f"{self.vendor}: the model declined", provider=self.vendor)
        if reason not in _FINISHED:
            raise cut_short(self.vendor)
        asked = tuple(_call(item) for item in dicts(said.get("tool_calls")))
        if reason == "tool_calls" and not asked:
            raise cut_short(self.vendor, "a tool call was announced and did not come")
        text = (Text(said["content"]),) if said.get("content") else ()
        stop = whole(request, bool(asked), length=reason == "length", provider=self.vendor)
        message = Message("assistant", (*text, *asked))
        return LLMResponse(message, stop, _usage(data), str(data.get("model", self.model)))


def _messages(message: Message) -> Iterator[Json]:
    for result in results(message):
        yield {"role": "tool", "tool_call_id": result.call_id, "content": result.content}
    text = "\n\n".join(texts(message))
    asked = [
        {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.raw or "{}"}}
        for c in calls(message)
    ]
    if asked:
        yield {"role": message.role, "content": text or None, "tool_calls": asked}
    elif text:
        yield {"role": message.role, "content": text}


def _choice(data: Json, provider: str) -> Json:
    choices = dicts(data.get("choices"))
    if not choices:
        raise unreadable(provider)
    return choices[0]


def _call(item: Json) -> ToolCall:
    asked = item.get("function") or {}
    return tool_call(item.get("id", ""), asked.get("name", ""), asked.get("arguments", ""))


def _usage(data: Json) -> Usage:
    usage = data.get("usage")
    return Usage(
        input_tokens=number(usage, "prompt_tokens"),
        cached_tokens=number(usage, "prompt_tokens_details", "cached_tokens"),
        cache_write_tokens=number(usage, "prompt_tokens_details", "cache_write_tokens"),
        output_tokens=number(usage, "completion_tokens"),
        reasoning_tokens=number(usage, "completion_tokens_details", "reasoning_tokens"),
    )
