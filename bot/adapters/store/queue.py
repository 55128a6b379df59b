"""Runs on their way: claimed, begun, moved, cancelled, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from bot.adapters.store import dialect, outbox
from bot.adapters.store.rows import RUN, run_of
from bot.adapters.store.stamps import normal, stamp
from bot.adapters.store.tables import runs
from bot.domain.messages import ticket as words
from bot.domain.runs import MOVES, Run, RunRequest, RunStatus
from bot.domain.store import Counts, Ending, Fenced

_UNCLAIMED = (runs.c.status == RunStatus.QUEUED) & ~runs.c.claimed
_OCCUPIED = (runs.c.status == RunStatus.RUNNING) | (
    (runs.c.status == RunStatus.QUEUED) & runs.c.claimed
)
_TURNED_AWAY = (
    (runs.c.outcome == "refused") & runs.c.cost_usd.is_(None) & runs.c.reserved_usd.is_(None)
)


def fence(c: sa.Connection, run_id: str, epoch: int) -> sa.Row[Any, Any]:
    """Lock the run's row until the transaction ends and give it. Raises Fenced.

    The lock makes check and write one: whoever takes the run over waits for this transaction, so
    it never misses a line that was still being written.
    """
    row = c.execute(
        sa.select(runs.c.epoch, runs.c.status).where(runs.c.id == run_id).with_for_update()
    ).first()
    if row is None or row.epoch != epoch or row.status == RunStatus.FINISHED:
        raise Fenced(f"run {run_id} is no longer executed under epoch {epoch}")
    return row


def begin(c: sa.Connection, now: float, run_id: str, worker: str) -> int:
    """`Store.begin`: one statement raises the epoch, or finds that there is nothing to begin."""
    started = sa.case((runs.c.started_at == "", stamp(now)), else_=runs.c.started_at)
    epoch: int | None = c.execute(
        runs.update()
        .where(runs.c.id == run_id, runs.c.status.in_((RunStatus.QUEUED, RunStatus.RUNNING)))
        .values(
            epoch=runs.c.epoch + 1,
            status=RunStatus.RUNNING,
            claimed=False,
            not_before="",
            worker=worker,
            started_at=started,
        )
        .returning(runs.c.epoch)
    ).scalar()
    if epoch is None:
        raise Fenced(f"run {run_id} is held, finished or unknown: there is nothing to execute")
    return epoch


def move(
    c: sa.Connection, now: float, fenced: tuple[str, int], status: RunStatus, ending: Ending
) -> None:
    """`Store.move`; `fenced` is the run's id and the caller's epoch."""
    run_id, epoch = fenced
    held = fence(c, run_id, epoch)
    if status not in MOVES[RunStatus(held.status)]:
        raise ValueError(f"a run does not move from {held.status} to {status}")
    values: dict[str, Any] = {"status": status, "claimed": False}
    if status is RunStatus.FINISHED:
        values["finished_at"] = stamp(now)
    if ending.cost_usd is not None:
        known_now = {"cost_usd": ending.cost_usd, "lost_usd": ending.lost_usd}
        values |= {**known_now, "reserved_usd": None}
    if status is RunStatus.QUEUED and ending.not_before:
        # Who is cancelled does not wait.
        later = sa.case((runs.c.cancel_requested, ""), else_=normal(ending.not_before))
        values |= {"not_before": later, "parked": runs.c.parked + 1}
    for name in ("outcome", "reason", "pull_request"):
        if known := getattr(ending, name):
            values[name] = known
    c.execute(runs.update().where(runs.c.id == run_id).values(values))


def request_cancel(c: sa.Connection, now: float, run_id: str, by: str) -> bool:
    """`Store.request_cancel`; the first to ask is remembered."""
    row = c.execute(sa.select(runs).where(runs.c.id == run_id).with_for_update()).first()
    if row is None or row.status == RunStatus.FINISHED:
        return False
    values: dict[str, Any] = {"cancel_requested": True, "not_before": ""}
    if not row.cancel_requested:
        values["cancel_by"] = by
    if row.status == RunStatus.HELD:
        values |= {"status": RunStatus.QUEUED, "claimed": False}
    elif row.epoch == 0:
        values |= {
            "status": RunStatus.FINISHED,
            "outcome": "cancelled",
            "reason": f"cancelled: {by}",
            "finished_at": stamp(now),
        }
    c.execute(runs.update().where(runs.c.id == run_id).values(values))
    if "outcome" in values:
        ended = run_of(row)  # nobody executes it, so nobody else is there to say it
        if ended.request.ticket:
            outbox.post(c, now, words.last_letter(ended, words.cancelled(by)))
    return True


def next_runs(c: sa.Connection, now: float, per_repository: int, total: int) -> Sequence[Run]:
    """`Store.next_runs`: count and claim under one lock, so two dispatchers never both count."""
    dialect.hold(c)
    busy = Counter(c.execute(sa.select(runs.c.repository_id).where(_OCCUPIED)).scalars())
    free = total - busy.total()
    waiting = sa.select(runs.c.id, runs.c.repository_id).where(
        _UNCLAIMED, runs.c.not_before <= stamp(now)
    )
    chosen: list[str] = []
    for row in c.execute(waiting.order_by(runs.c.priority, runs.c.id)) if free > 0 else ():
        if len(chosen) == free:
            break
        if busy[row.repository_id] < per_repository:
            busy[row.repository_id] += 1
            chosen.append(row.id)
    if chosen:
        c.execute(runs.update().where(runs.c.id.in_(chosen)).values(claimed=True))
    claimed = (runs.c.status == RunStatus.QUEUED) & runs.c.claimed
    rows = c.execute(sa.select(*RUN).where(claimed).order_by(runs.c.priority, runs.c.id))
    return [run_of(row) for row in rows]


def counts(c: sa.Connection, request: RunRequest, since: str) -> Counts:
    """`Store.counts`."""
    repository = runs.c.repository_id == request.repository.id
    recent = (runs.c.created_at >= normal(since)) & ~_TURNED_AWAY

    def number(*where: sa.ColumnElement[bool]) -> int:
        return c.execute(sa.select(sa.func.count()).select_from(runs).where(*where)).scalar_one()

    return Counts(
        issue=number(repository, runs.c.issue == request.issue, recent),
        repository=number(repository, recent),
        installation=number(runs.c.installation_id == request.repository.installation_id, recent),
        active_repository=number(repository, runs.c.status != RunStatus.FINISHED),
    )
