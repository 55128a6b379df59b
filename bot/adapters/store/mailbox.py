"""Tickets in the database: triggers that wait for a look, letters that wait to be told."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from pydantic import TypeAdapter

from bot.adapters.store import dialect
from bot.adapters.store.database import Database
from bot.adapters.store.queue import fence
from bot.adapters.store.stamps import Clock, new_id, stamp
from bot.adapters.store.tables import heard, letters
from bot.domain.jira import Heard, Letter, Posting, Trigger

_TRIGGER = TypeAdapter(Trigger)
_LETTER = TypeAdapter(Letter)
_LOOKED_AT = 500


class SqlMailbox:
    """The half of `SqlStore` that is about tickets; implements `Mailbox`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def heard(self, limit: int = 20) -> Sequence[Heard]:
        """Triggers that wait."""
        waiting = sa.select(heard).where(heard.c.done_at == "").order_by(heard.c.id).limit(limit)
        with self._database.reading() as c:
            rows = c.execute(waiting).all()
        return [Heard(row.id, _TRIGGER.validate_python(row.trigger)) for row in rows]

    def listened(self, heard_id: str) -> None:
        """A trigger has been dealt with."""
        waiting = (heard.c.id == heard_id) & (heard.c.done_at == "")
        with self._database.writing() as c:
            c.execute(heard.update().where(waiting).values(done_at=stamp(self._clock())))

    def post(self, letter: Letter) -> None:
        """Put a letter into the outbox, once."""
        with self._database.writing() as c:
            _post(c, self._clock(), letter)

    def post_for(self, run_id: str, epoch: int, letter: Letter) -> None:
        """The same for a run."""
        with self._database.writing() as c:
            fence(c, run_id, epoch)
            _post(c, self._clock(), letter)

    def due(self, lease_s: float, limit: int = 20) -> Sequence[Posting]:
        """Take up the letters that are due."""
        now = self._clock()
        waiting = sa.select(letters).where(letters.c.done_at == "").order_by(letters.c.id)
        with self._database.writing() as c:
            dialect.hold(c)
            first: dict[str, sa.Row[tuple[str, ...]]] = {}
            for row in c.execute(waiting.limit(_LOOKED_AT)):
                first.setdefault(row.ticket, row)
            taken = [row for row in first.values() if row.due_at <= stamp(now)][:limit]
            ids = [row.id for row in taken]
            values = {"due_at": stamp(now + lease_s), "tries": letters.c.tries + 1}
            c.execute(letters.update().where(letters.c.id.in_(ids)).values(values))
        return [Posting(r.id, _LETTER.validate_python(r.letter), r.tries + 1) for r in taken]

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
    c.execute(heard.insert().values(row | {"heard_at": stamp(now)}))


def _post(c: sa.Connection, now: float, letter: Letter) -> None:
    if c.execute(sa.select(letters.c.id).where(letters.c.name == letter.name)).first():
        return
    row = {
        "id": new_id(now),
        "name": letter.name,
        "ticket": letter.key,
        "letter": _LETTER.dump_python(letter, mode="json"),
        "due_at": stamp(now),
    }
    c.execute(letters.insert().values(row))
