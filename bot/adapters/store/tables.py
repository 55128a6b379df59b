"""The tables, as the newest migration leaves them.

Times are text (ISO 8601 in UTC), so they read and compare alike on every database.
"""

from __future__ import annotations

import sqlalchemy as sa

CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = sa.MetaData(naming_convention=CONVENTION)

Json = sa.JSON(none_as_null=True)
_TEXT = sa.text("''")
_ZERO = sa.text("0")


def _run_id() -> sa.Column[str]:
    return sa.Column("run_id", sa.ForeignKey("runs.id"), primary_key=True)


deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("run_id", sa.Text, nullable=False, server_default=_TEXT),
    sa.Column("reason", sa.Text, nullable=False, server_default=_TEXT),
    sa.Column("received_at", sa.Text, nullable=False),
)

commands = sa.Table(
    "commands",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("say", Json, nullable=False),
    sa.Column("meaning", sa.Text, nullable=False, unique=True),
    sa.Column("asked_at", sa.Text, nullable=False),
    sa.Column("answered_at", sa.Text, nullable=False, server_default=_TEXT),
    sa.Column("due_at", sa.Text, nullable=False, server_default=_TEXT),
    sa.Column("tries", sa.Integer, nullable=False, server_default=_ZERO),
    sa.Index(None, "answered_at", "due_at", "id"),
)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("request", Json, nullable=False),
    sa.Column("meaning", sa.Text, nullable=False, unique=True),
    sa.Column("installation_id", sa.BigInteger, nullable=False),
    sa.Column("repository_id", sa.BigInteger, nullable=False),
    sa.Column("issue", sa.BigInteger, nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("claimed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("epoch", sa.Integer, nullable=False, server_default=_ZERO),
    sa.Column("events", sa.Integer, nullable=False, server_default=_ZERO),
    sa.Column("worker", sa.Text, nullable=False, server_default=_TEXT),
    sa.Column("outcome", sa.Text, nullable=False, server_default=_TEXT),
    sa.Column("reason", sa.Text, nullable=False, server_default=_TEXT),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("started_at", sa.Text, nullable=False, server_default=_TEXT),
    sa.Column("finished_at", sa.Text, nullable=False, server_default=_TEXT),
    sa.Column("cancel_requested", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("cancel_by", sa.Text, nullable=False, server_default=_TEXT),
    sa.Column("push_by", sa.Text, nullable=False, server_default=_TEXT),
    sa.Column("cost_usd", sa.Double),
    sa.Column("pull_request", sa.BigInteger, nullable=False, server_default=_ZERO),
    sa.Column("not_before", sa.Text, nullable=False, server_default=_TEXT),
    sa.Column("parked", sa.Integer, nullable=False, server_default=_ZERO),
    sa.Column("reserved_usd", sa.Double),
    sa.Column("lost_usd", sa.Double, nullable=False, server_default=_ZERO),
    sa.Index(None, "status", "priority", "id"),
    sa.Index(None, "repository_id", "created_at"),
    sa.Index(None, "installation_id", "created_at"),
)

_active = sa.and_(runs.c.status != "finished", runs.c.issue > 0)
sa.Index(
    "uq_runs_one_active_of_an_issue",
    runs.c.repository_id,
    runs.c.issue,
    unique=True,
    sqlite_where=_active,
    postgresql_where=_active,
)

events = sa.Table(
    "events",
    metadata,
    _run_id(),
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("data", Json, nullable=False),
    sa.Column("key", sa.Text),
    sa.Column("at", sa.Text, nullable=False),
    sa.UniqueConstraint("run_id", "key"),
)

journal = sa.Table(
    "journal",
    metadata,
    _run_id(),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("reply", Json),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),
)

effects = sa.Table(
    "effects",
    metadata,
    _run_id(),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("result", Json),
    sa.Column("epoch", sa.Integer, nullable=False),
)

workers = sa.Table(
    "workers",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("started_at", sa.Text, nullable=False),
    sa.Column("beat_at", sa.Text, nullable=False),
)

heard = sa.Table(
    "heard",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("trigger", Json, nullable=False),
    sa.Column("heard_at", sa.Text, nullable=False),
    sa.Column("done_at", sa.Text, nullable=False, server_default=_TEXT),
    sa.Column("due_at", sa.Text, nullable=False, server_default=_TEXT),
    sa.Column("tries", sa.Integer, nullable=False, server_default=_ZERO),
    sa.Index(None, "done_at", "due_at", "id"),
)

letters = sa.Table(
    "letters",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("ticket", sa.Text, nullable=False),
    sa.Column("letter", Json, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False, server_default=_ZERO),
    sa.Column("due_at", sa.Text, nullable=False),
    sa.Column("done_at", sa.Text, nullable=False, server_default=_TEXT),
    sa.Index(None, "done_at", "id"),
)
