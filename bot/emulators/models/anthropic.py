"""Anthropic's Messages, plain and streamed."""

from __future__ import annotations

import json
from collections.abc import Iterator

from bot.emulators.models.openai_stream import halves
from bot.emulators.models.stage import Incoming, Json, Played, Refusal, missing, seal, words

_KINDS = {400: "invalid_request_error", 401: "authentication_error", 404: "not_found_error"}


def refuse(refusal: Refusal) -> Json:
    """An error in Anthropic's form."""
    kind = _KINDS.get(refusal.status, "invalid_request_error")
    details = {"error_code": refusal.code}
    return {
        "type": "error",
        "error": {"type": kind, "message": str(refusal), "details": details},
    }


def read_messages(body: Json) -> Incoming:
    """A request to Messages. `content` may be a text or blocks."""
    messages = body["messages"]
    blocks = [block for m in messages for block in _blocks(m)]
    calls = [block["id"] for block in blocks if block.get("type") == "tool_use"]
    results = [block["tool_use_id"] for block in blocks if block.get("type") == "tool_result"]
    reasoning = (body.get("thinking") or {}).get("type") in {"adaptive", "enabled"}
    return Incoming(
        vendor="anthropic",
        wire="messages",
        model=body["model"],
        system=words(body.get("system")),
        last=words(messages[-1]),
        body=body,
        stream=bool(body.get("stream")),
        reasoning=reasoning,
        unanswered=missing(calls, results),
        unsealed=_unsealed(messages) if reasoning else (),
    )


def write_messages(incoming: Incoming, played: Played) -> Json:
    """The answer of Messages; a signed thought comes with every tool call."""
    content: list[Json] = []
    if incoming.reasoning and played.calls:
        thought = {"thinking": "", "signature": seal(played.calls[0][0])}
        content.append({"type": "thinking", **thought})
    if played.turn.text:
        content.append({"type": "text", "text": played.turn.text})
    content += [
        {"type": "tool_use", "id": call_id, "name": name, "input": args}
        for call_id, name, args in played.calls
    ]
    return {
        "id": f"msg_{played.number}",
        "type": "message",
        "role": "assistant",
        "model": incoming.model,
        "content": content,
        "stop_reason": "tool_use" if played.calls else "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": incoming.input_tokens,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": played.output_tokens,
        },
    }


def stream_messages(message: Json) -> Iterator[tuple[str, Json]]:
    """The same answer as events: name and data."""
    begun = {**message, "content": [], "stop_reason": None}
    yield "message_start", {"type": "message_start", "message": begun}
    for index, block in enumerate(message["content"]):
        empty, deltas = _in_pieces(block)
        start = {"type": "content_block_start", "index": index, "content_block": empty}
        yield "content_block_start", start
        for delta in deltas:
            piece = {"type": "content_block_delta", "index": index, "delta": delta}
            yield "content_block_delta", piece
        yield "content_block_stop", {"type": "content_block_stop", "index": index}
    delta = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    usage = {"output_tokens": message["usage"]["output_tokens"]}
    yield "message_delta", {"type": "message_delta", "delta": delta, "usage": usage}
    yield "message_stop", {"type": "message_stop"}


def _in_pieces(block: Json) -> tuple[Json, list[Json]]:
    """A block as it starts, and what is then added; texts and arguments come in two pieces."""
    match block["type"]:
        case "thinking":
            signed = {"type": "signature_delta", "signature": block["signature"]}
            return {**block, "signature": ""}, [signed]
        case "tool_use":
            pieces = halves(json.dumps(block["input"]))
            added = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
            return {**block, "input": {}}, added
        case _:
            added = [{"type": "text_delta", "text": piece} for piece in halves(block["text"])]
            return {**block, "text": ""}, added


def _blocks(message: Json) -> list[Json]:
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _unsealed(messages: list[Json]) -> tuple[str, ...]:
    """First calls of a turn whose thought did not come back with its signature."""
    lost = []
    for blocks in map(_blocks, messages):
        first = next((b["id"] for b in blocks if b["type"] == "tool_use"), None)
        signed = {b.get("signature") for b in blocks if b["type"] == "thinking"}
        if first is not None and seal(first) not in signed:
            lost.append(first)
    return tuple(lost)
