"""The journal: what a run has paid for or run, so that nothing finished is done twice.

A position names an entry: iteration, stage, agent, kind and number. The digest of what was asked
is a check: where it differs, the seat is worked anew from its checkpoint, and that is said. An
entry is reserved before it is paid for; one that stays reserved may have been paid for nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pipeline.errors import PipelineError

Json = Mapping[str, Any]
Kind = Literal["model", "command"]


class OutOfStep(PipelineError):
    """What is asked now is not what was asked at this position before."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One position. `reply` None: reserved, and the answer was lost."""

    digest: str
    reply: Json | None


class Journal(Protocol):
    """Where entries are kept, in order of writing; a run has it for itself."""

    async def load(self) -> Mapping[str, Entry]:
        """Everything that is there, by key."""

    async def reserve(self, key: str, digest: str) -> None:
        """Write that this is about to be paid for."""

    async def record(self, key: str, digest: str, reply: Json) -> None:
        """Write what came back, before it is used."""

    async def forget(self, prefix: str) -> None:
        """Drop every entry whose key starts with `prefix`."""


class MemoryJournal:
    """A journal that lives as long as its object: for tests, and for runs that need none."""

    def __init__(self, entries: Mapping[str, Entry] | None = None) -> None:
        self.entries: dict[str, Entry] = dict(entries or {})

    async def load(self) -> Mapping[str, Entry]:
        """A copy of all entries."""
        return dict(self.entries)

    async def reserve(self, key: str, digest: str) -> None:
        """Keep an empty entry."""
        self.entries[key] = Entry(digest, None)

    async def record(self, key: str, digest: str, reply: Json) -> None:
        """Keep a filled entry."""
        self.entries[key] = Entry(digest, reply)

    async def forget(self, prefix: str) -> None:
        """Drop entries by prefix."""
        self.entries = {k: v for k, v in self.entries.items() if not k.startswith(prefix)}


@dataclass(slots=True)
class Pen:
    """One seat's hand on the journal: counts positions, hands out what is there, writes the rest.

    `lost` counts model calls that were reserved but had no answer: perhaps paid twice.
    """

    journal: Journal
    known: Mapping[str, Entry]
    prefix: str
    lost: int = 0
    _next: dict[str, int] = field(default_factory=dict)

    async def once(
        self,
        kind: Kind,
        digest: str,
        work: Callable[[], Awaitable[Json]],
        redo: Callable[[Json], Awaitable[None]] | None = None,
    ) -> tuple[Json, bool]:
        """The reply of this position, and whether it was there already.

        `work` makes it where it is not there; `redo` does again what a known reply once did to the
        world. Raises OutOfStep where another question stands at this position.
        """
        number = self._next[kind] = self._next.get(kind, 0) + 1
        key = f"{self.prefix}{kind}.{number}"
        entry = self.known.get(key)
        if entry is not None and entry.digest != digest:
            raise OutOfStep(f"the journal holds another {kind} at {key}")
        if entry is not None and entry.reply is not None:
            if redo is not None:
                await redo(entry.reply)
            return entry.reply, True
        if entry is not None and kind == "model":
            self.lost += 1
        await self.journal.reserve(key, digest)
        reply = await work()
        await self.journal.record(key, digest, reply)
        return reply, False


def digest_of(text: str) -> str:
    """SHA-256 of a text, in hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
