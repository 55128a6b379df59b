"""Looks at everything that a run needs, area by area, and says what to mend."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about one thing. `mend` says what to do where it is not well.

    A finding that is not `ok` but has no weight (`grave` is False) is worth knowing and no more.
    """

    ok: bool
    said: str
    mend: str = ""
    grave: bool = True


Check = Callable[[], Awaitable[Sequence[Finding]]]


@dataclass(frozen=True, slots=True)
class Area:
    """A part of the program with a check of its own, such as "sandbox"."""

    name: str
    check: Check


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found in one area."""

    name: str
    findings: tuple[Finding, ...]

    @property
    def well(self) -> bool:
        """Whether nothing grave was found."""
        return not any(found.grave and not found.ok for found in self.findings)


async def examine(areas: Sequence[Area]) -> tuple[Examined, ...]:
    """Every area, one after the other."""
    return tuple([Examined(area.name, tuple(await area.check())) for area in areas])
