"""Gemini by generate_content over google-genai."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import aclosing
from contextvars import ContextVar
from typing import Any
from uuid import uuid4

from typing_extensions import override

from pipeline.errors import LLMError, LLMIncomplete, LLMMisconfigured, LLMRefused
from pipeline.llm.adapter import CONNECT_S, Adapter, Sdk, wire_failures
from pipeline.llm.base import Delta, LLMRequest, LLMResponse, Message, Native, Part, Text, Usage
from pipeline.llm.wire import (
    Json,
    as_json,
    calls,
    cut_short,
    dicts,
    echoed_arguments,
    ended,
    native_of,
    number,
    results,
    spoken,
    texts,
    tool_call,
)

_VERSIONS = ("v1beta", "v1")
_LEVELS = {"none": "MINIMAL", "low": "LOW", "medium": "MEDIUM", "high": "HIGH"}
_REFUSED = frozenset(
    {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "ESCALATION"}
)
# The HTTP responses of the call that is under way in this task.
_answered: ContextVar[list[Any]] = ContextVar("answered")
# A turn's first call needs a signature; this is the vendor's own word for a turn that another
# model made. On the wire it reads "skip_thought_signature_validator".
_UNSIGNED = base64.urlsafe_b64decode("skip_thought_signature_validator")
# Calls do not always carry an id. Ours are told by this mark, and never sent.
_OWN_ID = "call-without-id-"


class GoogleGenerate(Adapter):
    """A Gemini model by generate_content.

    The API version is never the SDK's choice: tools and previews live on v1beta, which is ours
    where none is given; the other is v1.
    """

    vendor = "google"
    variables = "GOOGLE_API_KEY or GEMINI_API_KEY"

    _http: Any = None

    @override
    def _connect(self) -> Sdk:
        import httpx2
        from google import genai

        # Our own HTTP client: the SDK would take aiohttp where that happens to be installed,
        # which fails with other errors and retries behind our back.
        self._http = httpx2.AsyncClient(
            follow_redirects=True,
            event_hooks={"request": [self._impatient], "response": [self._remember]},
        )
        if self._api_version not in {None, *_VERSIONS}:
            raise LLMMisconfigured(
                f"{self.vendor}: no API version {self._api_version!r}; "
                f"there are {' and '.join(_VERSIONS)}",
                provider=self.vendor,
            )
        options: Any = {
            "api_version": self._api_version or _VERSIONS[0],
            "base_url": self._base_url,
            "httpx_async_client": self._http,
        }
        try:
            return genai.Client(vertexai=False, api_key=self._api_key, http_options=options)
        except ValueError as error:
            raise self._missing_key() from error

    @override
    def _failures(self) -> tuple[type[Exception], ...]:
        from google.genai import errors

        return (errors.APIError, errors.UnknownApiResponseError, *wire_failures())

    @override
    def _body(self, request: LLMRequest) -> Json:
        config: Json = {
            "max_output_tokens": request.max_output_tokens,
            "thinking_config": {"thinking_level": _LEVELS[request.effort]},
            "automatic_function_calling": {"disable": True},
        }
        if request.system:
            config["system_instruction"] = request.system
        if request.tools:
            declared = [
                {
                    "name": t.name,
                    "description": t.description,
                    "parameters_json_schema": dict(t.schema),
                }
                for t in request.tools
            ]
            config["tools"] = [{"function_declarations": declared}]
        if request.output:
            config["response_mime_type"] = "application/json"
            config["response_json_schema"] = dict(request.output.schema)
        contents = [_content(m, self.vendor, self.model) for m in spoken(request.messages)]
        return {"model": self.model, "contents": contents, "config": config}

    @override
    async def _events(self, sdk: Sdk, body: Json, timeout_s: float) -> AsyncGenerator[Json, None]:
        # The SDK also tells the server this number: the time for all of the answer.
        config = {**body["config"], "http_options": {"timeout": int(timeout_s * 1000)}}
        answered: list[Any] = []
        _answered.set(answered)
        try:
            stream = await sdk.aio.models.generate_content_stream(**{**body, "config": config})
            async with aclosing(stream):
                async for chunk in stream:
                    yield as_json(chunk, self.vendor)
        finally:
            # The SDK leaves a stream that fails open, and its connection taken.
            for response in answered:
                await response.aclose()

    async def _remember(self, response: Sdk) -> None:
        """Say at the door which response a stream comes from."""
        _answered.get().append(response)

    async def _impatient(self, request: Sdk) -> None:
        """Say at the door what the SDK cannot: how long to wait for a line and for a chunk."""
        gaps = {"connect": min(CONNECT_S, self.silence_s), "read": self.silence_s}
        request.extensions["timeout"] = {**request.extensions.get("timeout", {}), **gaps}

    @override
    def _delta(self, event: Json) -> Delta | None:
        for part in _said_in(event):
            if "function_call" in part:
                return Delta("tool", str(part["function_call"].get("name", "")))
            if part.get("text"):
                return Delta("thinking" if part.get("thought") else "text", part["text"])
        return None

    @override
    def _counted(self, events: Sequence[Json]) -> Usage | None:
        ended_by = [c for e in events for c in dicts(e.get("candidates")) if c.get("finish_reason")]
        counted = [event for event in events if event.get("usage_metadata")]
        return _usage(counted[-1]) if ended_by and counted else None

    @override
    def _read(self, events: Sequence[Json], request: LLMRequest) -> LLMResponse:
        if any("block_reason" in event.get("prompt_feedback", {}) for event in events):
            raise LLMRefused(f"{self.vendor}: the request was blocked", provider=self.vendor)
        length = _ended_by_length(events, self.vendor)
        said = _joined(part for event in events for part in _said_in(event))
        native = _native(said, self.vendor, self.model)
        message, stop = ended(
            request,
            Message("assistant", (*native, *_parts(said))),
            length=length,
            provider=self.vendor,
        )
        model = next((e["model_version"] for e in events if "model_version" in e), self.model)
        usage = self._counted(events) or Usage()
        return LLMResponse(message, stop, usage, model, self.vendor)

    @override
    async def _ids(self, sdk: Sdk) -> set[str]:
        _answered.set([])
        listed = {model.name or "" async for model in await sdk.aio.models.list()}
        return {name.removeprefix("models/") for name in listed}

    @override
    async def _disconnect(self, sdk: Sdk) -> None:
        await sdk.aio.aclose()
        sdk.close()
        await self._http.aclose()


def _ended_by_length(events: Sequence[Json], provider: str) -> bool:
    """Whether the token limit ended it. Raises unless it ended in one of the known ways."""
    candidates = (candidate for event in events for candidate in dicts(event.get("candidates")))
    reasons = [c["finish_reason"] for c in candidates if c.get("finish_reason")]
    reason = reasons[-1] if reasons else None
    if reason in {"STOP", "MAX_TOKENS"}:
        return bool(reason == "MAX_TOKENS")
    if reason in _REFUSED:
        raise LLMRefused(f"{provider}: the model declined ({reason})", provider=provider)
    raise _not_whole(reason, provider)


def _not_whole(reason: object, provider: str) -> LLMError:
    if reason is None:
        return cut_short(provider)
    return LLMIncomplete(f"{provider}: the answer is not usable ({reason})", provider=provider)


def _said_in(event: Json) -> list[Json]:
    """The parts of a chunk's first candidate."""
    candidates = dicts(event.get("candidates"))
    return dicts((candidates[0].get("content") or {}).get("parts")) if candidates else []


def _joined(parts: Iterable[Json]) -> list[Json]:
    """The parts with plain texts that follow each other made one; what is signed stays as it is."""
    joined: list[Json] = []
    for part in parts:
        if joined and set(part) == {"text"} and set(joined[-1]) == {"text"}:
            joined[-1] = {"text": joined[-1]["text"] + part["text"]}
        else:
            joined.append(part)
    return joined


def _content(message: Message, provider: str, model: str) -> Json:
    role = "model" if message.role == "assistant" else "user"
    return {"role": role, "parts": native_of(message, provider, model) or list(_said(message))}


def _said(message: Message) -> Iterator[Json]:
    for result in results(message):
        key = "error" if result.is_error else "output"
        answered = {"name": result.name, "response": {key: result.content}}
        yield {"function_response": answered | _sent_id(result.call_id)}
    for text in texts(message):
        yield {"text": text}
    for index, call in enumerate(calls(message)):
        asked = {"name": call.name, "args": echoed_arguments(call)}
        sealed = {} if index else {"thought_signature": _UNSIGNED}
        yield {"function_call": asked | _sent_id(call.id), **sealed}


def _sent_id(call_id: str) -> Json:
    return {} if call_id.startswith(_OWN_ID) else {"id": call_id}


def _parts(said: list[Json]) -> Iterator[Part]:
    for part in said:
        if "function_call" in part:
            asked = part["function_call"]
            raw = json.dumps(asked.get("args", {}), ensure_ascii=False)
            # Once in the whole conversation: another vendor may be asked to go on with it.
            call_id = asked.get("id") or f"{_OWN_ID}{uuid4().hex[:12]}"
            yield tool_call(call_id, asked.get("name", ""), raw)
        elif "text" in part and not part.get("thought"):
            yield Text(part["text"])


def _native(said: list[Json], provider: str, model: str) -> tuple[Native, ...]:
    """The turn as it came, where our own parts could not say all that is in it."""
    opaque = any(set(part) - {"text", "function_call"} for part in said)
    return (Native(provider, said, model),) if opaque else ()


def _usage(data: Json) -> Usage:
    usage = data.get("usage_metadata")
    thoughts = number(usage, "thoughts_token_count")
    return Usage(
        input_tokens=number(usage, "prompt_token_count")
        + number(usage, "tool_use_prompt_token_count"),
        cached_tokens=number(usage, "cached_content_token_count"),
        # This vendor counts thoughts beside the candidates, not in them.
        output_tokens=number(usage, "candidates_token_count") + thoughts,
        reasoning_tokens=thoughts,
    )
