"""What setting money aside before a call costs, and settling it after: a hundred calls a round."""

from __future__ import annotations

import time

from benchmarks.timing import Work, race, show
from pipeline.limits import Limits
from pipeline.llm.base import LLMClient, LLMRequest, Message
from pipeline.llm.scripted import FunctionClient
from pipeline.meter import Meter
from pipeline.state import usage_table

CALLS = 100
GOAL_MS = 1000.0  # 10 ms a call, where a model takes seconds
LIMITS = {
    "metered, no limit in dollars": Limits(calls=None),
    "metered, under a limit in dollars": Limits(calls=None, usd=1000.0),
}


def request() -> LLMRequest:
    """A talk of some 20,000 tokens, as a seat has in the middle of its work."""
    turns = tuple(Message.user(f"turn {number}: " + "word " * 400) for number in range(40))
    return LLMRequest("You are a coder.", turns)


def bare(client: LLMClient, asked: LLMRequest) -> Work:
    """The calls alone, answered at once."""

    async def work() -> None:
        for _ in range(CALLS):
            await client.complete(asked)

    return work


def metered(client: LLMClient, asked: LLMRequest, limits: Limits) -> Work:
    """The same calls, each with a reservation and its bill."""

    async def work() -> None:
        meter = Meter(usage_table(), limits, clock=time.monotonic)
        for _ in range(CALLS):
            with meter.ticket("gpt", client, asked) as ticket:
                ticket.settle(await client.complete(ticket.request))
        if meter.usd is None:
            raise SystemExit("the benchmark's model has no price")

    return work


async def money() -> None:
    """Print the calls with and without the meter."""
    client = FunctionClient(lambda _: {"text": "yes"}, provider="openai", model="gpt-5.1")
    asked = request()
    contestants = {"bare": bare(client, asked)}
    for name, limits in LIMITS.items():
        contestants[name] = metered(client, asked, limits)
    rows = await race(contestants, rounds=7)
    show(f"money set aside and settled, {CALLS} calls", rows, goal_ms=GOAL_MS)
