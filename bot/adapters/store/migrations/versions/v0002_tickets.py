"""Tickets: triggers that were heard, letters that are to be told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_TEXT = sa.text("''")


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "heard",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("trigger", sa.JSON, nullable=False),
        sa.Column("heard_at", sa.Text, nullable=False),
        sa.Column("done_at", sa.Text, nullable=False, server_default=_TEXT),
        sa.PrimaryKeyConstraint("id", name="pk_heard"),
    )
    op.create_index("ix_heard_done_at_id", "heard", ["done_at", "id"])
    op.create_table(
        "letters",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("ticket", sa.Text, nullable=False),
        sa.Column("letter", sa.JSON, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("due_at", sa.Text, nullable=False),
        sa.Column("done_at", sa.Text, nullable=False, server_default=_TEXT),
        sa.PrimaryKeyConstraint("id", name="pk_letters"),
        sa.UniqueConstraint("name", name="uq_letters_name"),
    )
    op.create_index("ix_letters_done_at_id", "letters", ["done_at", "id"])
