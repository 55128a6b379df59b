from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.agents import CodingAgent
from pipeline.errors import (
    LLMBadRequest,
    LLMError,
    LLMIncomplete,
    LLMMisconfigured,
    LLMRefused,
    LLMTooLong,
    LLMUnavailable,
)
from pipeline.llm.base import LLMClient, LLMRequest, Message
from pipeline.llm.codec import response_from_json, response_to_json
from pipeline.llm.fallback import Breaker, Fallback
from pipeline.llm.scripted import FunctionClient, ScriptedClient

REQUEST = LLMRequest("s", (Message.user("u"),), timeout_s=90)


class Model:
    """Fails as long as it is told to, then answers with its name."""

    def __init__(self, name: str) -> None:
        self.error: LLMError | None = None
        self.client = FunctionClient(self._answer, provider=f"vendor-{name}", model=name)

    def _answer(self, _request: LLMRequest) -> str:
        if self.error is not None:
            raise self.error
        return self.client.model

    @property
    def calls(self) -> int:
        return len(self.client.requests)


class House:
    """Two models in a chain, with a clock of their own."""

    def __init__(self) -> None:
        self.now = 0.0
        self.one, self.two = Model("one"), Model("two")
        breaker = Breaker(failures=3, pause_s=60, clock=lambda: self.now)
        clients = [self.one.client, self.two.client]
        self.chain = Fallback(clients, breaker=breaker, clock=lambda: self.now)

    async def ask(self) -> str:
        return (await self.chain.complete(REQUEST)).text


async def test_the_first_model_answers_as_long_as_it_can() -> None:
    house = House()
    assert await house.ask() == "one"
    assert house.two.calls == 0


@pytest.mark.parametrize(
    "error",
    [
        LLMUnavailable("overloaded", status=529),
        LLMIncomplete("half an answer, four times"),
        LLMMisconfigured("retired", status=404),
        LLMTooLong("a larger window may do"),
    ],
)
async def test_the_next_model_answers_where_another_one_can_mend_it(error: LLMError) -> None:
    house = House()
    house.one.error = error
    response = await house.chain.complete(REQUEST)
    assert (response.provider, response.model) == ("vendor-two", "two")
    # What the journal keeps says it too, so a replay needs neither chain nor breaker.
    assert response_from_json(response_to_json(response)) == response


@pytest.mark.parametrize(
    "error",
    [
        LLMBadRequest("wrong"),
        LLMMisconfigured("no such key", status=401),
        LLMMisconfigured("out of credit", status=429),
        LLMRefused("declined"),
        LLMIncomplete("cut", by_length=True),
    ],
)
async def test_what_another_model_cannot_mend_is_raised(error: LLMError) -> None:
    house = House()
    house.one.error = error
    with pytest.raises(type(error)):
        await house.ask()
    assert house.two.calls == 0


async def test_the_last_models_error_is_raised() -> None:
    house = House()
    house.one.error, house.two.error = LLMUnavailable("first"), LLMUnavailable("second")
    with pytest.raises(LLMUnavailable, match="second"):
        await house.ask()


async def test_after_three_failures_nobody_waits_for_that_model_for_a_minute() -> None:
    house = House()
    house.one.error = LLMUnavailable("down")
    for _ in range(5):
        assert await house.ask() == "two"
    assert house.one.calls == 3
    assert (house.chain.provider, house.chain.model) == ("vendor-two", "two")

    house.now = 60.0
    assert await house.ask() == "two"  # it is tried once, and fails once more
    assert await house.ask() == "two"
    assert house.one.calls == 4

    house.now, house.one.error = 120.0, None
    assert [await house.ask(), await house.ask()] == ["one", "one"]


async def test_with_every_circuit_open_somebody_is_asked_all_the_same() -> None:
    house = House()
    house.one.error = house.two.error = LLMUnavailable("down")
    for _ in range(3):
        with pytest.raises(LLMUnavailable):
            await house.ask()
    house.one.error = None
    assert await house.ask() == "one"


async def test_a_talk_that_is_too_long_is_not_held_against_the_model() -> None:
    house = House()
    house.one.error = LLMTooLong("no room")
    for _ in range(4):
        await house.ask()
    assert house.one.calls == 4


async def test_the_models_of_a_chain_share_the_time_and_the_switch_is_announced() -> None:
    house = House()
    house.one.error = error = LLMUnavailable("down")
    told: list[object] = []
    await house.chain.complete(replace(REQUEST, again=lambda *said: told.append(said)))
    assert told == [("vendor-two", "two", error)]
    assert house.one.client.requests[0].timeout_s == 45
    assert house.two.client.requests[0].timeout_s == 90  # nothing of it was used up


def test_a_chain_of_nothing_is_refused() -> None:
    with pytest.raises(LLMMisconfigured, match="at least one"):
        Fallback([])


async def test_an_agent_takes_a_chain() -> None:
    models = [ScriptedClient([], model="one"), ScriptedClient([], model="two")]
    agent = CodingAgent("gpt", llm=models)
    client = agent.client
    assert isinstance(client, Fallback)
    assert isinstance(client, LLMClient)
    assert client.clients == tuple(models)
    await agent.aclose()
