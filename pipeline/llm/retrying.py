"""Bounded tries around a client, waiting as long as the server asks or as chance says."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

from pipeline.errors import LLMIncomplete, LLMUnavailable
from pipeline.llm.base import LLMClient, LLMRequest, LLMResponse

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 20.0
LONGEST_WISH_S = 60.0


class Retrying:
    """The one retry policy over all vendors (the SDKs' own are off).

    Tries again on `LLMUnavailable` and `LLMIncomplete` alone, `tries` times in all. A server
    that asks for more than a minute is taken at its word: the error is raised at once.
    """

    def __init__(
        self,
        client: LLMClient,
        *,
        tries: int = 4,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._client = client
        self._tries = tries
        self._sleep = sleep
        self._chance = chance

    @property
    def provider(self) -> str:
        """The wrapped client's provider."""
        return self._client.provider

    @property
    def model(self) -> str:
        """The wrapped client's model id."""
        return self._client.model

    async def complete(self, request: LLMRequest) -> LLMResponse:
        """Answer the request; raises the last try's `LLMError`."""
        for attempt in range(1, self._tries):
            try:
                return await self._client.complete(request)
            except (LLMUnavailable, LLMIncomplete) as error:
                wait = _wish(error)
                if wait is not None and wait > LONGEST_WISH_S:
                    raise
            await self._sleep(self._backoff(attempt) if wait is None else wait)
        return await self._client.complete(request)

    async def aclose(self) -> None:
        """Close the wrapped client."""
        await self._client.aclose()

    def _backoff(self, attempt: int) -> float:
        # Full jitter: clients that failed together must not come back together.
        return self._chance() * float(min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** (attempt - 1)))


def _wish(error: LLMUnavailable | LLMIncomplete) -> float | None:
    return error.retry_after_s if isinstance(error, LLMUnavailable) else None
