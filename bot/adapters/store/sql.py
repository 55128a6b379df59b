"""The store on a database: an SQLite file, or a PostgreSQL server by the same statements."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from bot.adapters.store import inbox, log, money, queue
from bot.adapters.store.database import Database
from bot.adapters.store.mailbox import SqlMailbox
from bot.adapters.store.rows import RUN, run_of
from bot.adapters.store.stamps import Clock, stamp
from bot.adapters.store.tables import runs, workers
from bot.adapters.store.upgrade import upgrade
from bot.domain.runs import Run, RunRequest, RunStatus
from bot.domain.store import (
    NO_ENDING,
    Asked,
    Counts,
    Delivery,
    Ending,
    Entry,
    Json,
    Order,
    Receipt,
    Share,
    StoredEvent,
)

PATIENT_S = 30.0
QUICK_S = 3.0
"""How long a receiver waits for another writer: a forge gives up on a delivery after 10 s."""


class SqlStore(SqlMailbox):
    """Implements `Store`. Use from any thread."""

    def __init__(self, database: Database, clock: Clock = time.time) -> None:
        super().__init__(database, clock)

    @classmethod
    def open(cls, url: str, *, wait_s: float = PATIENT_S, clock: Clock = time.time) -> SqlStore:
        """The store at `url`, brought up to date. Raises StoreUnavailable, Misconfigured.

        `url` is SQLAlchemy's, as `sqlite:////var/lib/acp/acp.db`. Receivers pass `QUICK_S`.
        """
        database = Database(url, wait_s=wait_s)
        upgrade(database)
        return cls(database, clock)

    def receive(self, delivery: Delivery, order: Order) -> Receipt:
        """Take a delivery in, once."""
        return self.receive_all([(delivery, order)])[0]

    def receive_all(self, deliveries: Sequence[tuple[Delivery, Order]]) -> Sequence[Receipt]:
        """Take several in, in one transaction."""
        now = self._clock()
        return self._database.write(lambda c: inbox.receive(c, now, deliveries))

    def asked(self, limit: int = 20) -> Sequence[Asked]:
        """Commands that wait for an answer."""
        with self._database.reading() as c:
            return inbox.asked(c, self._clock(), limit)

    def answered(self, asked_id: str) -> None:
        """The command has had its answer."""
        with self._database.writing() as c:
            inbox.answered(c, self._clock(), asked_id)

    def answer_later(self, asked_id: str, seconds: float) -> None:
        """Look at a command again after that time."""
        with self._database.writing() as c:
            inbox.answer_later(c, self._clock() + seconds, asked_id)

    def run(self, run_id: str) -> Run | None:
        """One run."""
        with self._database.reading() as c:
            row = c.execute(sa.select(*RUN).where(runs.c.id == run_id)).first()
        return None if row is None else run_of(row)

    def runs(
        self,
        *,
        status: RunStatus | None = None,
        repository_id: int | None = None,
        issue: int | None = None,
        limit: int = 50,
    ) -> Sequence[Run]:
        """Runs, newest first."""
        wanted = {"status": status, "repository_id": repository_id, "issue": issue}
        where = [runs.c[name] == value for name, value in wanted.items() if value is not None]
        found = sa.select(*RUN).where(*where).order_by(runs.c.id.desc()).limit(limit)
        with self._database.reading() as c:
            return [run_of(row) for row in c.execute(found)]

    def counts(self, request: RunRequest, since: str) -> Counts:
        """What the caps are held against."""
        with self._database.reading() as c:
            return queue.counts(c, request, since)

    def allot(self, run_id: str, epoch: int, since: str, share: Share) -> float:
        """Set money aside for the run."""
        with self._database.writing() as c:
            return money.allot(c, (run_id, epoch), since, share)

    def spend(self, run_id: str, epoch: int, usd: float, lost_usd: float = 0.0) -> None:
        """Write what the run has cost so far."""
        with self._database.writing() as c:
            money.spend(c, (run_id, epoch), usd, lost_usd)

    def next_runs(self, *, per_repository: int, total: int) -> Sequence[Run]:
        """Claim the queued runs that may start now."""
        with self._database.writing() as c:
            return queue.next_runs(c, self._clock(), per_repository, total)

    def begin(self, run_id: str, worker: str) -> int:
        """Raise the epoch and mark the run running."""
        with self._database.writing() as c:
            return queue.begin(c, self._clock(), run_id, worker)

    def move(self, run_id: str, epoch: int, status: RunStatus, ending: Ending = NO_ENDING) -> None:
        """Move a run along `MOVES`."""
        with self._database.writing() as c:
            queue.move(c, self._clock(), (run_id, epoch), status, ending)

    def request_cancel(self, run_id: str, by: str) -> bool:
        """Ask for a cancel."""
        with self._database.writing() as c:
            return queue.request_cancel(c, self._clock(), run_id, by)

    def append(self, run_id: str, epoch: int, kind: str, data: Json, *, key: str = "") -> int:
        """Append to the log."""
        with self._database.writing() as c:
            return log.append(c, self._clock(), (run_id, epoch), (kind, data, key))

    def events(self, run_id: str, after: int = 0, limit: int = 1000) -> Sequence[StoredEvent]:
        """The log from `after` on."""
        with self._database.reading() as c:
            return log.read(c, run_id, after, limit)

    def journal(self, run_id: str) -> Mapping[str, Entry]:
        """The whole journal of a run."""
        with self._database.reading() as c:
            return log.entries(c, run_id)

    def reserve(self, run_id: str, epoch: int, key: str, digest: str) -> None:
        """Write an entry before it is paid for."""
        with self._database.writing() as c:
            log.write(c, (run_id, epoch), key, digest, None)

    def record(self, run_id: str, epoch: int, key: str, digest: str, reply: Json) -> None:
        """Fill the entry."""
        with self._database.writing() as c:
            log.write(c, (run_id, epoch), key, digest, reply)

    def forget(self, run_id: str, epoch: int, prefix: str) -> None:
        """Drop entries whose key starts with `prefix`."""
        with self._database.writing() as c:
            log.forget(c, (run_id, epoch), prefix)

    def effect(self, run_id: str, name: str) -> Json | None:
        """What an effect left behind."""
        with self._database.reading() as c:
            return log.effect(c, run_id, name)

    def intend(self, run_id: str, epoch: int, name: str) -> Json | None:
        """Write the intent before an effect."""
        with self._database.writing() as c:
            return log.keep(c, (run_id, epoch), name, None)

    def done(self, run_id: str, epoch: int, name: str, result: Json) -> None:
        """Write what the effect left behind."""
        with self._database.writing() as c:
            log.keep(c, (run_id, epoch), name, result)

    def beat(self, worker: str) -> None:
        """Say that a worker is alive."""
        now = stamp(self._clock())
        with self._database.writing() as c:
            beat = workers.update().where(workers.c.id == worker).values(beat_at=now)
            if c.execute(beat).rowcount == 0:
                c.execute(workers.insert().values(id=worker, started_at=now, beat_at=now))

    def last_beat(self) -> str:
        """When a worker last said that it is alive."""
        with self._database.reading() as c:
            return c.execute(sa.select(sa.func.max(workers.c.beat_at))).scalar() or ""

    def prune(self, before: str) -> int:
        """Forget what was dealt with before a moment."""
        with self._database.writing() as c:
            return inbox.prune(c, before)

    def close(self) -> None:
        """Give connections back."""
        self._database.close()
