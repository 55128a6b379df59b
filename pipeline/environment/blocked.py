"""What a set-up asked for and may not reach, and why: typed, so that whoever tells it knows a mend.

The mends are settings, and those belong to who has them: they come in as words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from typing_extensions import override

_MOST = 10


class Why(StrEnum):
    """The rule that stood in the way, in words for people."""

    UNKNOWN = "not a registry"
    PRIVATE = "its address is not a public one"
    LITERAL = "an address instead of a name"
    PLAIN = "only https goes through"
    OUTSIDE = "not below the registry whose password it would carry"
    READING = "only reading with a password that is kept outside"
    TOO_MUCH = "more bytes than are allowed"


Mends = Mapping[Why, str]


@dataclass(frozen=True, slots=True)
class Blocked:
    """`what` is "name:port", or what was asked for instead of one; `more` is said of it besides."""

    what: str
    why: Why
    more: str = ""

    @override
    def __str__(self) -> str:
        return f"{self.what} ({self.more or self.why})"

    def to_json(self) -> list[str]:
        """Text alone."""
        return [self.what, self.why.name, self.more]

    @classmethod
    def of_json(cls, found: object) -> Blocked | None:
        """The reverse; None for what is none."""
        match found:
            case [str(what), str(why), str(more)] if why in Why.__members__:
                return cls(what, Why[why], more)
        return None


def told(blocked: Iterable[Blocked], mends: Mends) -> str:
    """A list for people, those with the same reason and mend together; "" for none."""
    groups: dict[str, list[str]] = {}
    for one in list(blocked)[:_MOST]:
        mend = mends.get(one.why, "")
        reason = f"{one.more or one.why}: {mend}" if mend else one.more or one.why
        groups.setdefault(reason, []).append(one.what)
    return "; ".join(f"{', '.join(names)} ({reason})" for reason, names in groups.items())
