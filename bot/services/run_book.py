"""One run under one epoch: its log, its journal and its effects, each written once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from bot.domain.jira import Letter
from bot.domain.runs import Run, RunStatus
from bot.domain.store import NO_ENDING, Ending, Fenced, Store
from pipeline.checkpoint import Checkpoint
from pipeline.journal import Entry

Json = Mapping[str, Any]
_CHECKPOINT = "checkpoint"
_log = logging.getLogger(__name__)


class RunBook:
    """What a run writes. Every write fails with Fenced once somebody else has taken the run."""

    def __init__(self, store: Store, run: Run, epoch: int) -> None:
        self.run = run
        self.epoch = epoch
        self._store = store

    @classmethod
    async def open(cls, store: Store, run_id: str, worker: str) -> RunBook:
        """Take the run: its epoch is raised. Raises Fenced where there is nothing to execute."""
        epoch = await asyncio.to_thread(store.begin, run_id, worker)
        run = await asyncio.to_thread(store.run, run_id)
        if run is None:
            raise Fenced(f"run {run_id} is gone")
        return cls(store, run, epoch)

    async def cancelled_by(self) -> str | None:
        """Who has asked for the end, or why; None while nobody has."""
        run = await asyncio.to_thread(self._store.run, self.run.id)
        return run.cancel_by if run is not None and run.cancel_requested else None

    async def once(self, name: str, work: Callable[[], Awaitable[Json]]) -> Json:
        """What the effect `name` left behind; made now if it has never been made to the end.

        `work` may have been cut off before, so it looks before it makes.
        """
        there = await asyncio.to_thread(self._store.intend, self.run.id, self.epoch, name)
        if there is not None:
            return there
        result = await work()
        await asyncio.to_thread(self._store.done, self.run.id, self.epoch, name, result)
        return result

    async def effect(self, name: str) -> Json | None:
        """What an effect left behind, or None."""
        return await asyncio.to_thread(self._store.effect, self.run.id, name)

    async def post(self, letter: Letter) -> None:
        """Put a letter for the run's ticket into the outbox, once."""
        await asyncio.to_thread(self._store.post_for, self.run.id, self.epoch, letter)

    async def log(self, kind: str, data: Json, *, key: str = "") -> None:
        """Append a line to the run's log; a `key` seen before is not appended again."""
        run = self.run.id
        await asyncio.to_thread(self._store.append, run, self.epoch, kind, data, key=key)

    async def keep(self, checkpoint: Checkpoint) -> None:
        """Append a checkpoint: the one from which the run goes on."""
        position = f"{checkpoint.iteration}.{checkpoint.stage.value}.{checkpoint.agent}"
        data = {"checkpoint": checkpoint.to_json()}
        await self.log(_CHECKPOINT, data, key=f"{_CHECKPOINT}.{position}")

    async def spend(self, usd: float | None, lost_usd: float | None) -> None:
        """Write what the run has cost so far, where that is known, and how much of it perhaps."""
        if usd is not None:
            await asyncio.to_thread(
                self._store.spend, self.run.id, self.epoch, usd, lost_usd or 0.0
            )

    async def checkpoints(self) -> list[Checkpoint]:
        """Every checkpoint so far, oldest first."""
        return await asyncio.to_thread(checkpoints_of, self._store, self.run.id)

    async def made(self, name: str) -> bool:
        """Whether the effect `name` has been made to the end."""
        return await asyncio.to_thread(self._store.effect, self.run.id, name) is not None

    async def park(self, until: float) -> None:
        """Queue the run again for a moment, in seconds since the epoch; it gives up its place."""
        ending = Ending(not_before=datetime.fromtimestamp(until, UTC).isoformat())
        await self.move(RunStatus.QUEUED, ending)

    async def move(self, status: RunStatus, ending: Ending = NO_ENDING) -> None:
        """Move the run along."""
        await asyncio.to_thread(self._store.move, self.run.id, self.epoch, status, ending)


def checkpoints_of(store: Store, run_id: str) -> list[Checkpoint]:
    """Every checkpoint of a run so far, oldest first."""
    found: list[Checkpoint] = []
    after = 0
    while events := store.events(run_id, after):
        found += [
            Checkpoint.from_json(event.data["checkpoint"])
            for event in events
            if event.kind == _CHECKPOINT
        ]
        after = events[-1].seq
    return found


class Shelf(Protocol):
    """Where the files are kept that runs begin with, by tree."""

    def has(self, tree: str) -> bool:
        """Whether the pack of a tree is there."""

    def put(self, tree: str, pack: bytes) -> None:
        """Keep the pack of a tree."""


class StoredJournal:
    """The pipeline's journal, kept in the store under the book's epoch."""

    def __init__(self, store: Store, book: RunBook, shelf: Shelf | None = None) -> None:
        self._store = store
        self._shelf = shelf
        self._run = book.run.id
        self._epoch = book.epoch

    async def load(self) -> Mapping[str, Entry]:
        """Everything that earlier starts of the run have written."""
        rows = await asyncio.to_thread(self._store.journal, self._run)
        return {key: Entry(row.digest, row.reply, row.tries) for key, row in rows.items()}

    async def reserve(self, key: str, digest: str) -> None:
        """Before it is paid for. Raises Fenced."""
        await asyncio.to_thread(self._store.reserve, self._run, self._epoch, key, digest)

    async def record(self, key: str, digest: str, reply: Json) -> None:
        """Before it is used. Raises Fenced."""
        await asyncio.to_thread(self._store.record, self._run, self._epoch, key, digest, reply)

    async def forget(self, prefix: str) -> None:
        """A seat begins anew. Raises Fenced."""
        await asyncio.to_thread(self._store.forget, self._run, self._epoch, prefix)

    async def keep_base(self, tree: str, pack: Callable[[], Awaitable[bytes | None]]) -> None:
        """On the shelf, beside the store. That a run can be replayed is not worth its failure."""
        if self._shelf is None:
            return
        try:
            if not await asyncio.to_thread(self._shelf.has, tree):
                packed = await pack()
                if packed is not None:
                    await asyncio.to_thread(self._shelf.put, tree, packed)
        except OSError as error:
            _log.warning("run %s cannot be replayed: its base is not kept: %s", self._run, error)
