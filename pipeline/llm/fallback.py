"""A chain of models: the next one answers where the one before cannot."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from http import HTTPStatus

from pipeline.errors import (
    LLMError,
    LLMIncomplete,
    LLMMisconfigured,
    LLMTooLong,
    LLMUnavailable,
)
from pipeline.llm.base import LLMClient, LLMRequest, LLMResponse
from pipeline.llm.retrying import announce

_Key = tuple[str, str]


class Breaker:
    """Remembers which models failed of late, so that nobody waits for them call after call.

    `failures` in a row open a model's circuit for `pause_s`; then one success closes it, and one
    failure opens it again.
    """

    def __init__(
        self,
        *,
        failures: int = 3,
        pause_s: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = failures
        self._pause_s = pause_s
        self._clock = clock
        self._failed: dict[_Key, tuple[int, float]] = {}

    def is_open(self, client: LLMClient) -> bool:
        """Whether the model is not to be asked now."""
        count, last = self._failed.get(_key(client), (0, 0.0))
        return count >= self._limit and self._clock() - last < self._pause_s

    def failed(self, client: LLMClient) -> None:
        """One more failure."""
        count, _ = self._failed.get(_key(client), (0, 0.0))
        self._failed[_key(client)] = (count + 1, self._clock())

    def worked(self, client: LLMClient) -> None:
        """It answers again."""
        self._failed.pop(_key(client), None)


PROCESS_WIDE = Breaker()
"""What one run has learnt about a model holds for the others."""


class Fallback:
    """An `LLMClient` over several, asked in order until one answers.

    The next one is asked only where another model can mend what failed: see `mendable`. Each has
    an equal share of the time that is left. The response says by `provider` and `model` who
    answered; what a model wrote for itself alone (`Native`) goes to no other.
    """

    def __init__(
        self,
        clients: Sequence[LLMClient],
        *,
        breaker: Breaker = PROCESS_WIDE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not clients:
            raise LLMMisconfigured("a chain of models needs at least one")
        self._clients = tuple(clients)
        self._breaker = breaker
        self._clock = clock

    @property
    def provider(self) -> str:
        """The provider of the model that would be asked now."""
        return self._chain()[0].provider

    @property
    def model(self) -> str:
        """The id of the model that would be asked now."""
        return self._chain()[0].model

    @property
    def clients(self) -> tuple[LLMClient, ...]:
        """The chain."""
        return self._clients

    async def complete(self, request: LLMRequest) -> LLMResponse:
        """Answer by the first model that can; raises the error of the last one asked."""
        end = self._clock() + request.timeout_s
        chain = self._chain()
        for number, client in enumerate(chain):
            share = (end - self._clock()) / (len(chain) - number)
            try:
                response = await client.complete(replace(request, timeout_s=share))
            except LLMError as error:
                self._note(client, error)
                if number + 1 == len(chain) or not mendable(error):
                    raise
                failed = error
            else:
                self._breaker.worked(client)
                return _signed(response, client)
            announce(request, chain[number + 1], failed)
        raise AssertionError("the last model of a chain answers or raises")

    async def aclose(self) -> None:
        """Close every client."""
        for client in self._clients:
            await client.aclose()

    def _chain(self) -> list[LLMClient]:
        # With every circuit open, somebody must be asked all the same.
        return [c for c in self._clients if not self._breaker.is_open(c)] or list(self._clients)

    def _note(self, client: LLMClient, error: LLMError) -> None:
        # A conversation that is too long is the request's fault, not the model's.
        if mendable(error) and not isinstance(error, LLMTooLong):
            self._breaker.failed(client)


def mendable(error: LLMError) -> bool:
    """Whether another model could answer: not where the key or the request is wrong."""
    if isinstance(error, LLMIncomplete):
        return not error.by_length
    if isinstance(error, LLMMisconfigured):
        return error.status == HTTPStatus.NOT_FOUND  # a model that has been retired
    return isinstance(error, LLMUnavailable | LLMTooLong)


def _signed(response: LLMResponse, client: LLMClient) -> LLMResponse:
    provider, model = response.provider or client.provider, response.model or client.model
    return replace(response, provider=provider, model=model)


def _key(client: LLMClient) -> _Key:
    return client.provider, client.model
