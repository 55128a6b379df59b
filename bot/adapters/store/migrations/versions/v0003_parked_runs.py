"""Runs that wait for the forge: until when, and how often they did."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns; the runs of before wait for nothing."""
    op.add_column(
        "runs", sa.Column("not_before", sa.Text, nullable=False, server_default=sa.text("''"))
    )
    op.add_column(
        "runs", sa.Column("parked", sa.Integer, nullable=False, server_default=sa.text("0"))
    )
