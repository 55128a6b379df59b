"""How many tokens a request will be read as, guessed high before it is sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.llm.base import LLMRequest, Message, Native, Part, Text, ToolCall, ToolResult

# Prose has four bytes a token, code three; hex digits and dense JSON come near two.
BYTES_PER_TOKEN = 2
_PER_MESSAGE = 12
_PER_TOOL = 24
_FRAME = 600  # what a vendor puts around tools and schemas by itself


def size(request: LLMRequest) -> int:
    """The request's weight in bytes: what is said, and what it is wrapped in."""
    wrapped = _PER_MESSAGE * len(request.messages) + _PER_TOOL * len(request.tools) + _FRAME
    tools = sum(
        _bytes(tool.name) + _bytes(tool.description) + _json(tool.schema) for tool in request.tools
    )
    output = _json(request.output.schema) if request.output else 0
    said = sum(_weight(part) for message in request.messages for part in message.parts)
    return _bytes(request.system) + tools + output + said + wrapped * BYTES_PER_TOKEN


@dataclass(slots=True)
class Estimator:
    """Guesses input tokens, and learns: prompts only grow, so the last count is a firm floor."""

    _seen: dict[str, tuple[tuple[Message, ...], int, int]] = field(default_factory=dict)

    def tokens(self, talk: str, request: LLMRequest) -> int:
        """Input tokens of the request, guessed high. `talk` names seat and model."""
        weight = size(request)
        messages, before, counted = self._seen.get(talk, ((), 0, 0))
        if messages and request.messages[: len(messages)] == messages and weight >= before:
            return counted + -(-(weight - before) // BYTES_PER_TOKEN)
        return -(-weight // BYTES_PER_TOKEN)

    def learn(self, talk: str, request: LLMRequest, input_tokens: int) -> None:
        """What the request was really read as."""
        if input_tokens > 0:
            self._seen[talk] = (request.messages, size(request), input_tokens)


def _weight(part: Part) -> int:
    match part:
        case Text(text):
            return _bytes(text)
        case ToolCall():
            return _bytes(part.id) + _bytes(part.name) + _bytes(part.raw)
        case ToolResult():
            return _bytes(part.call_id) + _bytes(part.name) + _bytes(part.content)
        case Native():
            return _json(part.payload)


def _json(value: object) -> int:
    plain = dict(value) if isinstance(value, Mapping) else value
    return _bytes(json.dumps(plain, ensure_ascii=False, default=str))


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
