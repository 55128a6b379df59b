"""How much of a run's cost was only perhaps paid."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column; of the runs of before nothing is known to be uncertain."""
    column = sa.Column("lost_usd", sa.Double, nullable=False, server_default=sa.text("0"))
    op.add_column("runs", column)
