"""The first tables: deliveries, commands, runs, events, journal, effects, workers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_TEXT = sa.text("''")
_ZERO = sa.text("0")


def upgrade() -> None:
    """Create every table."""
    _inbox()
    _runs()
    _what_runs_leave()
    op.create_table(
        "workers",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("started_at", sa.Text, nullable=False),
        sa.Column("beat_at", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workers"),
    )


def _inbox() -> None:
    op.create_table(
        "deliveries",
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False, server_default=_TEXT),
        sa.Column("reason", sa.Text, nullable=False, server_default=_TEXT),
        sa.Column("received_at", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("source", "id", name="pk_deliveries"),
    )
    op.create_table(
        "commands",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("say", sa.JSON, nullable=False),
        sa.Column("meaning", sa.Text, nullable=False),
        sa.Column("asked_at", sa.Text, nullable=False),
        sa.Column("answered_at", sa.Text, nullable=False, server_default=_TEXT),
        sa.PrimaryKeyConstraint("id", name="pk_commands"),
        sa.UniqueConstraint("meaning", name="uq_commands_meaning"),
    )
    op.create_index("ix_commands_answered_at_id", "commands", ["answered_at", "id"])


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("meaning", sa.Text, nullable=False),
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
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sa.UniqueConstraint("meaning", name="uq_runs_meaning"),
    )
    op.create_index("ix_runs_status_priority_id", "runs", ["status", "priority", "id"])
    for scope in ("repository_id", "installation_id"):
        op.create_index(f"ix_runs_{scope}_created_at", "runs", [scope, "created_at"])
    active = sa.text("status != 'finished' AND issue > 0")
    op.create_index(
        "uq_runs_one_active_of_an_issue",
        "runs",
        ["repository_id", "issue"],
        unique=True,
        sqlite_where=active,
        postgresql_where=active,
    )


def _what_runs_leave() -> None:
    op.create_table(
        "events",
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
        sa.Column("key", sa.Text),
        sa.Column("at", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "seq", name="pk_events"),
        sa.UniqueConstraint("run_id", "key", name="uq_events_run_id_key"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_events_run_id_runs"),
    )
    op.create_table(
        "journal",
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("reply", sa.JSON),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "key", name="pk_journal"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_journal_run_id_runs"),
    )
    op.create_table(
        "effects",
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("result", sa.JSON),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "name", name="pk_effects"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_effects_run_id_runs"),
    )
