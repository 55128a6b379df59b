"""Gemini's generateContent and streamGenerateContent."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from bot.emulators.models.openai_stream import halves
from bot.emulators.models.stage import Incoming, Json, Played, Refusal, missing, seal, words

# What stands for the signature of a turn that another vendor's model made.
_TAKEN_OVER = "skip/thought/signature/validator"
_STATUSES = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 404: "NOT_FOUND"}


def refuse(refusal: Refusal) -> Json:
    """An error in Google's form."""
    status = _STATUSES.get(refusal.status, "INVALID_ARGUMENT")
    reason = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": refusal.code}
    said = {"message": str(refusal), "status": status, "details": [reason]}
    return {"error": {"code": refusal.status, **said}}


def read_generate(body: Json, model: str, *, stream: bool) -> Incoming:
    """A request to generateContent; its model is in the path."""
    contents = body["contents"]
    parts = [part for content in contents for part in content["parts"]]
    calls = [part["functionCall"].get("id", "") for part in parts if "functionCall" in part]
    results = [p["functionResponse"].get("id", "") for p in parts if "functionResponse" in p]
    return Incoming(
        vendor="google",
        wire="generate",
        model=model,
        system=words(body.get("systemInstruction")),
        last=words(contents[-1]),
        body=body,
        stream=stream,
        reasoning=True,
        unanswered=missing(calls, results),
        unsealed=_unsealed(contents),
    )


def write_generate(incoming: Incoming, played: Played) -> Json:
    """The answer of generateContent; the first call of a turn carries its signature."""
    parts: list[Json] = [{"text": played.turn.text}] if played.turn.text else []
    for index, (call_id, name, args) in enumerate(played.calls):
        call: Json = {"functionCall": {"id": call_id, "name": name, "args": args}}
        parts.append(call | ({} if index else {"thoughtSignature": _signature(call_id)}))
    return _chunk(incoming.model, parts) | {
        "usageMetadata": {
            "promptTokenCount": incoming.input_tokens,
            "candidatesTokenCount": played.output_tokens,
            "totalTokenCount": incoming.input_tokens + played.output_tokens,
        }
    }


def stream_generate(answer: Json) -> Iterator[Json]:
    """The same answer in chunks, texts in two pieces; the finish reason is in the last."""
    parts = answer["candidates"][0]["content"]["parts"] or [{"text": ""}]
    *early, last = [piece for part in parts for piece in _pieces(part)]
    for part in early:
        chunk = _chunk(answer["modelVersion"], [part])
        del chunk["candidates"][0]["finishReason"]
        yield chunk
    yield answer | _chunk(answer["modelVersion"], [last])


def _pieces(part: Json) -> list[Json]:
    return [{"text": half} for half in halves(part["text"])] if "text" in part else [part]


def _chunk(model: str, parts: list[Json]) -> Json:
    content = {"role": "model", "parts": parts}
    candidate = {"content": content, "finishReason": "STOP", "index": 0}
    return {"candidates": [candidate], "modelVersion": model}


def _signature(call_id: str) -> str:
    return base64.b64encode(seal(call_id).encode()).decode()


def _unsealed(contents: list[Json]) -> tuple[str, ...]:
    """First calls of a turn that came back without their signature."""
    lost = []
    for content in contents:
        calls = [part for part in content["parts"] if "functionCall" in part]
        if calls and not _sealed(calls[0]):
            lost.append(calls[0]["functionCall"].get("id", ""))
    return tuple(lost)


def _sealed(part: Json) -> bool:
    # The SDK writes the URL-safe alphabet, the API the plain one.
    signature = str(part.get("thoughtSignature", "")).replace("-", "+").replace("_", "/")
    if signature == _TAKEN_OVER:
        return True
    return signature == _signature(part["functionCall"].get("id", ""))
