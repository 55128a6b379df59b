"""What a run has used so far, and the gate before every model call."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Literal

from pipeline.limits import Limits
from pipeline.llm.base import LLMClient, Usage
from pipeline.state import SeatUsage, UsageTable

Clock = Callable[[], float]
Price = Callable[[str, str, Usage], Decimal | None]


class Meter:
    """Counts calls, tokens, money and seconds of one run; starts from what a checkpoint holds."""

    def __init__(self, used: UsageTable, limits: Limits, *, clock: Clock, price: Price) -> None:
        self._used = copy.deepcopy(used)
        self._limits = limits
        self._clock = clock
        self._price = price
        self._before = self._used["seconds"]["total"]
        self._since = clock()

    @property
    def tokens(self) -> int:
        """All tokens read and written by all seats."""
        return sum(s["input_tokens"] + s["output_tokens"] for s in self._used["agents"].values())

    @property
    def usd(self) -> float | None:
        """The run's cost in US dollars, or None as soon as one price is unknown."""
        total = 0.0
        for seat in self._used["agents"].values():
            if seat["usd"] is None:
                return None
            total += seat["usd"]
        return total

    def check(self) -> None:
        """Raise BudgetExceeded if the next model call must not be made."""
        calls = sum(seat["calls"] for seat in self._used["agents"].values())
        self._limits.check(elapsed_s=self._elapsed(), tokens=self.tokens, calls=calls, usd=self.usd)

    def add(self, agent: str, client: LLMClient, usage: Usage) -> None:
        """Count one call of `agent`."""
        price = self._price(client.provider, client.model, usage)
        seat = self._used["agents"].setdefault(agent, _nothing(client))
        known = seat["usd"] is not None and price is not None
        seat["usd"] = (seat["usd"] or 0.0) + float(price or 0) if known else None
        seat["provider"], seat["model"] = client.provider, client.model
        seat["calls"] += 1
        seat["input_tokens"] += usage.input_tokens
        seat["cached_tokens"] += usage.cached_tokens
        seat["output_tokens"] += usage.output_tokens

    def lost(self, agent: str, client: LLMClient, calls: int) -> None:
        """Count calls of `agent` that were begun before a crash and whose answer is not known."""
        if calls:
            self._used["agents"].setdefault(agent, _nothing(client))["lost"] += calls

    @contextmanager
    def timed(self, what: Literal["model", "tests", "tools"]) -> Iterator[None]:
        """Count the seconds of a `with` block."""
        start = self._clock()
        try:
            yield
        finally:
            self._used["seconds"][what] += self._clock() - start

    def table(self) -> UsageTable:
        """A copy of what has been used until now."""
        self._used["seconds"]["total"] = self._elapsed()
        return copy.deepcopy(self._used)

    def _elapsed(self) -> float:
        return self._before + self._clock() - self._since


def _nothing(client: LLMClient) -> SeatUsage:
    return SeatUsage(
        provider=client.provider,
        model=client.model,
        calls=0,
        lost=0,
        input_tokens=0,
        cached_tokens=0,
        output_tokens=0,
        usd=0.0,
    )
