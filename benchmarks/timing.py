"""Side by side: every command in turn, round after round, so that load hits all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

Work = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Row:
    """One contestant: median, minimum and maximum of its rounds in milliseconds."""

    name: str
    median: float
    least: float
    most: float


async def race(contestants: Mapping[str, Work], *, rounds: int, warmup: int = 1) -> list[Row]:
    """Time all contestants, interleaved; the first is the reference of the ratios."""
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds + warmup):
        for name, work in contestants.items():
            began = time.perf_counter()
            await work()
            if number >= warmup:
                taken[name].append((time.perf_counter() - began) * 1000)
    return [Row(n, statistics.median(t), min(t), max(t)) for n, t in taken.items()]


def show(title: str, rows: list[Row], *, goal_ms: float | None = None) -> None:
    """Print a table with each row's ratio to the first."""
    goal = f"   (goal for the last row: at most {goal_ms:g} ms)" if goal_ms else ""
    print(f"\n{title}{goal}")
    print(f"  {'':34} {'median':>9} {'min':>9} {'max':>9} {'ratio':>7}")
    for row in rows:
        ratio = row.median / rows[0].median
        times = "".join(f" {ms:7.1f}ms" for ms in (row.median, row.least, row.most))
        print(f"  {row.name:34}{times} {ratio:6.1f}x")
