"""What both OpenAI wires share: the SDK's client and the vendor's own words."""

from __future__ import annotations

from typing import Self

from typing_extensions import override

from pipeline.llm.adapter import CONNECT_S, Adapter, Sdk, wire_failures
from pipeline.llm.base import OutputSchema, ToolSpec
from pipeline.llm.wire import Json, strict_ready

OFFICIAL_HOST = "api.openai.com"


class OpenAIAdapter(Adapter):
    """An adapter over `openai.AsyncOpenAI`."""

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
            sdk = AsyncOpenAI(api_key=self._api_key, base_url=self._base_url, max_retries=0)
        except httpx2.InvalidURL as error:
            raise self._bad_address() from error
        except OpenAIError as error:
            raise self._missing_key() from error
        # The SDK is content with an admin key alone, which answers no model call.
        if not sdk.api_key:
            raise self._missing_key()
        return self._checked(sdk)

    @override
    def _failures(self) -> tuple[type[Exception], ...]:
        from openai import OpenAIError

        return (OpenAIError, *wire_failures())


def timeout(seconds: float) -> Sdk:
    """The SDK's timeout for a call of at most `seconds`."""
    import httpx2

    return httpx2.Timeout(seconds, connect=min(CONNECT_S, seconds))


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
