"""Dollars of a repository and day: a run's share of them, and when there are more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from bot.domain.policy import Cap, Rules
from bot.domain.store import Spending

DAY = timedelta(hours=24)
LEAST_USD = 0.05  # below, no run gets as far as a draft


def share(spent: Sequence[Spending], rules: Rules) -> float:
    """What a run may cost: its own limit, or what the day has left; 0 where that is too little."""
    left = min(rules.usd_per_run, rules.usd_per_day - sum(one.usd for one in spent))
    return left if left >= LEAST_USD else 0.0


def used_up(spent: Sequence[Spending], rules: Rules) -> Cap:
    """The cap that left no share, and when the first run can begin again."""
    used = sum(one.usd for one in spent)
    return Cap("money", rules.usd_per_day, used, _frees_at(spent, rules, used))


def _frees_at(spent: Sequence[Spending], rules: Rules, used: float) -> str:
    """When enough of the oldest runs will have left the 24 hours; "" where that never helps."""
    if rules.usd_per_day < LEAST_USD:
        return ""
    for one in sorted(spent, key=lambda one: datetime.fromisoformat(one.at)):
        used -= one.usd
        if rules.usd_per_day - used >= LEAST_USD:
            return (datetime.fromisoformat(one.at) + DAY).astimezone(UTC).isoformat()
    return ""
