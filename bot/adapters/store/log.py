"""What a run leaves behind, written under its epoch alone: events, journal, effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from bot.adapters.store.queue import fence
from bot.adapters.store.stamps import stamp
from bot.adapters.store.tables import effects, events, journal, runs
from bot.domain.store import Entry, Json, StoredEvent

Fence = tuple[str, int]
"""The run's id and the epoch under which the caller writes."""


def append(c: sa.Connection, now: float, fenced: Fence, line: tuple[str, Json, str]) -> int:
    """`Store.append`; `line` is kind, data and key. The run's row counts its events."""
    run_id, epoch = fenced
    kind, data, key = line
    fence(c, run_id, epoch)
    if key:
        same = sa.select(events.c.seq).where(events.c.run_id == run_id, events.c.key == key)
        seen: int | None = c.execute(same).scalar()
        if seen is not None:
            return seen
    seq: int = c.execute(
        runs.update()
        .where(runs.c.id == run_id)
        .values(events=runs.c.events + 1)
        .returning(runs.c.events)
    ).scalar_one()
    c.execute(
        events.insert().values(
            run_id=run_id, seq=seq, kind=kind, data=dict(data), key=key or None, at=stamp(now)
        )
    )
    return seq


def read(c: sa.Connection, run_id: str, after: int, limit: int) -> Sequence[StoredEvent]:
    """`Store.events`."""
    lines = (
        sa.select(events.c.run_id, events.c.seq, events.c.kind, events.c.data, events.c.at)
        .where(events.c.run_id == run_id, events.c.seq > after)
        .order_by(events.c.seq)
        .limit(limit)
    )
    return [StoredEvent(*row) for row in c.execute(lines)]


def entries(c: sa.Connection, run_id: str) -> Mapping[str, Entry]:
    """`Store.journal`."""
    lines = (
        sa.select(journal.c.key, journal.c.digest, journal.c.reply, journal.c.tries)
        .where(journal.c.run_id == run_id)
        .order_by(journal.c.key)
    )
    return {row.key: Entry(*row) for row in c.execute(lines)}


def write(c: sa.Connection, fenced: Fence, key: str, digest: str, reply: Json | None) -> None:
    """`Store.reserve` (no reply yet) and `Store.record`."""
    run_id, epoch = fenced
    fence(c, run_id, epoch)
    values = {
        "digest": digest,
        "reply": None if reply is None else dict(reply),
        "tries": journal.c.tries + 1 if reply is None else journal.c.tries,
        "epoch": epoch,
    }
    there = (journal.c.run_id == run_id) & (journal.c.key == key)
    if c.execute(journal.update().where(there).values(values)).rowcount == 0:
        c.execute(journal.insert().values(values | {"run_id": run_id, "key": key, "tries": 1}))


def forget(c: sa.Connection, fenced: Fence, prefix: str) -> None:
    """`Store.forget`."""
    run_id, epoch = fenced
    fence(c, run_id, epoch)
    begins = sa.func.substr(journal.c.key, 1, len(prefix)) == prefix
    c.execute(journal.delete().where(journal.c.run_id == run_id, begins))


def effect(c: sa.Connection, run_id: str, name: str) -> Json | None:
    """`Store.effect`."""
    left = sa.select(effects.c.result).where(effects.c.run_id == run_id, effects.c.name == name)
    found: Json | None = c.execute(left).scalar()
    return found


def keep(c: sa.Connection, fenced: Fence, name: str, result: Json | None) -> Json | None:
    """`Store.intend` (no result yet) and `Store.done`; returns what was there before."""
    run_id, epoch = fenced
    fence(c, run_id, epoch)
    there = (effects.c.run_id == run_id) & (effects.c.name == name)
    row = c.execute(sa.select(effects.c.result).where(there)).first()
    if row is None:
        new = {"run_id": run_id, "name": name, "epoch": epoch}
        c.execute(
            effects.insert().values(new | {"result": None if result is None else dict(result)})
        )
        return None
    if result is not None:
        c.execute(effects.update().where(there).values(result=dict(result), epoch=epoch))
    before: Json | None = row.result
    return before
