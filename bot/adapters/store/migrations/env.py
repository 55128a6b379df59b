"""Alembic's entrance: runs the migrations on the connection that `upgrade` holds."""

from __future__ import annotations

from alembic import context

from bot.adapters.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
