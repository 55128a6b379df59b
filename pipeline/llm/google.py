"""Gemini by generate_content over google-genai."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from typing_extensions import override

from pipeline.errors import LLMError, LLMIncomplete, LLMRefused
from pipeline.llm.adapter import Adapter, Sdk, wire_failures
from pipeline.llm.base import LLMRequest, LLMResponse, Message, Native, Part, Text, Usage
from pipeline.llm.wire import (
    Json,
    as_json,
    calls,
    cut_short,
    dicts,
    echoed_arguments,
    native_of,
    number,
    results,
    spoken,
    texts,
    tool_call,
    unreadable,
    whole,
)

_LEVELS = {"none": "MINIMAL", "low": "LOW", "medium": "MEDIUM", "high": "HIGH"}
_REFUSED = frozenset(
    {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "ESCALATION"}
)
# Calls do not always carry an id. Ours are told by this mark, and never sent.
_OWN_ID = "call-without-id-"


class GoogleGenerate(Adapter):
    """A Gemini model by generate_content.

    `api_version` is pinned: tools and previews live on v1beta, the SDK's default is v1.
    """

    vendor = "google"
    variables = "GOOGLE_API_KEY or GEMINI_API_KEY"

    def __init__(
        self,
        model: str,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        api_version: str = "v1beta",
    ) -> None:
        super().__init__(model, api_key=api_key, base_url=base_url)
        self._api_version = api_version
        self._http: Any = None

    @override
    def _connect(self) -> Sdk:
        import httpx2
        from google import genai

        # Our own HTTP client: the SDK would take aiohttp where that happens to be installed,
        # which fails with other errors and retries behind our back.
        self._http = httpx2.AsyncClient(follow_redirects=True)
        options: Any = {
            "api_version": self._api_version,
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
        contents = [_content(m, self.vendor) for m in spoken(request.messages)]
        return {"model": self.model, "contents": contents, "config": config}

    @override
    async def _send(self, sdk: Sdk, body: Json, timeout_s: float) -> Sdk:
        options = {"timeout": int(timeout_s * 1000)}
        config = {**body["config"], "http_options": options}
        return await sdk.aio.models.generate_content(**{**body, "config": config})

    @override
    def _read(self, answer: Sdk, request: LLMRequest) -> LLMResponse:
        data = as_json(answer, self.vendor)
        if "block_reason" in data.get("prompt_feedback", {}):
            raise LLMRefused(f"{self.vendor}: the request was blocked", provider=self.vendor)
        candidates = dicts(data.get("candidates"))
        if not candidates:
            raise unreadable(self.vendor)
        length = _ended_by_length(candidates[0], self.vendor)
        said = dicts((candidates[0].get("content") or {}).get("parts"))
        message = Message("assistant", (*_native(said, self.vendor), *_parts(said)))
        stop = whole(request, bool(calls(message)), length=length, provider=self.vendor)
        return LLMResponse(message, stop, _usage(data), data.get("model_version", self.model))

    @override
    async def _disconnect(self, sdk: Sdk) -> None:
        await sdk.aio.aclose()
        sdk.close()
        await self._http.aclose()


def _ended_by_length(candidate: Json, provider: str) -> bool:
    """Whether the token limit ended it. Raises unless it ended in one of the known ways."""
    reason = candidate.get("finish_reason")
    if reason in {"STOP", "MAX_TOKENS"}:
        return bool(reason == "MAX_TOKENS")
    if reason in _REFUSED:
        raise LLMRefused(f"{provider}: the model declined ({reason})", provider=provider)
    raise _not_whole(reason, provider)


def _not_whole(reason: object, provider: str) -> LLMError:
    if reason is None:
        return cut_short(provider)
    return LLMIncomplete(f"{provider}: the answer is not usable ({reason})", provider=provider)


def _content(message: Message, provider: str) -> Json:
    role = "model" if message.role == "assistant" else "user"
    return {"role": role, "parts": native_of(message, provider) or list(_said(message))}


def _said(message: Message) -> Iterator[Json]:
    for result in results(message):
        key = "error" if result.is_error else "output"
        answered = {"name": result.name, "response": {key: result.content}}
        yield {"function_response": answered | _sent_id(result.call_id)}
    for text in texts(message):
        yield {"text": text}
    for call in calls(message):
        asked = {"name": call.name, "args": echoed_arguments(call)}
        yield {"function_call": asked | _sent_id(call.id)}


def _sent_id(call_id: str) -> Json:
    return {} if call_id.startswith(_OWN_ID) else {"id": call_id}


def _parts(said: list[Json]) -> Iterator[Part]:
    for index, part in enumerate(said):
        if "function_call" in part:
            asked = part["function_call"]
            raw = json.dumps(asked.get("args", {}), ensure_ascii=False)
            call_id = asked.get("id") or f"{_OWN_ID}{index}"
            yield tool_call(call_id, asked.get("name", ""), raw)
        elif "text" in part and not part.get("thought"):
            yield Text(part["text"])


def _native(said: list[Json], provider: str) -> tuple[Native, ...]:
    """The turn as it came, where our own parts could not say all that is in it."""
    opaque = any(set(part) - {"text", "function_call"} for part in said)
    return (Native(provider, said),) if opaque else ()


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
