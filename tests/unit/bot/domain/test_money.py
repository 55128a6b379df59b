"""A run's share of the day's dollars, and when there are more."""

from __future__ import annotations

import pytest

from bot.domain.messages.answers import capped
from bot.domain.messages.base import Place
from bot.domain.money import share, used_up
from bot.domain.policy import Cap, Rules
from bot.domain.store import Spending

RULES = Rules(usd_per_run=3.0, usd_per_day=20.0)


def spent(*dollars: float) -> list[Spending]:
    """Runs of one day, an hour apart, in no order."""
    runs = [Spending(f"2026-11-22T{hour:02}:30:00+00:00", usd) for hour, usd in enumerate(dollars)]
    return runs[::-1]


@pytest.mark.parametrize(
    ("dollars", "left"),
    [([], 3.0), ([10.0, 7.0], 3.0), ([19.0], 1.0), ([19.96], 0.0), ([30.0], 0.0)],
)
def test_a_run_may_cost_what_the_day_has_left(dollars: list[float], left: float) -> None:
    assert share(spent(*dollars), RULES) == left


@pytest.mark.parametrize(
    ("dollars", "frees_at"),
    [
        ([20.0], "2026-11-23T00:30:00+00:00"),
        ([0.01, 19.99], "2026-11-23T01:30:00+00:00"),  # a cent less is not enough to begin
        ([9.0, 9.0, 9.0], "2026-11-23T00:30:00+00:00"),
        ([1.0, 15.0, 15.0], "2026-11-23T01:30:00+00:00"),
    ],
)
def test_there_is_more_when_enough_of_the_oldest_runs_are_a_day_old(
    dollars: list[float], frees_at: str
) -> None:
    assert used_up(spent(*dollars), RULES) == Cap("money", 20.0, sum(dollars), frees_at)


def test_a_day_without_any_dollars_never_frees_one() -> None:
    assert used_up([], Rules(usd_per_day=0.0)) == Cap("money", 0.0, 0.0, "")


def test_the_answer_says_what_is_used_up_and_when_it_frees() -> None:
    said = capped(Place(4711, 7), used_up(spent(12.0, 7.97), RULES)).text
    assert "runs here have cost, or may yet cost, $19.97 of $20.00" in said
    assert "It becomes possible again on 23 November, 00:30 UTC" in said
