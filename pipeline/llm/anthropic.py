"""Anthropic's Messages API, streamed: the vendor caps answers that do not stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Self

from typing_extensions import override

from pipeline.errors import LLMRefused
from pipeline.llm.adapter import CONNECT_S, Adapter, Sdk, wire_failures
from pipeline.llm.base import LLMRequest, LLMResponse, Message, Native, Part, Text, Usage
from pipeline.llm.wire import (
    Json,
    as_json,
    calls,
    cut_short,
    echoed_arguments,
    native_of,
    number,
    results,
    spoken,
    texts,
    tool_call,
    whole,
)

# The server pings while the model thinks, so a longer silence means a dead connection.
SILENCE_S = 90.0
_WHOLE = frozenset({"end_turn", "tool_use", "stop_sequence"})
_LENGTH = frozenset({"max_tokens", "model_context_window_exceeded"})


class AnthropicMessages(Adapter):
    """A Claude model by the Messages API."""

    vendor = "anthropic"
    variables = "ANTHROPIC_API_KEY"

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
        output: Json = {} if request.effort == "none" else {"effort": request.effort}
        if request.output:
            output["format"] = {"type": "json_schema", "schema": dict(request.output.schema)}
        body: Json = {
            "model": self.model,
            "max_tokens": request.max_output_tokens,
            "messages": [_message(m, self.vendor) for m in spoken(request.messages)],
            "thinking": {"type": "disabled" if request.effort == "none" else "adaptive"},
        }
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
            body["cache_control"] = {"type": "ephemeral"}
        return body

    @override
    async def _send(self, sdk: Sdk, body: Json, timeout_s: float) -> Sdk:
        import httpx2

        gap = min(SILENCE_S, timeout_s)
        timeout = httpx2.Timeout(gap, connect=min(CONNECT_S, gap))
        stream = await sdk.messages.create(**body, stream=True, timeout=timeout)
        async with stream:
            return [as_json(event, self.vendor) async for event in stream]

    @override
    def _read(self, answer: Sdk, request: LLMRequest) -> LLMResponse:
        answer = _Answer.of(answer)
        if answer.stop == "refusal":
            raise LLMRefused(f"{self.vendor}: the model declined", provider=self.vendor)
        if not answer.closed or answer.stop not in _WHOLE | _LENGTH:
            raise cut_short(self.vendor)
        blocks = answer.whole_blocks()
        message = Message("assistant", (*_native(blocks, self.vendor), *_parts(answer)))
        length = answer.stop in _LENGTH
        stop = whole(request, bool(calls(message)), length=length, provider=self.vendor)
        if answer.stop == "tool_use" and not calls(message):
            raise cut_short(self.vendor, "a tool call was announced and did not come")
        return LLMResponse(message, stop, _usage(answer.usage), answer.model or self.model)


@dataclass
class _Answer:
    """A stream's events, put together. Whole only when `closed` and `stop` are both there.

    Arguments are kept as the characters that came: the SDK's own helper would read a cut
    JSON text as if it were whole.
    """

    blocks: dict[int, Json] = field(default_factory=dict)
    arguments: dict[int, str] = field(default_factory=dict)
    usage: Json = field(default_factory=dict)
    model: str = ""
    stop: str = ""
    closed: bool = False

    @classmethod
    def of(cls, events: Iterable[Json]) -> Self:
        """The answer that these events make."""
        answer = cls()
        for event in events:
            answer.take(event)
        return answer

    def take(self, event: Json) -> None:
        """Add one event."""
        match event.get("type"):
            case "message_start":
                self.model = str(event["message"].get("model", ""))
                self.usage |= event["message"].get("usage", {})
            case "content_block_start":
                self.blocks[event["index"]] = dict(event["content_block"])
            case "content_block_delta":
                self._grow(event["index"], event["delta"])
            case "message_delta":
                self.stop = event["delta"].get("stop_reason", "") or self.stop
                self.usage |= event.get("usage", {})
            case "message_stop":
                self.closed = True
            case _:
                pass

    def _grow(self, index: int, delta: Json) -> None:
        block = self.blocks.setdefault(index, {})
        match delta.get("type"):
            case "text_delta":
                block["text"] = block.get("text", "") + delta["text"]
            case "input_json_delta":
                self.arguments[index] = self.arguments.get(index, "") + delta["partial_json"]
            case "thinking_delta":
                block["thinking"] = block.get("thinking", "") + delta["thinking"]
            case "signature_delta":
                block["signature"] = block.get("signature", "") + delta["signature"]
            case _:
                pass

    def whole_blocks(self) -> list[Json]:
        """The blocks as the vendor takes them back."""
        return [
            {**block, "input": echoed_arguments(tool_call("", "", self.arguments.get(index, "")))}
            if block.get("type") == "tool_use"
            else block
            for index, block in sorted(self.blocks.items())
        ]


def _message(message: Message, provider: str) -> Json:
    content = native_of(message, provider) or list(_blocks(message))
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


def _parts(answer: _Answer) -> Iterator[Part]:
    for index, block in sorted(answer.blocks.items()):
        if block.get("type") == "text":
            yield Text(block.get("text", ""))
        elif block.get("type") == "tool_use":
            raw = answer.arguments.get(index, "")
            yield tool_call(block.get("id", ""), block.get("name", ""), raw)


def _native(blocks: list[Json], provider: str) -> tuple[Native, ...]:
    """The turn as it came, where our own parts could not say all that is in it."""
    opaque = any(block.get("type") not in {"text", "tool_use"} for block in blocks)
    return (Native(provider, blocks),) if opaque else ()


def _usage(usage: Json) -> Usage:
    cached = number(usage, "cache_read_input_tokens")
    written = number(usage, "cache_creation_input_tokens")
    return Usage(
        # This vendor counts what the cache served, or took, beside the input, not in it.
        input_tokens=number(usage, "input_tokens") + cached + written,
        cached_tokens=cached,
        cache_write_tokens=written,
        output_tokens=number(usage, "output_tokens"),
        reasoning_tokens=number(usage, "output_tokens_details", "thinking_tokens"),
    )
