from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipeline.errors import (
    BudgetExceeded,
    LLMBadRequest,
    LLMError,
    LLMIncomplete,
    LLMUnavailable,
)
from pipeline.llm.base import Delta, LLMClient, LLMRequest, Message
from pipeline.llm.retrying import Retrying
from pipeline.llm.scripted import FunctionClient

REQUEST = LLMRequest("s", (Message.user("u"),))


class Failing:
    """Raises the given errors in order, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.waits: list[float] = []
        self.now = 1000.0
        self.client = FunctionClient(self.answer, provider="p", model="m")

    def answer(self, _request: object) -> str:
        if self.errors:
            raise self.errors.pop(0)
        return "done"

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        return self.now

    def retrying(self, **options: Any) -> Retrying:
        given: dict[str, Any] = {"chance": lambda: 1.0, "clock": self.clock, **options}
        return Retrying(self.client, sleep=self.sleep, **given)


async def test_waits_double_from_half_a_second() -> None:
    failing = Failing(*(LLMUnavailable("busy") for _ in range(3)))
    assert (await failing.retrying().complete(REQUEST)).text == "done"
    assert failing.waits == [0.5, 1.0, 2.0]


async def test_waits_are_drawn_from_zero_up_to_the_limit() -> None:
    failing = Failing(LLMIncomplete("half"))
    await failing.retrying(chance=lambda: 0.25).complete(REQUEST)
    assert failing.waits == [0.125]


async def test_no_wait_is_longer_than_twenty_seconds() -> None:
    failing = Failing(*(LLMUnavailable("busy") for _ in range(9)))
    await failing.retrying(tries=10).complete(REQUEST)
    assert max(failing.waits) == 20.0


async def test_the_last_tries_error_is_raised() -> None:
    failing = Failing(*(LLMUnavailable(str(n)) for n in range(1, 9)))
    with pytest.raises(LLMUnavailable, match="4"):
        await failing.retrying().complete(REQUEST)
    assert len(failing.client.requests) == 4


async def test_the_servers_wish_is_honoured() -> None:
    failing = Failing(LLMUnavailable("busy", retry_after_s=17.5), LLMUnavailable("busy"))
    await failing.retrying().complete(REQUEST)
    assert failing.waits == [17.5, 1.0]


async def test_a_wish_of_nothing_is_honoured_too() -> None:
    failing = Failing(LLMUnavailable("busy", retry_after_s=0.0))
    await failing.retrying().complete(REQUEST)
    assert failing.waits == [0.0]


async def test_a_wish_of_more_than_a_minute_is_given_up() -> None:
    failing = Failing(LLMUnavailable("busy", retry_after_s=61))
    with pytest.raises(LLMUnavailable):
        await failing.retrying().complete(REQUEST)
    assert failing.waits == []


@pytest.mark.parametrize("error", [LLMBadRequest("no"), TypeError("bug"), KeyError("bug")])
async def test_what_will_fail_again_is_not_tried_again(error: Exception) -> None:
    failing = Failing(error)
    with pytest.raises(type(error)):
        await failing.retrying().complete(REQUEST)
    assert len(failing.client.requests) == 1


async def test_it_speaks_for_the_client_inside() -> None:
    client = Failing().retrying()
    assert (client.provider, client.model) == ("p", "m")
    assert isinstance(client, LLMClient)
    await client.aclose()


async def test_the_time_of_a_request_is_that_of_all_its_tries() -> None:
    failing = Failing(*(LLMUnavailable("busy", retry_after_s=20) for _ in range(3)))
    with pytest.raises(LLMUnavailable):
        await failing.retrying().complete(replace(REQUEST, timeout_s=50))
    assert failing.waits == [20, 20]
    assert [request.timeout_s for request in failing.client.requests] == [50, 30, 10]


async def test_a_cut_by_length_is_not_asked_for_again() -> None:
    failing = Failing(LLMIncomplete("half", by_length=True))
    with pytest.raises(LLMIncomplete):
        await failing.retrying().complete(REQUEST)
    assert failing.waits == []


async def test_another_try_is_announced_and_may_be_forbidden() -> None:
    failing = Failing(LLMUnavailable("one"), LLMUnavailable("two"))
    told: list[object] = []

    def again(provider: str, model: str, error: LLMError) -> None:
        told.append((provider, model, str(error)))
        if len(failing.client.requests) == 2:
            raise BudgetExceeded("money", "no more")

    request = replace(REQUEST, again=again, watch=told.append)
    with pytest.raises(BudgetExceeded):
        await failing.retrying().complete(request)
    assert told == [("p", "m", "one"), Delta("again"), ("p", "m", "two")]
    assert len(failing.client.requests) == 2
