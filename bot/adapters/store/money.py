"""The dollars that runs have been given and have spent."""

from __future__ import annotations

import sqlalchemy as sa

from bot.adapters.store import dialect
from bot.adapters.store.queue import fence
from bot.adapters.store.stamps import normal
from bot.adapters.store.tables import runs
from bot.domain.store import Share, Spending


def allot(c: sa.Connection, fenced: tuple[str, int], since: str, share: Share) -> float:
    """`Store.allot`: look and take under one lock, so two runs never both see the same money."""
    dialect.hold(c)
    fence(c, *fenced)
    run_id = fenced[0]
    mine = c.execute(
        sa.select(runs.c.repository_id, runs.c.reserved_usd).where(runs.c.id == run_id)
    ).one()
    if mine.reserved_usd is not None:
        return float(mine.reserved_usd)
    others = c.execute(
        sa.select(runs.c.created_at, runs.c.cost_usd, runs.c.reserved_usd).where(
            runs.c.repository_id == mine.repository_id,
            runs.c.created_at >= normal(since),
            runs.c.id != run_id,
        )
    )
    usd = share(
        [Spending(o.created_at, max(o.cost_usd or 0.0, o.reserved_usd or 0.0)) for o in others]
    )
    if usd > 0:
        c.execute(runs.update().where(runs.c.id == run_id).values(reserved_usd=usd))
    return usd


def spend(c: sa.Connection, fenced: tuple[str, int], usd: float, lost_usd: float) -> None:
    """`Store.spend`."""
    fence(c, *fenced)
    c.execute(runs.update().where(runs.c.id == fenced[0]).values(cost_usd=usd, lost_usd=lost_usd))
