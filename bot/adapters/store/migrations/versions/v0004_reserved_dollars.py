"""Dollars that are set aside for a run while it is at work."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column; the runs of before have nothing set aside."""
    op.add_column("runs", sa.Column("reserved_usd", sa.Double))
