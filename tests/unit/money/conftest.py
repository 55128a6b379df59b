"""A meter with made-up prices, and a model that is billed what the test says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from pipeline.limits import Limits
from pipeline.llm.base import LLMClient, LLMRequest, LLMResponse, Message, Stop, Text, Usage
from pipeline.llm.pricing import OwnPrice, Prices, Rates
from pipeline.llm.scripted import FunctionClient
from pipeline.meter import Meter
from pipeline.state import usage_table

# A dollar for a thousand tokens read, ten for a thousand written: sums that a head can do.
DEAR = OwnPrice(
    Rates(Decimal(1000), Decimal(100), Decimal(1250), Decimal(10_000)), date(2026, 11, 22)
)
PRICES = Prices({"made:up": DEAR, "made:cheap": OwnPrice(Rates(*[Decimal(1)] * 4), DEAR.checked)})
NewMeter = Callable[..., Meter]


@pytest.fixture
def new_meter() -> NewMeter:
    def make(now: list[float] | None = None, **limits: float | None) -> Meter:
        bounds: dict[str, Any] = {"wall_s": None, "calls": None, **limits}
        clock = (lambda: now[0]) if now else (lambda: 0.0)
        return Meter(usage_table(), Limits(**bounds), clock=clock, prices=PRICES)

    return make


@pytest.fixture
def model() -> LLMClient:
    return FunctionClient(lambda _: {"text": "yes"}, provider="made", model="up")


def asks(words: str = "hello", **more: int) -> LLMRequest:
    """A request."""
    return LLMRequest("", (Message.user(words),), **more)  # type: ignore[arg-type]


def answers(read: int, written: int, **more: int) -> LLMResponse:
    """An answer that was billed so."""
    usage = Usage(input_tokens=read, output_tokens=written, **more)
    return LLMResponse(Message("assistant", (Text("yes"),)), Stop.END, usage)
