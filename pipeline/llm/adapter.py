"""What the adapters share: open the SDK late, send, read, and fail in our words."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from typing import Any

from pipeline.errors import LLMMisconfigured
from pipeline.llm.base import LLMRequest, LLMResponse
from pipeline.llm.errors import translate
from pipeline.llm.wire import Json, unreadable

# A dead address should not use up a seat's time; ten seconds outlast any slow handshake.
CONNECT_S = 10.0


# An SDK's own object. Its types stay behind the adapters' door.
Sdk = Any


# What reading a stranger's JSON raises where a field is missing or is not what it should be.
_STRANGE_SHAPES = (KeyError, TypeError, AttributeError)


class MissingKey(LLMMisconfigured):
    """No key for a vendor. `variables` names where its SDK looks for one."""

    def __init__(self, provider: str, variables: str) -> None:
        super().__init__(f"{provider}: no key; set {variables}", provider=provider)
        self.variables = variables


class Adapter(ABC):
    """One model behind one official SDK; satisfies `LLMClient`.

    Nothing heavy is imported before `open()`, which the first `complete()` calls by itself.
    Without `api_key` and `base_url` the SDK reads its own environment variables.
    """

    vendor: str = ""
    variables: str = ""  # the environment variables that the SDK reads its key from

    def __init__(
        self, model: str, *, api_key: str | None = None, base_url: str | None = None
    ) -> None:
        self._model = model
        self._api_key = api_key or None
        self._base_url = base_url or None
        self._sdk: Sdk = None

    @property
    def provider(self) -> str:
        """The vendor's name."""
        return self.vendor

    @property
    def model(self) -> str:
        """The model id that is sent."""
        return self._model

    def open(self) -> Sdk:
        """Import the SDK and build its client, without any request. Idempotent.

        Raises `LLMMisconfigured` when there is no key, or the base URL is no address.
        """
        if self._sdk is None:
            self._sdk = self._connect()
        return self._sdk

    async def complete(self, request: LLMRequest) -> LLMResponse:
        """Answer the request with a whole answer. Raises `LLMError`."""
        sdk = self.open()
        body = self._body(request)
        try:
            async with asyncio.timeout(request.timeout_s):
                answer = await self._send(sdk, body, request.timeout_s)
        except self._failures() as error:
            raise translate(error, self.vendor) from error
        try:
            return self._read(answer, request)
        except _STRANGE_SHAPES as error:
            raise unreadable(self.vendor) from error

    async def aclose(self) -> None:
        """Give back connections. Idempotent."""
        sdk, self._sdk = self._sdk, None
        if sdk is not None:
            await self._disconnect(sdk)

    def _missing_key(self) -> MissingKey:
        return MissingKey(self.vendor, self.variables)

    def _checked(self, sdk: Sdk) -> Sdk:
        """The client, if its address is one: else the first call would fail as a bad network."""
        if sdk.base_url.scheme not in {"http", "https"} or not sdk.base_url.host:
            raise self._bad_address()
        return sdk

    def _bad_address(self) -> LLMMisconfigured:
        return LLMMisconfigured(
            f"{self.vendor}: the base URL is not a valid address", provider=self.vendor
        )

    @abstractmethod
    def _connect(self) -> Sdk:
        """Build the SDK's client."""

    @abstractmethod
    def _failures(self) -> tuple[type[Exception], ...]:
        """What the SDK is known to raise; anything else is a bug and is not caught."""

    @abstractmethod
    def _body(self, request: LLMRequest) -> Json:
        """The request as the SDK's keyword arguments."""

    @abstractmethod
    async def _send(self, sdk: Sdk, body: Json, timeout_s: float) -> Sdk:
        """One call, no retries."""

    @abstractmethod
    def _read(self, answer: Sdk, request: LLMRequest) -> LLMResponse:
        """The SDK's answer in our words. Raises `LLMIncomplete`, `LLMRefused`."""

    async def _disconnect(self, sdk: Sdk) -> None:
        await sdk.close()


def wire_failures() -> tuple[type[Exception], ...]:
    """What reaches us past every SDK's own error classes, as measured: see `errors`."""
    import httpx2
    import pydantic

    # No plain ValueError or TypeError: those are bugs in a request, and must be seen as bugs.
    readers = (json.JSONDecodeError, UnicodeDecodeError, pydantic.ValidationError)
    return (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, OSError, *readers)
