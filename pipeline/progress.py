"""What a watcher hears while a seat is at work: lines for people, never a source of truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from pipeline.transitions import Stage


class Kind(StrEnum):
    """What sort of thing happened."""

    SEATED = "seated"  # an agent begins
    MODEL = "model"  # a model answered
    TOOL = "tool"  # a tool was used; text names it and its target
    TESTS = "tests"  # a test run ended; text counts
    VERDICT = "verdict"  # a gate decided
    NOTE = "note"  # something worth knowing


@dataclass(frozen=True, slots=True)
class Progress:
    """One line of progress. `tokens` and `usd` are the run's totals so far (usd None: unknown).

    `lost_usd` is what calls may have cost that were cut off from their answer; no part of `usd`.
    """

    kind: Kind
    agent: str
    stage: Stage
    iteration: int
    text: str
    tokens: int = 0
    usd: float | None = None
    lost_usd: float | None = 0.0


Watch = Callable[[Progress], None]


def nobody(_: Progress) -> None:
    """A watcher that does not look."""
