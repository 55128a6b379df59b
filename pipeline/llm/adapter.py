"""What the adapters share: open the SDK late, send, listen, read, and fail in our words."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from pipeline.errors import LLMError, LLMMisconfigured
from pipeline.llm.base import Delta, LLMRequest, LLMResponse, Usage
from pipeline.llm.errors import translate
from pipeline.llm.gate import gate_of
from pipeline.llm.wire import Json, unreadable

# A dead address should not use up a seat's time; ten seconds outlast any slow handshake.
CONNECT_S = 10.0
LIST_S = 30.0
# A model that thinks without showing it is silent for minutes; longer, and the line is dead.
SILENCE_S = 300.0


# An SDK's own object. Its types stay behind the adapters' door.
Sdk = Any


# What reading a stranger's JSON raises where a field is missing or is not what it should be.
_STRANGE_SHAPES = (KeyError, TypeError, AttributeError)


class MissingKey(LLMMisconfigured):
    """No key for a vendor. `variables` names where its SDK looks for one."""

    def __init__(self, provider: str, variables: str, hint: str = "") -> None:
        super().__init__(f"{provider}: no key; set {variables}{hint}", provider=provider)
        self.variables = variables


class Adapter(ABC):
    """One model behind one official SDK; satisfies `LLMClient`.

    Every answer is streamed and counts only with its vendor's terminal marker. Nothing heavy is
    imported before `open()`, which the first `complete()` calls by itself. Without `api_key` and
    `base_url` the SDK reads its own environment variables. `silence_s` is how long a server may
    send nothing before the call is given up.
    """

    vendor: str = ""
    variables: str = ""  # the environment variables that the SDK reads its key from
    silence_s: float = SILENCE_S

    def __init__(
        self,
        model: str,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        api_version: str | None = None,
        silence_s: float | None = None,
    ) -> None:
        self._model = model
        self._api_key = api_key or None
        self._base_url = base_url or None
        self._api_version = api_version or None
        self.silence_s = silence_s or self.silence_s
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
        """Answer the request with a whole answer, in one try. Raises `LLMError`."""
        sdk = self.open()
        body = self._body(request)
        events: list[Json] = []
        try:
            async with asyncio.timeout(request.timeout_s), gate_of(self.vendor):
                await self._hear_out(sdk, body, request, events)
        except self._failures() as error:
            raise self._billed(translate(error, self.vendor), events) from error
        try:
            return self._read(events, request)
        except LLMError as error:
            raise self._billed(error, events) from error.__cause__
        except _STRANGE_SHAPES as error:
            raise self._billed(unreadable(self.vendor), events) from error

    async def offered(self) -> tuple[str, ...]:
        """Ids of the models that the vendor offers to this key, sorted. Raises `LLMError`."""
        sdk = self.open()
        try:
            async with asyncio.timeout(LIST_S):
                return tuple(sorted(await self._ids(sdk)))
        except self._failures() as error:
            raise translate(error, self.vendor) from error

    async def aclose(self) -> None:
        """Give back connections. Idempotent."""
        sdk, self._sdk = self._sdk, None
        if sdk is not None:
            await self._disconnect(sdk)

    async def _hear_out(
        self, sdk: Sdk, body: Json, request: LLMRequest, events: list[Json]
    ) -> None:
        more: Json | None = body
        while more is not None:
            async with aclosing(self._events(sdk, more, request.timeout_s)) as stream:
                async for event in stream:
                    events.append(event)
                    piece = self._piece(event) if request.watch else None
                    if request.watch and piece:
                        request.watch(piece)
            try:
                more = self._continued(more, events)
            except _STRANGE_SHAPES:
                more = None  # and whoever reads the answer will say what is wrong with it

    def _piece(self, event: Json) -> Delta | None:
        try:
            return self._delta(event)
        except _STRANGE_SHAPES:
            return None

    def _billed(self, error: LLMError, events: Sequence[Json]) -> LLMError:
        """The error, with what its try was billed as far as the vendor said so."""
        try:
            error.usage = self._counted(events)
        except _STRANGE_SHAPES:
            error.usage = None
        error.maybe_billed = error.usage is None and (error.maybe_billed or bool(events))
        return error

    def _missing_key(self) -> MissingKey:
        hint = "; any value will do for a server that asks for none" if self._base_url else ""
        return MissingKey(self.vendor, self.variables, hint)

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
    def _events(self, sdk: Sdk, body: Json, timeout_s: float) -> AsyncGenerator[Json, None]:
        """One call without retries: the events of its stream as plain JSON."""

    @abstractmethod
    def _delta(self, event: Json) -> Delta | None:
        """What of an event shows that the model is at work."""

    @abstractmethod
    def _counted(self, events: Sequence[Json]) -> Usage | None:
        """The vendor's final count of the answer's tokens, where it came."""

    @abstractmethod
    def _read(self, events: Sequence[Json], request: LLMRequest) -> LLMResponse:
        """The whole answer in our words. Raises `LLMIncomplete`, `LLMRefused`, `LLMTooLong`."""

    def _continued(self, body: Json, events: Sequence[Json]) -> Json | None:  # noqa: ARG002
        """What to send where the vendor paused in the middle of its answer; None: it did not."""
        return None

    async def _ids(self, sdk: Sdk) -> set[str]:
        """What the SDK's own list says, page after page."""
        return {model.id async for model in sdk.models.list()}

    async def _disconnect(self, sdk: Sdk) -> None:
        await sdk.close()


def wire_failures() -> tuple[type[Exception], ...]:
    """What reaches us past every SDK's own error classes, as measured: see `errors`."""
    import httpx2
    import pydantic

    # No plain ValueError or TypeError: those are bugs in a request, and must be seen as bugs.
    readers = (json.JSONDecodeError, UnicodeDecodeError, pydantic.ValidationError)
    return (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, OSError, *readers)
