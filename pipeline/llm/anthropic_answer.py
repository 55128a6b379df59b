"""The events of an Anthropic stream, put together again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Self

from pipeline.llm.base import Part, Text, Usage
from pipeline.llm.wire import Json, echoed_arguments, number, tool_call


@dataclass
class Answer:
    """A stream's events, put together. Whole only when `closed` and `stop` are both there.

    Arguments are kept as the characters that came: the SDK's own helper would read a cut
    JSON text as if it were whole. A paused turn has several starts; blocks are counted through,
    and those of the last start begin at `begun`.
    """

    blocks: dict[int, Json] = field(default_factory=dict)
    arguments: dict[int, str] = field(default_factory=dict)
    usage: Json = field(default_factory=dict)
    before: Usage = field(default_factory=Usage)
    model: str = ""
    stop: str = ""
    closed: bool = False
    starts: int = 0
    begun: int = 0

    @property
    def total(self) -> Usage:
        """Tokens of all starts."""
        return self.before + _usage(self.usage)

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
                self._start(event["message"])
            case "content_block_start":
                self.blocks[self.begun + event["index"]] = dict(event["content_block"])
            case "content_block_delta":
                self._grow(self.begun + event["index"], event["delta"])
            case "message_delta":
                self.stop = event["delta"].get("stop_reason", "") or self.stop
                self.usage |= event.get("usage", {})
            case "message_stop":
                self.closed = True
            case _:
                pass

    def _start(self, message: Json) -> None:
        self.before, self.usage = self.total, dict(message.get("usage", {}))
        self.model = str(message.get("model", ""))
        self.stop, self.closed = "", False
        self.starts, self.begun = self.starts + 1, len(self.blocks)

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

    def whole_blocks(self, start: int = 0) -> list[Json]:
        """The blocks from `start` on, as the vendor takes them back."""
        return [
            {**block, "input": echoed_arguments(tool_call("", "", self.arguments.get(index, "")))}
            if block.get("type") == "tool_use"
            else block
            for index, block in sorted(self.blocks.items())
            if index >= start
        ]

    def parts(self) -> Iterator[Part]:
        """What our own words can say of it."""
        for index, block in sorted(self.blocks.items()):
            if block.get("type") == "text":
                yield Text(block.get("text", ""))
            elif block.get("type") == "tool_use":
                raw = self.arguments.get(index, "")
                yield tool_call(block.get("id", ""), block.get("name", ""), raw)


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
