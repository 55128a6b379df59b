"""The gate before a model call: room is reserved first, and settled by what was used."""

from __future__ import annotations

import asyncio
import json

import pytest

from pipeline.errors import BudgetExceeded, LLMIncomplete, LLMMisconfigured, LLMUnavailable
from pipeline.limits import Limits
from pipeline.llm.base import LLMClient, Usage
from pipeline.llm.pricing import Prices
from pipeline.llm.scripted import FunctionClient
from pipeline.meter import LEAST_OUTPUT, Meter, refuse_unpriced
from pipeline.state import SeatUsage, usage_table
from tests.unit.money.conftest import PRICES, NewMeter, answers, asks


def seat_of(meter: Meter, name: str = "gpt") -> SeatUsage:
    return meter.table()["agents"][name]


def test_what_was_used_takes_the_place_of_what_was_reserved(
    new_meter: NewMeter, model: LLMClient
) -> None:
    meter = new_meter(usd=200.0)
    with meter.ticket("gpt", model, asks()) as ticket:
        assert ticket.held.usd is not None
        assert ticket.held.usd > 100  # 16,000 tokens of output, as nobody knows better yet
        ticket.settle(answers(1000, 100, cached_tokens=400, cache_write_tokens=200))
    # By hand, per thousand: 0.4 fresh at 1, 0.4 cached at 0.1, 0.2 written at 1.25, 0.1 out at 10.
    assert meter.usd == 0.4 + 0.04 + 0.25 + 1.0
    assert json.loads(json.dumps(seat_of(meter))) == {
        "provider": "made",
        "model": "up",
        "calls": 1,
        "failed": 0,
        "lost": 0,
        "input_tokens": 1000,
        "cached_tokens": 400,
        "cache_write_tokens": 200,
        "output_tokens": 100,
        "reasoning_tokens": 0,
        "usd": 1.69,
        "lost_usd": 0.0,
    }


@pytest.mark.parametrize(
    ("limits", "limit"),
    [({"tokens": 4000}, "tokens"), ({"usd": 5.0}, "money"), ({"calls": 0}, "calls")],
)
async def test_a_call_that_would_break_a_limit_is_not_made(
    new_meter: NewMeter, limits: dict[str, float], limit: str
) -> None:
    asked = FunctionClient(lambda _: {"text": "yes"}, provider="made", model="up")
    meter = new_meter(**limits)
    with (
        pytest.raises(BudgetExceeded) as caught,
        meter.ticket("gpt", asked, asks()) as ticket,
    ):
        await asked.complete(ticket.request)
    assert caught.value.limit == limit
    assert asked.requests == []
    assert meter.table()["agents"] == {}


def test_wall_time_that_is_used_up_stops_the_next_call(
    new_meter: NewMeter, model: LLMClient
) -> None:
    now = [0.0]
    meter = new_meter(now, wall_s=10.0)
    with meter.ticket("gpt", model, asks()):
        now[0] = 10.0
    with (
        pytest.raises(BudgetExceeded, match="10 s are used up"),
        meter.ticket("gpt", model, asks()),
    ):
        pass


def test_an_answer_is_capped_to_what_is_left_if_that_is_still_of_use(
    new_meter: NewMeter, model: LLMClient
) -> None:
    meter = new_meter(usd=60.0)
    with meter.ticket("gpt", model, asks()) as ticket:
        assert LEAST_OUTPUT <= ticket.request.max_output_tokens < 6000
        assert ticket.held.usd is not None
        assert 59 < ticket.held.usd <= 60
    with new_meter(tokens=6000).ticket("gpt", model, asks()) as ticket:
        assert LEAST_OUTPUT < ticket.request.max_output_tokens < 6000


def test_a_short_answer_may_be_bought_with_the_last_cents(
    new_meter: NewMeter, model: LLMClient
) -> None:
    with new_meter(usd=5.0).ticket("gpt", model, asks(max_output_tokens=100)) as ticket:
        assert ticket.request.max_output_tokens == 100


async def test_calls_side_by_side_cannot_overspend_together(
    new_meter: NewMeter, model: LLMClient
) -> None:
    meter = new_meter(usd=200.0)
    both_in = asyncio.Barrier(2)

    async def call() -> None:
        with meter.ticket("gpt", model, asks()) as ticket:
            await both_in.wait()
            ticket.settle(answers(1000, 5000))

    async def other() -> None:
        await asyncio.sleep(0)
        with pytest.raises(BudgetExceeded), meter.ticket("claude", model, asks()):
            pass
        await both_in.wait()

    await asyncio.gather(call(), other())
    with meter.ticket("claude", model, asks()):
        pass  # what the first did not use is free again


def test_a_failed_try_that_was_billed_is_counted(new_meter: NewMeter, model: LLMClient) -> None:
    meter = new_meter()
    error = LLMIncomplete("cut short")
    error.usage = Usage(input_tokens=1000, output_tokens=50)
    with pytest.raises(LLMIncomplete), meter.ticket("gpt", model, asks()):
        raise error
    seat = seat_of(meter)
    assert (seat["calls"], seat["failed"], seat["lost"], seat["usd"]) == (0, 1, 0, 1.5)
    assert meter.tokens == 1050


def test_a_try_whose_bill_nobody_knows_is_perhaps_paid(
    new_meter: NewMeter, model: LLMClient
) -> None:
    meter = new_meter()
    with pytest.raises(LLMIncomplete), meter.ticket("gpt", model, asks()):
        raise LLMIncomplete("cut short")
    seat = seat_of(meter)
    assert (seat["failed"], seat["lost"], seat["usd"]) == (0, 1, 0.0)
    assert seat["lost_usd"] is not None
    assert seat["lost_usd"] > 160


def test_a_refused_try_costs_nothing(new_meter: NewMeter, model: LLMClient) -> None:
    meter = new_meter()
    with pytest.raises(LLMUnavailable), meter.ticket("gpt", model, asks()):
        raise LLMUnavailable("slow down", status=429)
    assert meter.table()["agents"] == {}


async def test_a_cancelled_call_is_perhaps_paid(new_meter: NewMeter, model: LLMClient) -> None:
    meter = new_meter()

    async def call() -> None:
        with meter.ticket("gpt", model, asks()):
            await asyncio.Event().wait()

    task = asyncio.create_task(call())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seat_of(meter)["lost"] == 1


def test_another_try_is_asked_for_and_may_be_refused(new_meter: NewMeter, model: LLMClient) -> None:
    meter = new_meter(usd=200.0)
    error = LLMIncomplete("cut short")
    error.usage = Usage(input_tokens=1000, output_tokens=10_000)
    with meter.ticket("gpt", model, asks()) as ticket:
        again = ticket.request.again
        assert again is not None
        with pytest.raises(BudgetExceeded) as caught:
            again("made", "up", error)
    assert caught.value.limit == "money"
    assert (seat_of(meter)["failed"], meter.usd) == (1, 101.0)


def test_a_try_with_another_model_is_priced_as_that_model(
    new_meter: NewMeter, model: LLMClient
) -> None:
    meter = new_meter(usd=200.0)
    with meter.ticket("gpt", model, asks()) as ticket:
        assert ticket.request.again is not None
        ticket.request.again("made", "cheap", LLMUnavailable("down", status=503))
        ticket.settle(answers(1_000_000, 0))
    assert (meter.usd, seat_of(meter)["model"]) == (1.0, "cheap")


def test_an_unknown_price_is_refused_before_the_first_call_and_the_mend_is_named() -> None:
    asked = [("made", "up"), ("openai", "gpt-99-nova")]
    refuse_unpriced(Limits(usd=None), PRICES, asked)
    with pytest.raises(LLMMisconfigured, match=r'prices\."openai:gpt-99-nova".*ACP_MODELS_FILE'):
        refuse_unpriced(Limits(usd=3), PRICES, asked)


def test_an_unknown_price_is_not_free(new_meter: NewMeter) -> None:
    nova = FunctionClient(lambda _: {"text": "yes"}, provider="openai", model="gpt-99-nova")
    with new_meter().ticket("gpt", nova, asks()) as ticket:
        ticket.settle(answers(10, 10))
    with (
        pytest.raises(BudgetExceeded) as caught,
        new_meter(usd=1000.0).ticket("gpt", nova, asks()),
    ):
        pass
    assert caught.value.limit == "price"
    meter = Meter(usage_table(), Limits(), clock=lambda: 0.0, prices=Prices())
    with meter.ticket("gpt", nova, asks()) as ticket:
        ticket.settle(answers(10, 10))
    assert (meter.usd, seat_of(meter)["usd"]) == (None, None)


def test_a_run_that_goes_on_counts_from_what_its_checkpoint_holds(
    new_meter: NewMeter, model: LLMClient
) -> None:
    first = new_meter()
    with first.ticket("gpt", model, asks()) as ticket:
        ticket.settle(answers(1000, 100))
    first.lost("gpt", model, asks(max_output_tokens=100), 2)
    kept = json.loads(json.dumps(first.table()))
    resumed = Meter(kept, Limits(usd=10.0), clock=lambda: 0.0, prices=PRICES)
    assert resumed.usd == 2.0
    assert seat_of(resumed) == seat_of(first)
    assert seat_of(resumed)["lost"] == 2
    with pytest.raises(BudgetExceeded), resumed.ticket("gpt", model, asks()):
        pass


def test_a_journalled_call_is_counted_and_never_refused(
    new_meter: NewMeter, model: LLMClient
) -> None:
    first = new_meter()
    with first.ticket("gpt", model, asks()) as ticket:
        ticket.settle(answers(1000, 100))
    again = new_meter(usd=0.01)
    again.known("gpt", asks(), ticket.bill.seat(*ticket.asked))
    assert seat_of(again) == seat_of(first)


@pytest.mark.parametrize("bound", [-1.0, float("nan")])
def test_a_limit_that_holds_nothing_is_refused(bound: float) -> None:
    with pytest.raises(ValueError, match="give 0 or more, or None for no bound"):
        Limits(usd=bound)
