"""OpenAI's two wires, read and answered."""

from __future__ import annotations

import json
from http import HTTPStatus
from itertools import pairwise, takewhile

from bot.emulators.models.stage import Incoming, Json, Played, Refusal, missing, seal, words


def refuse(refusal: Refusal) -> Json:
    """An error in OpenAI's form."""
    locked = refusal.status == HTTPStatus.UNAUTHORIZED
    kind = "authentication_error" if locked else "invalid_request_error"
    return {"error": {"message": str(refusal), "type": kind, "code": refusal.code, "param": None}}


def read_responses(body: Json) -> Incoming:
    """A request to Responses. `input` may be a text or items."""
    items = (
        body["input"]
        if isinstance(body["input"], list)
        else [{"role": "user", "content": body["input"]}]
    )
    calls = [item["call_id"] for item in items if item.get("type") == "function_call"]
    results = [item["call_id"] for item in items if item.get("type") == "function_call_output"]
    reasoning = "reasoning.encrypted_content" in (body.get("include") or [])
    return Incoming(
        vendor="openai",
        wire="responses",
        model=body["model"],
        system=body.get("instructions") or "",
        last=_last_words(items),
        body=body,
        stream=bool(body.get("stream")),
        reasoning=reasoning,
        unanswered=missing(calls, results),
        unsealed=_unsealed(items) if reasoning else (),
    )


def write_responses(incoming: Incoming, played: Played) -> Json:
    """The answer of Responses; reasoning comes encrypted with every tool call."""
    output: list[Json] = []
    if incoming.reasoning and played.calls:
        sealed = {"id": f"rs_{played.number}", "encrypted_content": seal(played.calls[0][0])}
        output.append({"type": "reasoning", "summary": [], **sealed})
    if played.turn.text:
        text = {"type": "output_text", "text": played.turn.text, "annotations": []}
        message = {"type": "message", "id": f"msg_{played.number}", "role": "assistant"}
        output.append({**message, "status": "completed", "content": [text]})
    output += [
        {
            "type": "function_call",
            "id": f"fc_{call_id}",
            "call_id": call_id,
            "name": name,
            "arguments": json.dumps(args),
            "status": "completed",
        }
        for call_id, name, args in played.calls
    ]
    return {
        "id": f"resp_{played.number}",
        "object": "response",
        "created_at": 0,
        "status": "completed",
        "model": incoming.model,
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": incoming.input_tokens,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": played.output_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": incoming.input_tokens + played.output_tokens,
        },
    }


def read_chat(body: Json) -> Incoming:
    """A request to Chat Completions."""
    messages = body["messages"]
    calls = [call["id"] for m in messages for call in m.get("tool_calls") or ()]
    results = [m["tool_call_id"] for m in messages if m["role"] == "tool"]
    system = [words(m.get("content")) for m in messages if m["role"] in {"system", "developer"}]
    return Incoming(
        vendor="openai",
        wire="chat",
        model=body["model"],
        system="\n".join(system),
        last=_last_words(messages),
        body=body,
        stream=bool(body.get("stream")),
        unanswered=missing(calls, results),
    )


def write_chat(incoming: Incoming, played: Played) -> Json:
    """The answer of Chat Completions."""
    calls = [
        {"id": call_id, "type": "function", "function": {"name": n, "arguments": json.dumps(args)}}
        for call_id, n, args in played.calls
    ]
    message: Json = {"role": "assistant", "content": played.turn.text or None, "refusal": None}
    return {
        "id": f"chatcmpl-{played.number}",
        "object": "chat.completion",
        "created": 0,
        "model": incoming.model,
        "choices": [
            {
                "index": 0,
                "message": message | ({"tool_calls": calls} if calls else {}),
                "finish_reason": "tool_calls" if calls else "stop",
                "logprobs": None,
            }
        ],
        "usage": {
            "prompt_tokens": incoming.input_tokens,
            "completion_tokens": played.output_tokens,
            "total_tokens": incoming.input_tokens + played.output_tokens,
        },
    }


def _last_words(items: list[Json]) -> str:
    """What the user's side said last: several items of the wire make one message of ours."""
    last = list(takewhile(_of_user, reversed(items)))
    return words(last[::-1])


def _of_user(item: Json) -> bool:
    return item.get("type") == "function_call_output" or item.get("role") in {"user", "tool"}


def _unsealed(items: list[Json]) -> tuple[str, ...]:
    """First calls of a turn that have no reasoning item with their seal before them."""
    sealed = {item.get("encrypted_content") for item in items if item.get("type") == "reasoning"}
    turns = [
        after["call_id"]
        for before, after in pairwise([{}, *items])
        if after.get("type") == "function_call" and before.get("type") != "function_call"
    ]
    return tuple(call_id for call_id in turns if seal(call_id) not in sealed)
