"""Times and names: ISO 8601 in UTC, and ids that sort by the time they were made."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], float]
"""Seconds since the epoch."""

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_BITS = 70


def stamp(seconds: float) -> str:
    """A moment as text, with milliseconds; texts compare as the moments do."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def normal(iso: str) -> str:
    """Anybody's ISO 8601 as `stamp` writes it; a time without zone is UTC."""
    moment = datetime.fromisoformat(iso)
    return stamp((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def new_id(seconds: float) -> str:
    """A ULID: 26 letters, of which the first ten are the milliseconds.

    Ten of its eighty random bits are the microseconds instead: what comes later sorts later.
    """
    milliseconds, microseconds = divmod(int(seconds * 1_000_000), 1000)
    number = (milliseconds << 10 | microseconds) << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
    return "".join(_LETTERS[number >> shift & 31] for shift in range(125, -5, -5))
