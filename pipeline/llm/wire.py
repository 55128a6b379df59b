"""What every adapter needs to read a vendor's JSON and to write ours."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.errors import LLMIncomplete
from pipeline.llm.base import LLMRequest, Message, Native, Stop, Text, ToolCall, ToolResult

Json = dict[str, Any]


def as_json(answer: object, provider: str) -> Json:
    """An SDK's answer object as plain JSON, absent fields left out.

    Raises `LLMIncomplete`: SDKs hand a page of text through unread when a 200 is not theirs.
    """
    if not hasattr(answer, "model_dump"):
        raise unreadable(provider)
    data: Json = answer.model_dump(mode="json", exclude_none=True, warnings=False)
    return data


def unreadable(provider: str) -> LLMIncomplete:
    """The error for a 200 that does not have the shape of an answer."""
    return LLMIncomplete(f"{provider}: the answer could not be read", provider=provider)


def cut_short(
    provider: str, why: str = "it ended before the answer was whole", *, by_length: bool = False
) -> LLMIncomplete:
    """The error for an answer that began and did not finish."""
    said = f"{provider}: the answer was cut short: {why}"
    return LLMIncomplete(said, provider=provider, by_length=by_length)


def tool_call(call_id: str, name: str, raw: str) -> ToolCall:
    """A tool call of raw arguments; `arguments` is None where they are no JSON object."""
    return ToolCall(call_id, name, _object(raw), raw)


def _object(raw: str) -> Mapping[str, Any] | None:
    # A model that calls a tool without parameters often sends nothing at all.
    if not raw.strip():
        return {}
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def echoed_arguments(call: ToolCall) -> Json:
    """The arguments as an object, for the vendors that take no raw string back."""
    return {"unreadable": call.raw} if call.arguments is None else dict(call.arguments)


def native_of(message: Message, provider: str, model: str) -> list[Json] | None:
    """The turn as this very model wrote it, or None. It stands for the whole message.

    Another model of the same vendor cannot read it: reasoning is sealed for its own.
    """
    for part in message.parts:
        if isinstance(part, Native) and (part.provider, part.model) == (provider, model):
            return dicts(part.payload) or None
    return None


def texts(message: Message) -> list[str]:
    """The message's texts; empty ones are left out because vendors refuse them."""
    return [p.text for p in message.parts if isinstance(p, Text) and p.text.strip()]


def calls(message: Message) -> list[ToolCall]:
    """The message's tool calls."""
    return [p for p in message.parts if isinstance(p, ToolCall)]


def results(message: Message) -> list[ToolResult]:
    """The message's tool results."""
    return [p for p in message.parts if isinstance(p, ToolResult)]


def spoken(messages: Sequence[Message]) -> list[Message]:
    """The messages that say anything: vendors refuse a turn of thinking alone."""
    return [m for m in messages if texts(m) or calls(m) or results(m)]


def ended(
    request: LLMRequest, message: Message, *, length: bool, provider: str
) -> tuple[Message, Stop]:
    """What may be used of an answer that carries its terminal marker, and its stop.

    Where the token limit cut it, its plain text is left, as LENGTH: a cut tool call may look whole
    to its reader, so none comes out. A cut JSON document is nothing: raises `LLMIncomplete`.
    """
    if length and request.output is not None:
        why = "the token limit was reached; raise max_output_tokens"
        raise cut_short(provider, why, by_length=True)
    if length:
        said = tuple(part for part in message.parts if isinstance(part, Text))
        return Message(message.role, said), Stop.LENGTH
    return message, Stop.TOOL if calls(message) else Stop.END


def number(data: Mapping[str, Any] | None, *path: str) -> int:
    """The count at that path, 0 where the vendor left it out; never below, which would pay back."""
    value: Any = data
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return max(0, value) if isinstance(value, int) else 0


def dicts(value: object) -> list[Json]:
    """The JSON objects of a list; anything else that a stranger sent is left out."""
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def strict_ready(schema: object) -> bool:
    """Whether OpenAI's strict mode takes this schema: closed objects, every field required."""
    if isinstance(schema, list):
        return all(strict_ready(item) for item in schema)
    if not isinstance(schema, Mapping):
        return True
    if schema.get("type") == "object" and not (
        schema.get("additionalProperties") is False
        and set(schema.get("required", ())) == set(schema.get("properties", ()))
    ):
        return False
    return all(strict_ready(value) for value in schema.values())
