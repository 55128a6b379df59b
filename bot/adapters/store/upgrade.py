"""Brings the tables up to date at the start of a process; one process at a time does the work."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from bot.adapters.store import dialect
from bot.adapters.store.database import Database
from bot.errors import Misconfigured

MIGRATIONS = Path(__file__).parent / "migrations"
NEWEST = "0006"
"""The newest migration; known without Alembic, whose import would double the time of a start."""


def upgrade(database: Database) -> None:
    """Run the migrations that are missing. Raises StoreUnavailable, Misconfigured."""
    with database.writing() as connection:
        dialect.hold(connection)
        if _revision(connection) != NEWEST:
            _migrate(connection)


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(
        sa.text("SELECT version_num FROM alembic_version")
    ).scalar()
    return found


def _migrate(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise Misconfigured(
            "the database was written by a newer version; install that version or newer, "
            f"or name another database ({error})"
        ) from error
