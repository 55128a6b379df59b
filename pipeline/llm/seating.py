"""Which model sits where, and who said so: the nearest place that names the seat or its role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pipeline.llm.base import Effort
from pipeline.llm.models_file import ROLE_OF

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """Where models are named: `source` is for people; a name is a seat or a role."""

    source: str
    models: Mapping[str, str]
    efforts: Mapping[str, Effort]


@dataclass(frozen=True, slots=True)
class Seating:
    """A seat's model ("": by the vendor at hand) and effort (None: as each question asks)."""

    seat: str
    role: str
    models: str = ""
    source: str = ""
    effort: Effort | None = None
    effort_source: str = ""


def seatings(places: Sequence[Place]) -> tuple[Seating, ...]:
    """Every seat; a place goes before those behind it, and in it a seat before its role."""
    found = []
    for seat, role in ROLE_OF.items():
        models, source = _nearest([(p.source, p.models) for p in places], seat, role)
        effort, told_by = _nearest([(p.source, p.efforts) for p in places], seat, role)
        found.append(Seating(seat, role, models or "", source, effort, told_by))
    return tuple(found)


def _nearest(
    places: Sequence[tuple[str, Mapping[str, T]]], seat: str, role: str
) -> tuple[T | None, str]:
    for source, named in places:
        for name in (seat, role):
            if name in named:
                return named[name], source
    return None, ""
