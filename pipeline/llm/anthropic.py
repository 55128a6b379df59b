"""Anthropic's Messages API, streamed: the vendor caps answers that do not stream."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterator, Sequence

from typing_extensions import override

from pipeline.errors import LLMRefused, LLMTooLong
from pipeline.llm.adapter import CONNECT_S, Adapter, Sdk, wire_failures
from pipeline.llm.anthropic_answer import Answer
from pipeline.llm.base import Delta, Effort, LLMRequest, LLMResponse, Message, Native, Usage
from pipeline.llm.wire import (
    Json,
    as_json,
    calls,
    cut_short,
    echoed_arguments,
    ended,
    native_of,
    results,
    spoken,
    texts,
)

_WHOLE = frozenset({"end_turn", "tool_use", "stop_sequence", "max_tokens"})
_CACHED: Json = {"type": "ephemeral"}
_PAUSES = 4  # a turn that pauses more often is not going to end
_DELTAS = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "input_json_delta": ("tool", "partial_json"),
}
# Models that do not choose for themselves how long to think: they take a number of tokens
# instead, and no effort.
_BY_BUDGET = re.compile(r"claude-(haiku-4|(sonnet|opus)-4-[0-5])(?!\d)")
_BUDGETS = {"low": 2_048, "medium": 8_192, "high": 24_576}
_LEAST_BUDGET = 1_024


class AnthropicMessages(Adapter):
    """A Claude model by the Messages API."""

    vendor = "anthropic"
    variables = "ANTHROPIC_API_KEY"
    # The server pings while the model thinks, so a longer silence means a dead connection.
    silence_s = 90.0

    @override
    def _connect(self) -> Sdk:
        import httpx2
        from anthropic import AnthropicError, AsyncAnthropic

        try:
            sdk = AsyncAnthropic(api_key=self._api_key, base_url=self._base_url, max_retries=0)
        except httpx2.InvalidURL as error:
            raise self._bad_address() from error
        except AnthropicError as error:
            raise self._missing_key() from error
        # The SDK itself complains only when the first request is built.
        if not (sdk.api_key or sdk.auth_token or sdk.credentials):
            raise self._missing_key()
        return self._checked(sdk)

    @override
    def _failures(self) -> tuple[type[Exception], ...]:
        from anthropic import AnthropicError

        return (AnthropicError, *wire_failures())

    @override
    def _body(self, request: LLMRequest) -> Json:
        body: Json = {
            "model": self.model,
            "max_tokens": request.max_output_tokens,
            "messages": [_message(m, self.vendor, self.model) for m in spoken(request.messages)],
            "thinking": _thinking(self.vendor, self.model, request),
        }
        output: Json = {}
        if request.effort != "none" and not _BY_BUDGET.match(self.model):
            output["effort"] = request.effort
        if request.output:
            output["format"] = {"type": "json_schema", "schema": dict(request.output.schema)}
        if request.system:
            body["system"] = request.system
        if output:
            body["output_config"] = output
        if request.tools:
            body["tools"] = [
                {"name": t.name, "description": t.description, "input_schema": dict(t.schema)}
                for t in request.tools
            ]
            # A tool loop sends its growing prefix again each turn; cached, it costs a tenth.
            body["cache_control"] = _CACHED
            _mark_stable(body["messages"])
        return body

    @override
    async def _events(self, sdk: Sdk, body: Json, timeout_s: float) -> AsyncGenerator[Json, None]:
        import httpx2

        timeout = httpx2.Timeout(self.silence_s, connect=min(CONNECT_S, self.silence_s))
        async with await sdk.messages.create(**body, stream=True, timeout=timeout) as stream:
            async for event in stream:
                yield as_json(event, self.vendor)

    @override
    def _delta(self, event: Json) -> Delta | None:
        said = event.get("delta") or {}
        kind, key = _DELTAS.get(said.get("type", ""), ("", ""))
        return Delta(kind, said[key]) if kind else None  # type: ignore[arg-type]

    @override
    def _counted(self, events: Sequence[Json]) -> Usage | None:
        answer = Answer.of(events)
        return answer.total if answer.stop else None

    @override
    def _continued(self, body: Json, events: Sequence[Json]) -> Json | None:
        answer = Answer.of(events)
        if not answer.closed or answer.stop != "pause_turn" or answer.starts > _PAUSES:
            return None
        said = {"role": "assistant", "content": answer.whole_blocks(answer.begun)}
        return {**body, "messages": [*body["messages"], said]}

    @override
    def _read(self, events: Sequence[Json], request: LLMRequest) -> LLMResponse:
        answer = Answer.of(events)
        if answer.stop == "refusal":
            raise LLMRefused(f"{self.vendor}: the model declined", provider=self.vendor)
        if answer.stop == "model_context_window_exceeded":
            raise LLMTooLong(
                f"{self.vendor}: the conversation fills the model's window", provider=self.vendor
            )
        if not answer.closed or answer.stop not in _WHOLE:
            raise cut_short(self.vendor)
        native = _native(answer.whole_blocks(), self.vendor, self.model)
        message, stop = ended(
            request,
            Message("assistant", (*native, *answer.parts())),
            length=answer.stop == "max_tokens",
            provider=self.vendor,
        )
        if answer.stop == "tool_use" and not calls(message):
            raise cut_short(self.vendor, "a tool call was announced and did not come")
        model = answer.model or self.model
        return LLMResponse(message, stop, answer.total, model, self.vendor)


def _thinking(provider: str, model: str, request: LLMRequest) -> Json:
    effort: Effort = request.effort
    if effort == "none":
        return {"type": "disabled"}
    if not _BY_BUDGET.match(model):
        return {"type": "adaptive"}
    # The budget is a part of the answer's tokens, and something must be left to say.
    budget = min(_BUDGETS[effort], request.max_output_tokens // 2)
    if budget < _LEAST_BUDGET or _taken_over(provider, model, request.messages):
        return {"type": "disabled"}
    return {"type": "enabled", "budget_tokens": budget}


def _taken_over(provider: str, model: str, messages: Sequence[Message]) -> bool:
    """Whether a tool loop of another model goes on here: its turn lacks the thought it needs."""
    last = next((m for m in reversed(messages) if m.role == "assistant"), None)
    return last is not None and bool(calls(last)) and native_of(last, provider, model) is None


def _mark_stable(messages: list[Json]) -> None:
    """Let the cache hold the first part of the first message for the next iteration too."""
    content: Sequence[Json] = messages[0]["content"] if messages else []
    if len(content) > 1 and content[0].get("type") == "text":
        content[0]["cache_control"] = _CACHED


def _message(message: Message, provider: str, model: str) -> Json:
    content = native_of(message, provider, model) or list(_blocks(message))
    return {"role": message.role, "content": content}


def _blocks(message: Message) -> Iterator[Json]:
    # Results come first: the vendor refuses them behind a text.
    for result in results(message):
        yield {
            "type": "tool_result",
            "tool_use_id": result.call_id,
            "content": result.content,
            "is_error": result.is_error,
        }
    for text in texts(message):
        yield {"type": "text", "text": text}
    for call in calls(message):
        yield {
            "type": "tool_use",
            "id": call.id,
            "name": call.name,
            "input": echoed_arguments(call),
        }


def _native(blocks: list[Json], provider: str, model: str) -> tuple[Native, ...]:
    """The turn as it came, where our own parts could not say all that is in it."""
    opaque = any(block.get("type") not in {"text", "tool_use"} for block in blocks)
    return (Native(provider, blocks, model),) if opaque else ()
