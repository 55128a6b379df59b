"""Requests and responses as JSON: what the journal keeps, and the digest it is checked by."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from pipeline.errors import InvalidState
from pipeline.llm.base import (
    LLMRequest,
    LLMResponse,
    Message,
    Native,
    Part,
    Stop,
    Text,
    ToolCall,
    ToolResult,
    Usage,
)
from pipeline.redaction import Redactor

_PARTS: Mapping[str, type[Text | ToolCall | ToolResult | Native]] = {
    "text": Text,
    "call": ToolCall,
    "result": ToolResult,
    "native": Native,
}
_KIND = {part: kind for kind, part in _PARTS.items()}


def request_to_json(request: LLMRequest) -> dict[str, Any]:
    """What the model is shown, as plain JSON; time-outs and effort are no part of it."""
    return {
        "system": request.system,
        "tools": [asdict(tool) for tool in request.tools],
        "output": asdict(request.output) if request.output else None,
        "messages": [_message(message) for message in request.messages],
    }


def request_digest(request: LLMRequest) -> str:
    """SHA-256 over what the model is shown."""
    return digest_of_asked(request_to_json(request))


def digest_of_asked(asked: Mapping[str, Any]) -> str:
    """SHA-256 over a request as JSON."""
    text = json.dumps(asked, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def response_to_json(response: LLMResponse) -> dict[str, Any]:
    """A dict that `json` can write and `response_from_json` reads back to an equal response."""
    return {
        "message": _message(response.message),
        "stop": response.stop.value,
        "usage": asdict(response.usage),
        "model": response.model,
        "provider": response.provider,
    }


def response_from_json(raw: Mapping[str, Any]) -> LLMResponse:
    """The response again. Raises InvalidState where it is not one of ours."""
    try:
        return LLMResponse(
            message=_read_message(raw["message"]),
            stop=Stop(raw["stop"]),
            usage=Usage(**raw["usage"]),
            model=raw["model"],
            provider=raw.get("provider", ""),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidState(f"not a journalled reply: {error!r}") from error


def redacted(request: LLMRequest, redact: Redactor) -> LLMRequest:
    """The request without any secret that the redactor knows: the last net before a vendor."""
    return replace(
        request,
        system=redact(request.system),
        messages=tuple(_clean(message, redact) for message in request.messages),
    )


def _clean(message: Message, redact: Redactor) -> Message:
    raw = _message(message)
    clean = redact.plain(raw)
    return message if clean == raw else _read_message(clean)


def _read_message(raw: Mapping[str, Any]) -> Message:
    return Message(raw["role"], tuple(_part(part) for part in raw["parts"]))


def _message(message: Message) -> dict[str, Any]:
    parts = [{"kind": _KIND[type(part)], **asdict(part)} for part in message.parts]
    return {"role": message.role, "parts": parts}


def _part(raw: Mapping[str, Any]) -> Part:
    fields = {key: value for key, value in raw.items() if key != "kind"}
    return _PARTS[raw["kind"]](**fields)
