"""What a run has used so far, and the gate before every model call: money is reserved first."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import ROUND_FLOOR, Decimal
from typing import Literal, Self

from pipeline.errors import BudgetExceeded, LLMError, LLMMisconfigured
from pipeline.limits import Limits, Totals
from pipeline.llm.base import LLMClient, LLMRequest, LLMResponse, Usage
from pipeline.llm.estimate import Estimator
from pipeline.llm.pricing import Prices
from pipeline.state import SeatUsage, UsageTable
from pipeline.tally import Tally, rounded

Clock = Callable[[], float]
LEAST_OUTPUT = 4096
"""Tokens of an answer that is still useful: with room for fewer, the call is not made."""


class Meter:
    """Counts calls, tokens, money and seconds of one run; starts from what a checkpoint holds.

    To be used from one event loop: between a look at the limits and a reservation nobody else
    runs, so calls side by side cannot overspend together.
    """

    def __init__(
        self,
        used: UsageTable,
        limits: Limits,
        *,
        clock: Clock,
        prices: Prices | None = None,
    ) -> None:
        self.prices = prices or Prices()
        self.estimator = Estimator()
        self._limits = limits
        self._clock = clock
        self._seconds = copy.deepcopy(used["seconds"])
        self._replayed = used.get("replayed", False)
        self._models = {n: (s["provider"], s["model"]) for n, s in used["agents"].items()}
        self._seats = {name: Tally.read(seat) for name, seat in used["agents"].items()}
        self._open: list[Ticket] = []
        self._before = self._seconds["total"]
        self._since = clock()

    @property
    def tokens(self) -> int:
        """All tokens read and written by all seats."""
        return self._used.tokens

    @property
    def usd(self) -> float | None:
        """The run's cost in US dollars, or None as soon as one price is unknown."""
        return rounded(self._used.usd)

    @property
    def lost_usd(self) -> float | None:
        """What calls may have cost that were cut off from their answer; no part of `usd`."""
        return rounded(self._used.lost_usd)

    def ticket(self, agent: str, client: LLMClient, request: LLMRequest) -> Ticket:
        """A ticket for one call of `agent`; nothing is reserved before it is entered."""
        return Ticket(self, (agent, client.provider, client.model), request)

    def enter(self, ticket: Ticket) -> None:
        """From now on what the ticket holds counts. Raises BudgetExceeded."""
        self._open.append(ticket)
        try:
            ticket.reserve()
        except BudgetExceeded:
            self._open.remove(ticket)
            raise

    def leave(self, ticket: Ticket) -> None:
        """Only what the ticket was billed counts from now on."""
        self._open.remove(ticket)
        self.add(ticket.agent, ticket.asked, ticket.bill)

    def add(self, agent: str, asked: tuple[str, str], bill: Tally) -> None:
        """Count what calls of `agent` have used; `asked` is provider and model."""
        if bill != Tally():
            self._models[agent] = asked
            self._seats[agent] = self._seats.get(agent, Tally()) + bill

    def used_by(self, agent: str) -> Tally:
        """What `agent` has used so far."""
        return self._seats.get(agent, Tally())

    def bill_since(self, agent: str, before: Tally) -> SeatUsage | None:
        """What `agent` has used since it had used `before`; None for nothing."""
        since = self.used_by(agent) - before
        return None if since == Tally() else since.seat(*self._models[agent])

    def lost(self, agent: str, client: LLMClient, request: LLMRequest, calls: int) -> None:
        """Count calls that were begun before a crash and whose answer is not known.

        Each is held to have cost what was reserved for it: perhaps paid.
        """
        for _ in range(calls):
            ticket = self.ticket(agent, client, request)
            ticket.guess()
            ticket.lose()
            self.add(agent, ticket.asked, ticket.bill)

    def known(self, agent: str, request: LLMRequest, bill: SeatUsage) -> None:
        """Count a call whose answer and bill came from the journal: paid before, so not checked."""
        asked, tally = (bill["provider"], bill["model"]), Tally.read(bill)
        self.estimator.learn(talk_of(agent, asked), request, tally.input_tokens)
        self.add(agent, asked, tally)

    def fitted(self, asked: tuple[str, str], request: LLMRequest, tokens: int) -> LLMRequest:
        """The request with its answer capped to what the limits leave, if that is of use."""
        room, spent = request.max_output_tokens, self._totals()
        if self._limits.tokens is not None:
            room = min(room, self._limits.tokens - spent.tokens - tokens)
        if self._limits.usd is not None and spent.usd is not None:
            left = Decimal(str(self._limits.usd)) - spent.usd
            room = min(room, self._affordable(asked, request, tokens, left))
        if room < min(request.max_output_tokens, LEAST_OUTPUT):
            return request
        return replace(request, max_output_tokens=room)

    def _affordable(
        self, asked: tuple[str, str], request: LLMRequest, tokens: int, left: Decimal
    ) -> int:
        """Tokens of output that `left` dollars buy behind that much input."""
        most = request.max_output_tokens
        silent, full = self.worst(asked, tokens, 0).usd, self.worst(asked, tokens, most).usd
        if silent is None or full is None or full <= left:
            return most
        if full == silent:
            return 0
        return int(((left - silent) * most / (full - silent)).to_integral_value(ROUND_FLOOR))

    def worst(self, asked: tuple[str, str], tokens: int, output: int) -> Tally:
        """The dearest that one call of that size can come to."""
        usd = self.prices.ceiling(*asked, input_tokens=tokens, output_tokens=output)
        return Tally(calls=1, input_tokens=tokens, output_tokens=output, usd=usd)

    def check(self) -> None:
        """Raise BudgetExceeded if what is used and reserved is more than the limits allow."""
        self._limits.check(self._totals())

    @contextmanager
    def timed(self, what: Literal["model", "tests", "tools"]) -> Iterator[None]:
        """Count the seconds of a `with` block."""
        start = self._clock()
        try:
            yield
        finally:
            self._seconds[what] += self._clock() - start

    def table(self) -> UsageTable:
        """A copy of what has been used until now."""
        self._seconds["total"] = self._elapsed()
        return UsageTable(
            agents={n: seat.seat(*self._models[n]) for n, seat in self._seats.items()},
            seconds=copy.deepcopy(self._seconds),
            replayed=self._replayed,
        )

    @property
    def _used(self) -> Tally:
        return sum(self._seats.values(), Tally())

    def _totals(self) -> Totals:
        held = sum((ticket.held for ticket in self._open), self._used)
        tries = held.calls + held.failed + held.lost
        return Totals(self._elapsed(), tries, held.tokens, held.committed)

    def _elapsed(self) -> float:
        return self._before + self._clock() - self._since


def refuse_unpriced(limits: Limits, prices: Prices, models: Iterable[tuple[str, str]]) -> None:
    """Raise LLMMisconfigured where a limit in dollars could not be held for one of `models`.

    Asked before the first call; `models` are pairs of provider and model.
    """
    if limits.usd is None:
        return
    for provider, model in models:
        if prices.cost(provider, model, Usage(input_tokens=1, output_tokens=1)) is None:
            raise LLMMisconfigured(
                f"the price of {provider}:{model} is not known, so the limit of ${limits.usd:.2f} "
                f'cannot be held: give it under [prices."{provider}:{model}"] in the file that '
                "ACP_MODELS_FILE names, choose another model, or run without a limit in dollars",
                provider=provider,
            )


class Ticket:
    """One call's reservation: there is room for it inside a `with` block, whatever comes of it.

    Entering raises BudgetExceeded where the call could break a limit. `request` is what may be
    sent: its answer may be capped lower. `bill` is what all its tries were billed in the end.
    """

    def __init__(self, meter: Meter, seat: tuple[str, str, str], request: LLMRequest) -> None:
        self._meter = meter
        self.agent, provider, model = seat
        self.asked = (provider, model)
        self.request = replace(request, again=self._again)
        self.bill = Tally()
        self._reserved = Tally()

    def __enter__(self) -> Self:
        self._meter.enter(self)
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, LLMError):
            self.fail(error)
        elif isinstance(error, asyncio.CancelledError):
            self.lose()
        self._meter.leave(self)

    @property
    def held(self) -> Tally:
        """What the call has used, and what is set aside for it."""
        return self.bill + self._reserved

    def reserve(self) -> None:
        """Set the first try's dearest aside. Raises BudgetExceeded where it does not fit."""
        tokens = self._meter.estimator.tokens(self._talk, self.request)
        self.request = self._meter.fitted(self.asked, self.request, tokens)
        self.guess()
        self._meter.check()

    def guess(self) -> None:
        """Set the dearest aside, unchecked."""
        tokens = self._meter.estimator.tokens(self._talk, self.request)
        self._reserved = self._meter.worst(self.asked, tokens, self.request.max_output_tokens)

    def settle(self, response: LLMResponse) -> None:
        """The call was answered: what it really used takes the place of what was reserved."""
        self._meter.estimator.learn(self._talk, self.request, response.usage.input_tokens)
        self._book(response.usage, answered=True)

    def fail(self, error: LLMError) -> None:
        """A try failed: what it was billed is kept, or what it may have been."""
        if error.usage is not None:
            self._book(error.usage, answered=False)
        elif error.maybe_billed:
            self.lose()
        self._reserved = Tally()

    def lose(self) -> None:
        """The try was cut off from its answer: what was reserved for it is perhaps paid."""
        self.bill += Tally(lost=1, lost_usd=self._reserved.usd)
        self._reserved = Tally()

    def _again(self, provider: str, model: str, error: LLMError) -> None:
        """See `Again`: the failed try is booked, and the next one reserved."""
        self.fail(error)
        self.asked = (provider, model)
        self.guess()
        self._meter.check()

    def _book(self, usage: Usage, *, answered: bool) -> None:
        price = self._meter.prices.cost(*self.asked, usage)
        self.bill += Tally.of(usage, price, answered=answered)
        self._reserved = Tally()

    @property
    def _talk(self) -> str:
        return talk_of(self.agent, self.asked)


def talk_of(agent: str, asked: tuple[str, str]) -> str:
    """The name under which a seat's prompts to one model are compared."""
    return ":".join((agent, *asked))
