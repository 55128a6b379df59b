"""Bounded tries around a client, waiting as long as the server asks or as chance says."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from pipeline.errors import LLMError, LLMIncomplete, LLMUnavailable
from pipeline.llm.base import Delta, LLMClient, LLMRequest, LLMResponse

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 20.0
LONGEST_WISH_S = 60.0


class Retrying:
    """The one retry policy over all vendors (the SDKs' own are off).

    Tries again on `LLMUnavailable`, and on `LLMIncomplete` unless the token limit cut the answer:
    `tries` times in all, and never past the request's `timeout_s`, waits included. A server that
    asks for more than a minute is taken at its word: the error is raised at once.
    """

    def __init__(
        self,
        client: LLMClient,
        *,
        tries: int = 4,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._tries = tries
        self._sleep = sleep
        self._chance = chance
        self._clock = clock

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
        begun, left = self._clock(), request.timeout_s
        for attempt in range(1, self._tries + 1):
            try:
                return await self._client.complete(replace(request, timeout_s=left))
            except (LLMUnavailable, LLMIncomplete) as error:
                failed: LLMError = error
                wait = self._wait(error, attempt)
                left = request.timeout_s - (self._clock() - begun)
                if wait is None or attempt == self._tries or wait >= left:
                    raise
            await self._sleep(wait)
            left = request.timeout_s - (self._clock() - begun)
            if left <= 0:
                raise failed
            announce(request, self._client, failed)
        raise AssertionError("the last try returns or raises")

    async def aclose(self) -> None:
        """Close the wrapped client."""
        await self._client.aclose()

    def _wait(self, error: LLMUnavailable | LLMIncomplete, attempt: int) -> float | None:
        """Seconds until the next try; None: another one would not help."""
        if isinstance(error, LLMIncomplete):
            return None if error.by_length else self._backoff(attempt)
        wish = error.retry_after_s
        if wish is None:
            return self._backoff(attempt)
        return wish if wish <= LONGEST_WISH_S else None

    def _backoff(self, attempt: int) -> float:
        # Full jitter: clients that failed together must not come back together.
        return self._chance() * float(min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** (attempt - 1)))


def announce(request: LLMRequest, client: LLMClient, failed: LLMError) -> None:
    """Tell whoever has a say that `client` is tried next. Raises what they raise."""
    if request.again is not None:
        request.again(client.provider, client.model, failed)
    if request.watch is not None:
        request.watch(Delta("again"))
