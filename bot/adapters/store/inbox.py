"""Taking deliveries in: each once, by its GUID and by what it means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from bot.adapters.store import mailbox, outbox, queue
from bot.adapters.store.rows import RUN, asked_of, columns_of, plain_say, run_of
from bot.adapters.store.stamps import new_id, normal, stamp
from bot.adapters.store.tables import commands, deliveries, heard, letters, runs
from bot.domain.messages import ticket as words
from bot.domain.runs import RunRequest, RunStatus
from bot.domain.store import (
    Asked,
    Delivery,
    Hear,
    Nothing,
    Order,
    Receipt,
    Say,
    Settle,
    Start,
    Touch,
    Withdraw,
    asked_again,
    label_again,
)

_NOTHING = Receipt("ignored")
# Built once: most deliveries ask for nothing, and building statements is most of their work.
_KNOWN = sa.select(deliveries.c.source, deliveries.c.id, deliveries.c.run_id).where(
    # Both columns of the key: with one of them alone every row would be looked at.
    deliveries.c.source.in_(sa.bindparam("sources", expanding=True)),
    deliveries.c.id.in_(sa.bindparam("ids", expanding=True)),
)
_NOTE = deliveries.insert()
# The condition of `uq_runs_one_active_of_an_issue`, word for word: a bound value hides it.
_INDEXED = (runs.c.status != sa.literal_column("'finished'"), runs.c.issue > sa.literal_column("0"))
_ASKED_AT = runs.c.request["at"].as_string().label("asked_at")


def receive(
    c: sa.Connection, now: float, batch: Sequence[tuple[Delivery, Order]]
) -> Sequence[Receipt]:
    """`Store.receive_all` within one transaction. Raises IntegrityError where a race was lost.

    One look and one note for all of them: they are most of the work.
    """
    named = {
        "sources": sorted({delivery.source for delivery, _ in batch}),
        "ids": [delivery.id for delivery, _ in batch],
    }
    rows = c.execute(_KNOWN, named)
    known = {(row.source, row.id): row.run_id for row in rows}
    receipts: list[Receipt] = []
    noted: list[dict[str, Any]] = []
    for delivery, order in batch:
        guid = (delivery.source, delivery.id)
        if guid in known:
            receipts.append(Receipt("duplicate", known[guid]))
            continue
        receipt = _follow(c, now, order)
        known[guid] = receipt.run_id
        noted.append(_row(delivery, order, receipt) | {"received_at": stamp(now)})
        receipts.append(receipt)
    if noted:
        c.execute(_NOTE, noted)
    return receipts


def _row(delivery: Delivery, order: Order, receipt: Receipt) -> dict[str, Any]:
    return {
        "source": delivery.source,
        "id": delivery.id,
        "event": delivery.event,
        "digest": delivery.digest,
        "outcome": receipt.outcome,
        "run_id": receipt.run_id,
        "reason": order.reason if isinstance(order, Nothing | Withdraw) else "",
    }


def _follow(c: sa.Connection, now: float, order: Order) -> Receipt:
    match order:
        case Start(request=request):
            return _start(c, now, request)
        case Touch():
            return _touch(c, now, order)
        case Withdraw():
            return _withdraw(c, now, order)
        case Say():
            return _ask(c, now, order)
        case Hear(trigger=trigger):
            mailbox.hear(c, now, trigger)
            return Receipt("applied")
        case Settle():
            return _settle(c, now, order)
        case Nothing():
            return _NOTHING


def _start(c: sa.Connection, now: float, request: RunRequest) -> Receipt:
    meant = sa.select(runs.c.id, runs.c.cancel_requested).where(runs.c.meaning == request.meaning)
    if (seen := c.execute(meant).first()) is not None:
        anew = label_again(request) if seen.cancel_requested else None
        return Receipt("duplicate", seen.id) if anew is None else _start(c, now, anew)
    if c.execute(sa.select(commands.c.id).where(commands.c.meaning == request.meaning)).first():
        return Receipt("duplicate")
    active = _active(c, request.repository.id, request.issue) if request.issue else None
    if active is not None:
        if request.origin == "comment" or (request.label and active.cancel_requested):
            _ask(c, now, asked_again(request))
        return Receipt("active", active.id)
    run_id = new_id(now)
    values = columns_of(request) | {
        "id": run_id,
        "status": RunStatus.QUEUED,
        "created_at": stamp(now),
    }
    c.execute(runs.insert().values(values))
    return Receipt("started", run_id)


def _touch(c: sa.Connection, now: float, order: Touch) -> Receipt:
    active = _active(c, order.repository_id, order.issue)
    if active is None:
        return _NOTHING
    if order.too_early(active.asked_at):
        return Receipt("ignored", active.id)
    if order.verb == "cancel":
        queue.request_cancel(c, now, active.id, order.by)
    elif active.status == RunStatus.HELD:
        released = {"status": RunStatus.QUEUED, "push_by": order.by, "claimed": False}
        c.execute(runs.update().where(runs.c.id == active.id).values(released))
    else:
        return Receipt("ignored", active.id)
    return Receipt("applied", active.id)


def _withdraw(c: sa.Connection, now: float, order: Withdraw) -> Receipt:
    gone = [runs.c.installation_id == order.installation_id, runs.c.status != RunStatus.FINISHED]
    if order.repository_ids is not None:
        gone.append(runs.c.repository_id.in_(order.repository_ids))
    found = c.execute(sa.select(runs.c.id).where(*gone)).scalars().all()
    for run_id in found:
        queue.request_cancel(c, now, run_id, order.reason)
    return Receipt("applied") if found else _NOTHING


def _settle(c: sa.Connection, now: float, order: Settle) -> Receipt:
    ours = sa.select(*RUN).where(
        runs.c.repository_id == order.repository_id, runs.c.pull_request == order.number
    )
    row = c.execute(ours.order_by(runs.c.id.desc()).limit(1)).first()
    if row is None or (run := run_of(row)).request.ticket is None:
        return _NOTHING
    outbox.post(c, now, words.settled(run, order))
    issue = run.request.issue
    _touch(c, now, Touch("cancel", order.repository_id, issue, order.by, order.at))
    return Receipt("applied", run.id)


def _ask(c: sa.Connection, now: float, say: Say) -> Receipt:
    meant = sa.select(commands.c.id).where(commands.c.meaning == say.meaning)
    if c.execute(meant).first() is not None:
        return Receipt("duplicate")
    row = {"id": new_id(now), "say": plain_say(say), "meaning": say.meaning}
    c.execute(commands.insert().values(row | {"asked_at": stamp(now), "due_at": stamp(now)}))
    return Receipt("applied")


def asked(c: sa.Connection, now: float, limit: int) -> Sequence[Asked]:
    """`Store.asked`."""
    due = (commands.c.answered_at == "") & (commands.c.due_at <= stamp(now))
    order = (commands.c.due_at, commands.c.id)
    rows = c.execute(sa.select(commands).where(due).order_by(*order).limit(limit))
    return [asked_of(row) for row in rows]


def answer_later(c: sa.Connection, due: float, asked_id: str) -> None:
    """`Store.answer_later`."""
    values = {"due_at": stamp(due), "tries": commands.c.tries + 1}
    c.execute(commands.update().where(commands.c.id == asked_id).values(values))


def answered(c: sa.Connection, now: float, asked_id: str) -> None:
    """`Store.answered`."""
    waiting = (commands.c.id == asked_id) & (commands.c.answered_at == "")
    c.execute(commands.update().where(waiting).values(answered_at=stamp(now)))


def prune(c: sa.Connection, before: str) -> int:
    """`Store.prune`."""
    until = normal(before)
    done = (
        deliveries.delete().where(deliveries.c.received_at < until),
        commands.delete().where(commands.c.answered_at != "", commands.c.answered_at < until),
        heard.delete().where(heard.c.done_at != "", heard.c.done_at < until),
        letters.delete().where(letters.c.done_at != "", letters.c.done_at < until),
    )
    return sum(c.execute(one).rowcount for one in done)


def _active(c: sa.Connection, repository_id: int, issue: int) -> sa.Row[Any, Any, Any] | None:
    return c.execute(
        sa.select(runs.c.id, runs.c.status, runs.c.cancel_requested, _ASKED_AT)
        .where(
            runs.c.repository_id == repository_id,
            runs.c.issue == issue,
            *_INDEXED,
        )
        .with_for_update()
    ).first()
