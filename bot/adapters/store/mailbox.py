"""Tickets in the database: triggers that wait for a look, letters that wait to be told."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from pydantic import TypeAdapter

from bot.adapters.store import dialect
from bot.adapters.store.database import Database
from bot.adapters.store.outbox import LETTER, post
from bot.adapters.store.queue import fence
from bot.adapters.store.stamps import Clock, new_id, stamp
from bot.adapters.store.tables import heard, letters
from bot.domain.jira import Heard, Letter, Posting, Trigger

_TRIGGER = TypeAdapter(Trigger)


class SqlMailbox:
    """The half of `SqlStore` that is about tickets; implements `Mailbox`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def heard(self, limit: int = 20) -> Sequence[Heard]:
        """Triggers that are due."""
        due = (heard.c.done_at == "") & (heard.c.due_at <= stamp(self._clock()))
        order = (heard.c.due_at, heard.c.id)
        with self._database.reading() as c:
            rows = c.execute(sa.select(heard).where(due).order_by(*order).limit(limit)).all()
        return [Heard(row.id, _TRIGGER.validate_python(row.trigger), row.tries) for row in rows]

    def hear_later(self, heard_id: str, seconds: float) -> None:
        """Look at a trigger again after that time."""
        values = {"due_at": stamp(self._clock() + seconds), "tries": heard.c.tries + 1}
        with self._database.writing() as c:
            c.execute(heard.update().where(heard.c.id == heard_id).values(values))

    def listened(self, heard_id: str) -> None:
        """A trigger has been dealt with."""
        waiting = (heard.c.id == heard_id) & (heard.c.done_at == "")
        with self._database.writing() as c:
            c.execute(heard.update().where(waiting).values(done_at=stamp(self._clock())))

    def post(self, letter: Letter) -> None:
        """Put a letter into the outbox, once."""
        with self._database.writing() as c:
            post(c, self._clock(), letter)

    def post_for(self, run_id: str, epoch: int, letter: Letter) -> None:
        """The same for a run."""
        with self._database.writing() as c:
            fence(c, run_id, epoch)
            post(c, self._clock(), letter)

    def due(self, lease_s: float, limit: int = 20) -> Sequence[Posting]:
        """Take up the letters that are due."""
        now = self._clock()
        waiting = letters.c.done_at == ""
        first = sa.select(sa.func.min(letters.c.id)).where(waiting).group_by(letters.c.ticket)
        due = sa.select(letters).where(letters.c.id.in_(first), letters.c.due_at <= stamp(now))
        with self._database.writing() as c:
            dialect.hold(c)
            taken = c.execute(due.order_by(letters.c.due_at, letters.c.id).limit(limit)).all()
            ids = [row.id for row in taken]
            values = {"due_at": stamp(now + lease_s), "tries": letters.c.tries + 1}
            c.execute(letters.update().where(letters.c.id.in_(ids)).values(values))
        return [Posting(r.id, LETTER.validate_python(r.letter), r.tries + 1) for r in taken]

    def posted(self, posting_id: str) -> None:
        """A letter has arrived, or never will."""
        waiting = (letters.c.id == posting_id) & (letters.c.done_at == "")
        with self._database.writing() as c:
            c.execute(letters.update().where(waiting).values(done_at=stamp(self._clock())))

    def put_off(self, posting_id: str, seconds: float) -> None:
        """Try a letter again after that time."""
        later = stamp(self._clock() + seconds)
        with self._database.writing() as c:
            c.execute(letters.update().where(letters.c.id == posting_id).values(due_at=later))


def hear(c: sa.Connection, now: float, trigger: Trigger) -> None:
    """Keep a trigger until a worker has looked at its ticket."""
    row = {"id": new_id(now), "trigger": _TRIGGER.dump_python(trigger, mode="json")}
    c.execute(heard.insert().values(row | {"heard_at": stamp(now), "due_at": stamp(now)}))
