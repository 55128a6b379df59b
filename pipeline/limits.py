"""How far a run may go before it stops with what it has."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from pipeline.errors import BudgetExceeded
from pipeline.state import Attempt


@dataclass(frozen=True, slots=True)
class Totals:
    """What a run has used and reserved; `usd` is None where a price is unknown."""

    elapsed_s: float
    calls: int
    tokens: int
    usd: Decimal | None


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one run. None means no bound.

    `wall_s` seconds, `tokens` read and written by all models together, `calls` to models, `usd`
    US dollars; `same_feedback` is how often the loop may meet the same feedback before it stops.
    """

    wall_s: float | None = 3600.0
    tokens: int | None = None
    calls: int | None = 400
    usd: float | None = None
    same_feedback: int = 2

    def __post_init__(self) -> None:
        """Raise ValueError for a bound that bounds nothing: below 0, or not a number."""
        for name in ("wall_s", "tokens", "calls", "usd"):
            bound = getattr(self, name)
            if bound is not None and not bound >= 0:
                raise ValueError(f"{name} is {bound}: give 0 or more, or None for no bound")

    def check(self, totals: Totals) -> None:
        """Raise BudgetExceeded if `totals`, the next call at its dearest included, break a limit.

        An unknown price (None) is never taken for free: under a limit in dollars it stops the run.
        """
        if self.wall_s is not None and totals.elapsed_s >= self.wall_s:
            raise BudgetExceeded("wall time", f"the run's {self.wall_s:g} s are used up")
        if self.calls is not None and totals.calls > self.calls:
            raise BudgetExceeded("calls", f"the run's {self.calls} model calls are used up")
        if self.tokens is not None and totals.tokens > self.tokens:
            raise BudgetExceeded(
                "tokens", f"the next call could pass the run's limit of {self.tokens} tokens"
            )
        if self.usd is None:
            return
        if totals.usd is None:
            raise BudgetExceeded(
                "price", "a model's price is unknown, so a limit in dollars cannot be held"
            )
        if totals.usd > Decimal(str(self.usd)):
            raise BudgetExceeded(
                "money", f"the next call could pass the run's limit of ${self.usd:.2f}"
            )


_VOLATILE = re.compile(r"0x[0-9a-fA-F]+|\b\d+(\.\d+)?\s?m?s\b|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\S+")


def feedback_digest(feedback: str) -> str:
    """A digest that ignores addresses, durations and times of day, which differ from run to run."""
    return hashlib.sha256(_VOLATILE.sub("*", feedback).encode("utf-8", "replace")).hexdigest()


def is_stuck(attempts: Sequence[Attempt], limit: int) -> bool:
    """Whether the last feedback has now been met `limit` times."""
    if not attempts:
        return False
    last = feedback_digest(attempts[-1]["feedback"])
    return sum(feedback_digest(attempt["feedback"]) == last for attempt in attempts) >= limit
