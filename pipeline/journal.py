"""The journal: what a run has paid for or run, so that nothing finished is done twice.

A position names an entry: iteration, stage, agent, kind and number. The digest of what was asked
is a check: where it differs, the seat is worked anew from its checkpoint, and that is said. An
entry is reserved before it is paid for; one that stays reserved may have been paid for nothing.

Whatever a run's state depends on is an entry, so that the entries alone make the run again:

    model     a reply, or the error that took its place, and what was asked
    command   a command's result and the files that it left
    tests     a test run (those of the base belong to the whole run, not to a seat)
    clock     a reading that the state shows
    seat      what a seat had used, and how long it took, when it was done
    run       what the run was made of
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pipeline.errors import PipelineError
from pipeline.redaction import NOTHING, Redactor

Json = Mapping[str, Any]
Kind = Literal["model", "command", "tests", "clock", "seat"]
Work = Callable[[], Awaitable[Json]]
FACTS = "run"


class OutOfStep(PipelineError):
    """What is asked now is not what was asked at this position before.

    `difference` shows both as a unified diff, where that is known.
    """

    def __init__(self, message: str, difference: str = "") -> None:
        super().__init__(message)
        self.difference = difference


class Diverged(PipelineError):
    """A replay has come to where the journal does not lead: nothing was asked instead.

    `difference` shows the recorded request and the one of now as a unified diff, or is "".
    """

    def __init__(self, message: str, difference: str = "") -> None:
        super().__init__(message)
        self.difference = difference


@dataclass(frozen=True, slots=True)
class Entry:
    """One position. `reply` None: reserved, and the answer was lost; `tries` were begun so far."""

    digest: str
    reply: Json | None
    tries: int = 1


class Journal(Protocol):
    """Where entries are kept; a run has it for itself."""

    async def load(self) -> Mapping[str, Entry]:
        """Everything that is there, by key."""

    async def reserve(self, key: str, digest: str) -> None:
        """Write that this is about to be paid for."""

    async def record(self, key: str, digest: str, reply: Json) -> None:
        """Write what came back, before it is used."""

    async def forget(self, prefix: str) -> None:
        """Drop every entry whose key starts with `prefix`."""

    async def keep_base(self, tree: str, pack: Callable[[], Awaitable[bytes | None]]) -> None:
        """Keep the files that the run starts from, if they are not there yet.

        `pack` makes a git pack of `tree`, or None where it would be too large.
        """


class MemoryJournal:
    """A journal that lives as long as its object: for tests, and for runs of a single process."""

    def __init__(self, entries: Mapping[str, Entry] | None = None) -> None:
        self.entries: dict[str, Entry] = dict(entries or {})
        self.base: bytes | None = None

    async def load(self) -> Mapping[str, Entry]:
        """A copy of all entries."""
        return dict(self.entries)

    async def reserve(self, key: str, digest: str) -> None:
        """Keep an empty entry."""
        before = self.entries.get(key)
        self.entries[key] = Entry(digest, None, before.tries + 1 if before else 1)

    async def record(self, key: str, digest: str, reply: Json) -> None:
        """Keep a filled entry."""
        self.entries[key] = Entry(digest, reply)

    async def forget(self, prefix: str) -> None:
        """Drop entries by prefix."""
        self.entries = {k: v for k, v in self.entries.items() if not k.startswith(prefix)}

    async def keep_base(self, tree: str, pack: Callable[[], Awaitable[bytes | None]]) -> None:
        """Keep the pack itself."""
        del tree
        if self.base is None:
            self.base = await pack()


class ReplayJournal:
    """The journal of a run that was made before: it can be read, and it leads or the run ends."""

    def __init__(self, entries: Mapping[str, Entry], base: bytes | None) -> None:
        self.entries = dict(entries)
        self.base = base

    @property
    def facts(self) -> Json:
        """What the recorded run was made of. Raises Diverged where that is not told."""
        entry = self.entries.get(FACTS)
        if entry is None or entry.reply is None:
            raise Diverged("the journal does not tell what its run was made of: it never began")
        return entry.reply

    async def load(self) -> Mapping[str, Entry]:
        """A copy of all entries."""
        return dict(self.entries)

    async def reserve(self, key: str, digest: str) -> None:
        """Refuse: what is not recorded is not made. Raises Diverged."""
        del digest
        if key in self.entries:
            raise Diverged(f"the recorded run was cut off at {key}, before there was an answer")
        raise Diverged(f"the recorded run has nothing at {key}: it ended before, or went elsewhere")

    async def record(self, key: str, digest: str, reply: Json) -> None:
        """Refuse. Raises Diverged."""
        del digest, reply
        raise Diverged(f"a replay writes nothing, and {key} is not recorded")

    async def forget(self, prefix: str) -> None:
        """Refuse: a replay does not begin anew. Raises Diverged."""
        raise Diverged(f"a replay does not work {prefix} anew")

    async def keep_base(self, tree: str, pack: Callable[[], Awaitable[bytes | None]]) -> None:
        """The base came with the journal."""


@dataclass(slots=True)
class Pen:
    """One seat's hand on the journal: counts positions, hands out what is there, writes the rest.

    `lost` counts model calls that were reserved but had no answer: perhaps paid twice. `asked` is
    the seat's last request, as it is recorded: of the next one only what is new is kept. `read`
    are the keys of the entries that were handed out.
    """

    journal: Journal
    known: Mapping[str, Entry]
    prefix: str
    lost: int = 0
    asked: Json = field(default_factory=dict)
    read: set[str] = field(default_factory=set)
    _next: dict[str, int] = field(default_factory=dict)

    async def once(
        self,
        kind: Kind,
        digest: str,
        work: Work,
        redo: Callable[[Json], Awaitable[None]] | None = None,
        differs: Callable[[Json], str] | None = None,
    ) -> Json:
        """The reply of this position, if it is known, or else that of `work`.

        `redo` does again what a known reply once did to the world. Where the digest is not the
        recorded one, `differs` says what is not the same ("": nothing that counts). Raises
        OutOfStep where another question stands at this position.
        """
        number = self._next[kind] = self._next.get(kind, 0) + 1
        key = f"{self.prefix}{kind}.{number}"
        entry = self.known.get(key)
        if entry is not None and entry.reply is None and kind == "model":
            self.lost += entry.tries
        if entry is not None:
            _check(key, kind, entry, digest, differs)
        if entry is not None and entry.reply is not None:
            if redo is not None:
                await redo(entry.reply)
            self.read.add(key)
            return entry.reply
        return await _write(self.journal, key, digest, work)


@dataclass(slots=True)
class Notebook:
    """The run's journal and what it held when the run was opened."""

    journal: Journal
    known: dict[str, Entry]

    @classmethod
    async def open(cls, journal: Journal) -> Notebook:
        """Read the journal."""
        return cls(journal, dict(await journal.load()))

    def pen(self, prefix: str) -> Pen:
        """A seat's hand on it."""
        return Pen(self.journal, self.known, prefix)

    async def tear_out(self, prefix: str) -> None:
        """Forget what a seat has done: it begins anew."""
        await self.journal.forget(prefix)
        self.known = {k: v for k, v in self.known.items() if not k.startswith(prefix)}

    async def shared(self, key: str, digest: str, work: Work) -> Json:
        """What belongs to the whole run, whichever seat asks first."""
        entry = self.known.get(key)
        if entry is not None and entry.reply is not None and entry.digest == digest:
            return entry.reply
        reply = await _write(self.journal, key, digest, work)
        self.known[key] = Entry(digest, reply)
        return reply


class Recorder:
    """What stands between a run and whatever costs or may differ: the redactor and the journal.

    Without a notebook nothing is written, and all else is as with one.
    """

    def __init__(self, notebook: Notebook | None = None, redact: Redactor = NOTHING) -> None:
        self.notebook = notebook
        self.redact = redact
        self.pen: Pen | None = None

    def sit(self, prefix: str) -> None:
        """A seat begins: what is written from now on is its own."""
        self.pen = self.notebook.pen(prefix) if self.notebook else None

    @property
    def replaying(self) -> bool:
        """Whether everything has to come from the journal."""
        return self.notebook is not None and isinstance(self.notebook.journal, ReplayJournal)

    async def sit_anew(self, prefix: str) -> None:
        """The seat begins again, with nothing of what it had written."""
        if self.notebook is not None:
            await self.notebook.tear_out(prefix)
        self.sit(prefix)

    async def once(self, kind: Kind, digest: str, work: Work) -> Json:
        """The seat's reply at the next position of that kind. Raises OutOfStep."""
        return await (work() if self.pen is None else self.pen.once(kind, digest, work))

    async def shared(self, kind: Kind, digest: str, work: Work) -> Json:
        """The run's reply to this very question."""
        if self.notebook is None:
            return await work()
        return await self.notebook.shared(f"{FACTS}.{kind}.{digest[:16]}", digest, work)

    async def measured(self, seconds: float) -> float:
        """A reading of a clock: in a replay, what it was when the run was made."""

        async def work() -> Json:
            return {"seconds": seconds}

        return float((await self.once("clock", "", work))["seconds"])


def digest_of(text: str) -> str:
    """SHA-256 of a text, in hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


async def _write(journal: Journal, key: str, digest: str, work: Work) -> Json:
    await journal.reserve(key, digest)
    reply = await work()
    await journal.record(key, digest, reply)
    return reply


def _check(
    key: str, kind: Kind, entry: Entry, digest: str, differs: Callable[[Json], str] | None
) -> None:
    if entry.digest == digest:
        return
    difference = ""
    if entry.reply is not None and differs is not None:
        difference = differs(entry.reply)
        if not difference:
            return
    raise OutOfStep(f"the journal holds another {kind} at {key}", difference)
