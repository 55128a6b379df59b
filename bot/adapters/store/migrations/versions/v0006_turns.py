"""When commands and triggers are looked at next: what waits for long lets others go first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_QUEUES = {"commands": "answered_at", "heard": "done_at"}


def upgrade() -> None:
    """Add the columns; what waited before is due at once."""
    for table, ended in _QUEUES.items():
        due = sa.Column("due_at", sa.Text, nullable=False, server_default=sa.text("''"))
        op.add_column(table, due)
        tries = sa.Column("tries", sa.Integer, nullable=False, server_default=sa.text("0"))
        op.add_column(table, tries)
        op.drop_index(f"ix_{table}_{ended}_id", table)
        op.create_index(f"ix_{table}_{ended}_due_at_id", table, [ended, "due_at", "id"])
