"""What both OpenAI wires share: the SDK's client, Azure's address, and the vendor's own words."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from typing import Self

from typing_extensions import override

from pipeline.errors import LLMMisconfigured
from pipeline.llm.adapter import CONNECT_S, Adapter, Sdk, wire_failures
from pipeline.llm.base import LLMRequest, OutputSchema, ToolSpec, Usage
from pipeline.llm.wire import Json, as_json, strict_ready

OFFICIAL_HOST = "api.openai.com"
_API_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?")


class OpenAIAdapter(Adapter):
    """An adapter over `openai.AsyncOpenAI`, or over its Azure form where `api_version` is given.

    With an API version, `base_url` is the resource (https://NAME.openai.azure.com) and the model
    id is the name of a deployment.
    """

    vendor = "openai"
    variables = "OPENAI_API_KEY"

    @property
    def official(self) -> bool:
        """Whether the address is OpenAI's own (also a regional one). Opens the client."""
        host: str = self.open().base_url.host
        return host == OFFICIAL_HOST or host.endswith("." + OFFICIAL_HOST)

    def adopt(self, sdk: Sdk) -> Self:
        """Use an SDK client that the other wire opened."""
        self._sdk = sdk
        return self

    @override
    def _connect(self) -> Sdk:
        import httpx2
        from openai import AsyncOpenAI, OpenAIError

        try:
            if self._api_version:
                return self._checked(self._azure())
            sdk = AsyncOpenAI(api_key=self._api_key, base_url=self._base_url, max_retries=0)
        except httpx2.InvalidURL as error:
            raise self._bad_address() from error
        except OpenAIError as error:
            raise self._missing_key() from error
        # The SDK is content with an admin key alone, which answers no model call.
        if not sdk.api_key:
            raise self._missing_key()
        return self._checked(sdk)

    def _azure(self) -> Sdk:
        from openai import AsyncAzureOpenAI

        version, address = self._api_version or "", self._base_url
        if not _API_VERSION.fullmatch(version):
            raise self._wrong(
                f"{version!r} is no API version; write one such as 2025-04-01-preview"
            )
        if address is None:
            raise self._wrong(
                "an API version is Azure's; set the base URL to https://NAME.openai.azure.com too"
            )
        if "/openai" in address:
            raise self._wrong(
                "with an API version the base URL is the Azure resource alone, without /openai...; "
                "or leave the API version out to use Azure's /openai/v1"
            )
        if not self._api_key:
            raise self._missing_key()
        return AsyncAzureOpenAI(
            api_key=self._api_key, azure_endpoint=address, api_version=version, max_retries=0
        )

    def _wrong(self, what: str) -> LLMMisconfigured:
        return LLMMisconfigured(f"{self.vendor}: {what}", provider=self.vendor)

    @override
    def _failures(self) -> tuple[type[Exception], ...]:
        from openai import OpenAIError

        return (OpenAIError, *wire_failures())

    async def _streamed(self, create: Sdk, body: Json) -> AsyncGenerator[Json, None]:
        import httpx2

        # The read time-out counts from chunk to chunk: it ends a stream that has stalled.
        timeout = httpx2.Timeout(self.silence_s, connect=min(CONNECT_S, self.silence_s))
        async with await create(**body, stream=True, timeout=timeout) as stream:
            async for event in stream:
                yield as_json(event, self.vendor)


def used_up(request: LLMRequest, usage: Usage) -> bool:
    """Whether the answer took its last token: some servers call such an answer complete."""
    return usage.output_tokens == request.max_output_tokens


def function(tool: ToolSpec) -> Json:
    """A tool in the fields that both wires share."""
    return {
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.schema),
        "strict": strict_ready(tool.schema),
    }


def schema(output: OutputSchema) -> Json:
    """A JSON schema for the answer, strict where the vendor can be."""
    return {
        "name": output.name,
        "schema": dict(output.schema),
        "strict": strict_ready(output.schema),
    }
