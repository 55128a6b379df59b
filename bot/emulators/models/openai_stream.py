"""The answers of OpenAI's two wires as the events of a stream."""

from __future__ import annotations

from collections.abc import Iterator

from bot.emulators.models.stage import Json


def stream_responses(answer: Json) -> Iterator[tuple[str, Json]]:
    """Responses: every item as it is done, then the whole response in the terminal event."""
    begun = {**answer, "status": "in_progress", "output": []}
    events: list[tuple[str, Json]] = [("response.created", {"response": begun})]
    for index, item in enumerate(answer["output"]):
        place = {"output_index": index, "item_id": item["id"]}
        events.append(("response.output_item.added", {"output_index": index, "item": item}))
        events += [(name, place | piece) for name, piece in _pieces(item)]
        events.append(("response.output_item.done", {"output_index": index, "item": item}))
    events.append(("response.completed", {"response": answer}))
    for number, (name, data) in enumerate(events):
        yield name, {"type": name, "sequence_number": number, **data}


def _pieces(item: Json) -> Iterator[tuple[str, Json]]:
    if item["type"] == "function_call":
        for half in halves(item["arguments"]):
            yield "response.function_call_arguments.delta", {"delta": half}
    for index, content in enumerate(item.get("content", ())):
        for half in halves(content["text"]):
            piece = {"content_index": index, "delta": half, "logprobs": []}
            yield "response.output_text.delta", piece


def stream_chat(answer: Json, *, usage: bool) -> Iterator[Json | str]:
    """Chat Completions: chunks, the finish reason, the usage where it was asked for, the end."""
    message, finish = answer["choices"][0]["message"], answer["choices"][0]["finish_reason"]
    deltas: list[Json] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": half} for half in halves(message["content"] or "")]
    for index, call in enumerate(message.get("tool_calls", ())):
        named = {"name": call["function"]["name"], "arguments": ""}
        deltas.append({"tool_calls": [{**call, "index": index, "function": named}]})
        for half in halves(call["function"]["arguments"]):
            deltas.append({"tool_calls": [{"index": index, "function": {"arguments": half}}]})
    for delta in deltas:
        yield _chunk(answer, [_choice(delta, None)])
    yield _chunk(answer, [_choice({}, finish)])
    if usage:
        yield _chunk(answer, []) | {"usage": answer["usage"]}
    yield "[DONE]"


def halves(text: str) -> tuple[str, str]:
    """The text in two pieces, as a stream would bring it."""
    middle = len(text) // 2
    return text[:middle], text[middle:]


def _choice(delta: Json, finish: str | None) -> Json:
    return {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}


def _chunk(answer: Json, choices: list[Json]) -> Json:
    kept = {key: answer[key] for key in ("id", "created", "model")}
    return {**kept, "object": "chat.completion.chunk", "choices": choices}
