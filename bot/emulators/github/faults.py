"""Disturbances on demand: what happens to the next requests that match."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from threading import Lock
from typing import Literal, get_args

Kind = Literal[
    "502-before",  # nothing happens, 502
    "502-after",  # it happens, and the answer is 502
    "429",  # too many, without a word on when
    "429-retry-after",  # too many, with Retry-After
    "secondary",  # 403 of the secondary limit, with Retry-After
    "primary",  # 403 of the primary limit: nothing remains until the reset
    "forbidden",  # nothing happens, 403: the App is not let
    "slow",  # it happens, late
]


@dataclass
class Fault:
    """`seconds`: the delay, Retry-After or the time until the reset."""

    method: str
    pattern: str
    kind: Kind
    times: int
    seconds: float
    hits: int = 0

    def fits(self, method: str, path: str) -> bool:
        """Whether it strikes this request."""
        return (
            self.hits < self.times
            and self.method in ("*", method)
            and fnmatchcase(path, self.pattern)
        )


class Faults:
    """The faults that wait for their request, oldest first."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._all: list[Fault] = []

    def add(
        self, method: str, pattern: str, kind: Kind, *, times: int = 1, seconds: float = 60.0
    ) -> Fault:
        """Strike the next `times` requests of a method ("*": any) whose path fits a glob.

        Paths are those of the API without its prefix ("/repos/*/pulls"), or of a page or git
        ("/acme/shop.git/*"). The result counts its `hits`.
        """
        if kind not in get_args(Kind):
            raise ValueError(f"no such fault: {kind}")
        fault = Fault(method.upper(), pattern, kind, times, seconds)
        with self._lock:
            self._all.append(fault)
        return fault

    def clear(self) -> None:
        """Forget them all."""
        with self._lock:
            self._all.clear()

    def strike(self, method: str, path: str) -> Fault | None:
        """The fault of this request; it counts as hit."""
        with self._lock:
            for fault in self._all:
                if fault.fits(method, path):
                    fault.hits += 1
                    return fault
        return None
