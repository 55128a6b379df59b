"""Chat Completions: the wire that every OpenAI-compatible server speaks."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

from typing_extensions import override

from pipeline.errors import LLMRefused
from pipeline.llm.adapter import Sdk
from pipeline.llm.base import Delta, LLMRequest, LLMResponse, Message, Text, Usage
from pipeline.llm.openai_client import OpenAIAdapter, function, schema, used_up
from pipeline.llm.wire import (
    Json,
    calls,
    cut_short,
    dicts,
    ended,
    number,
    results,
    spoken,
    texts,
    tool_call,
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
            "stream_options": {"include_usage": True},
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
    def _events(self, sdk: Sdk, body: Json, timeout_s: float) -> AsyncGenerator[Json, None]:
        return self._streamed(sdk.chat.completions.create, body)

    @override
    def _delta(self, event: Json) -> Delta | None:
        for choice in dicts(event.get("choices")):
            said = choice.get("delta") or {}
            if said.get("content"):
                return Delta("text", said["content"])
            if said.get("tool_calls"):
                return Delta("tool", str(_arguments(said["tool_calls"][0])))
            if said.get("reasoning_content"):
                return Delta("thinking", said["reasoning_content"])
        return None

    @override
    def _counted(self, events: Sequence[Json]) -> Usage | None:
        counted = _Answer.of(events).usage
        return _usage(counted) if counted else None

    @override
    def _read(self, events: Sequence[Json], request: LLMRequest) -> LLMResponse:
        answer = _Answer.of(events)
        if answer.finish == "content_filter" or answer.refused:
            raise LLMRefused(f"{self.vendor}: the model declined", provider=self.vendor)
        if answer.finish not in _FINISHED:
            raise cut_short(self.vendor)
        if answer.finish == "tool_calls" and not answer.calls:
            raise cut_short(self.vendor, "a tool call was announced and did not come")
        said = (Text(answer.text),) if answer.text else ()
        asked = tuple(tool_call(c.id, c.name, c.arguments) for c in answer.calls.values())
        usage = _usage(answer.usage)
        length = answer.finish == "length" or used_up(request, usage)
        message, stop = ended(
            request, Message("assistant", (*said, *asked)), length=length, provider=self.vendor
        )
        return LLMResponse(message, stop, usage, answer.model or self.model, self.vendor)


@dataclass
class _Call:
    """A tool call in the making; its arguments come as characters."""

    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass
class _Answer:
    """A stream's chunks, put together. Whole only when `finish` is there."""

    text: str = ""
    calls: dict[int, _Call] = field(default_factory=dict)
    usage: Json = field(default_factory=dict)
    model: str = ""
    finish: str = ""
    refused: bool = False

    @classmethod
    def of(cls, events: Iterable[Json]) -> Self:
        """The answer that these chunks make."""
        answer = cls()
        for event in events:
            answer.model = str(event.get("model") or answer.model)
            answer.usage = event.get("usage") or answer.usage
            for choice in dicts(event.get("choices"))[:1]:
                answer.take(choice)
        return answer

    def take(self, choice: Json) -> None:
        """Add one chunk of the first choice."""
        said = choice.get("delta") or {}
        self.text += said.get("content") or ""
        self.refused = self.refused or bool(said.get("refusal"))
        self.finish = choice.get("finish_reason") or self.finish
        for piece in dicts(said.get("tool_calls")):
            self._grow(piece)

    def _grow(self, piece: Json) -> None:
        # Some servers number no calls: there, an id says that the next one begins.
        last = len(self.calls) - 1
        index = piece.get("index", last + 1 if piece.get("id") else last)
        call = self.calls.setdefault(index, _Call())
        call.id = piece.get("id") or call.id
        call.name = (piece.get("function") or {}).get("name") or call.name
        call.arguments += _arguments(piece)


def _arguments(piece: Json) -> str:
    return (piece.get("function") or {}).get("arguments") or ""


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


def _usage(usage: Json) -> Usage:
    return Usage(
        input_tokens=number(usage, "prompt_tokens"),
        cached_tokens=number(usage, "prompt_tokens_details", "cached_tokens"),
        cache_write_tokens=number(usage, "prompt_tokens_details", "cache_write_tokens"),
        output_tokens=number(usage, "completion_tokens"),
        reasoning_tokens=number(usage, "completion_tokens_details", "reasoning_tokens"),
    )
