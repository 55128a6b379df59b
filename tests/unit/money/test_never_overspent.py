"""No sequence of calls spends more than the limit, beyond what one guess was too low by."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import dataclass
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import BudgetExceeded, LLMIncomplete
from pipeline.limits import Limits
from pipeline.llm.base import Usage
from pipeline.llm.scripted import FunctionClient
from pipeline.meter import Meter, Ticket
from pipeline.state import usage_table
from tests.unit.money.conftest import DEAR, PRICES, answers, asks

MODEL = FunctionClient(lambda _: {"text": "yes"}, provider="made", model="up")


@dataclass(frozen=True, slots=True)
class Call:
    """A call: what it asks for, which share of the room it uses, and how it ends."""

    words: int
    output: int
    share: float
    ends: str


calls = st.builds(
    Call,
    st.integers(0, 20_000),
    st.integers(1, 32_000),
    st.floats(0, 1),
    st.sampled_from(["answered", "cut", "unknown", "again"]),
)
limits = st.builds(
    Limits,
    wall_s=st.none(),
    calls=st.none(),
    tokens=st.none() | st.integers(0, 200_000),
    usd=st.floats(0, 1500),
)


def spent(meter: Meter) -> Decimal:
    seats = meter.table()["agents"].values()
    return sum((Decimal(str(s["usd"])) + Decimal(str(s["lost_usd"])) for s in seats), Decimal(0))


def end(ticket: Ticket, call: Call) -> None:
    """The call ends within what was reserved for it."""
    read = int(ticket.held.input_tokens * call.share)
    wrote = int(ticket.request.max_output_tokens * call.share)
    error = LLMIncomplete("cut short")
    if call.ends == "answered":
        return ticket.settle(answers(read, wrote, cache_write_tokens=read))
    if call.ends == "unknown":
        raise error
    error.usage = Usage(read, cache_write_tokens=read, output_tokens=wrote)
    if call.ends == "cut":
        raise error
    assert ticket.request.again is not None
    ticket.request.again("made", "up", error)
    return ticket.settle(answers(read, wrote))


@given(limits, st.lists(calls, max_size=12))
def test_guesses_that_hold_never_pass_the_limit(limit: Limits, wanted: list[Call]) -> None:
    meter = Meter(usage_table(), limit, clock=lambda: 0.0, prices=PRICES)
    for call in wanted:
        request = asks("x" * call.words, max_output_tokens=call.output)
        with suppress(BudgetExceeded, LLMIncomplete), meter.ticket("a", MODEL, request) as ticket:
            end(ticket, call)
        assert spent(meter) <= Decimal(str(limit.usd))
        assert limit.tokens is None or meter.tokens <= limit.tokens


@given(limits, st.lists(calls, max_size=8))
def test_calls_that_are_under_way_together_never_pass_it_either(
    limit: Limits, wanted: list[Call]
) -> None:
    meter = Meter(usage_table(), limit, clock=lambda: 0.0, prices=PRICES)
    with ExitStack() as under_way:
        for number, call in enumerate(wanted):
            request = asks("x" * call.words, max_output_tokens=call.output)
            with suppress(BudgetExceeded):
                ticket = under_way.enter_context(meter.ticket(f"a{number}", MODEL, request))
                held = ticket.held
                all_of_it = answers(held.input_tokens, held.output_tokens)
                under_way.callback(ticket.settle, all_of_it)
    assert spent(meter) <= Decimal(str(limit.usd))
    assert limit.tokens is None or meter.tokens <= limit.tokens


@given(limits, st.lists(st.tuples(calls, st.floats(0, 4)), max_size=12))
def test_guesses_that_were_too_low_cost_at_most_what_one_of_them_lacked(
    limit: Limits, wanted: list[tuple[Call, float]]
) -> None:
    meter = Meter(usage_table(), limit, clock=lambda: 0.0, prices=PRICES)
    lacked = Decimal(0)
    for call, wrong in wanted:
        request = asks("x" * call.words, max_output_tokens=call.output)
        with suppress(BudgetExceeded), meter.ticket("a", MODEL, request) as ticket:
            held = ticket.held
            read, wrote = int(held.input_tokens * wrong), int(held.output_tokens * wrong)
            ticket.settle(answers(read, wrote))
            cost = DEAR.cost(Usage(read, output_tokens=wrote))
            lacked = max(lacked, cost - (held.usd or 0))
        assert spent(meter) <= Decimal(str(limit.usd)) + max(lacked, Decimal(0))
