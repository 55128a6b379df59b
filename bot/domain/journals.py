"""A journal that is kept beside the store: of the command line, or of a run made elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Origin = Literal["local", "imported"]


@dataclass(frozen=True, slots=True)
class Kept:
    """A journal that is kept here, by what its head says of itself."""

    name: str
    origin: Origin
    at: str
    source: str
    title: str
    outcome: str
    usd: float | None
    path: Path
    lost_usd: float | None = 0.0
