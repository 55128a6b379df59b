"""Letters to tickets go into the outbox here, each once by its name."""

from __future__ import annotations

import sqlalchemy as sa
from pydantic import TypeAdapter

from bot.adapters.store.stamps import new_id, stamp
from bot.adapters.store.tables import letters
from bot.domain.jira import Letter

LETTER = TypeAdapter(Letter)


def post(c: sa.Connection, now: float, letter: Letter) -> None:
    """`Mailbox.post`."""
    if c.execute(sa.select(letters.c.id).where(letters.c.name == letter.name)).first():
        return
    row = {
        "id": new_id(now),
        "name": letter.name,
        "ticket": letter.key,
        "letter": LETTER.dump_python(letter, mode="json"),
        "due_at": stamp(now),
    }
    c.execute(letters.insert().values(row))
