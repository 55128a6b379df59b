"""How far a run may go before it stops with what it has."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.errors import BudgetExceeded
from pipeline.state import Attempt


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

    def check(self, *, elapsed_s: float, tokens: int, calls: int, usd: float | None) -> None:
        """Raise BudgetExceeded if the next model call must not be made.

        An unknown price (None) is never taken for free: under a limit in dollars it stops the run.
        """
        if self.wall_s is not None and elapsed_s >= self.wall_s:
            raise BudgetExceeded("wall time", f"the run's {self.wall_s:g} s are used up")
        if self.tokens is not None and tokens >= self.tokens:
            raise BudgetExceeded("tokens", f"the run's {self.tokens} tokens are used up")
        if self.calls is not None and calls >= self.calls:
            raise BudgetExceeded("calls", f"the run's {self.calls} model calls are used up")
        if self.usd is not None and usd is None:
            raise BudgetExceeded(
                "price", "a model's price is unknown, so a limit in dollars cannot be held"
            )
        if self.usd is not None and usd is not None and usd >= self.usd:
            raise BudgetExceeded("money", f"the run's ${self.usd:.2f} are used up")


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
