"""A PostgreSQL server for the tests: the one that is named, or one of our own for a session."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.adapters.store.tables import metadata

NAMED = os.environ.get("ACP_TEST_POSTGRES_URL", "")
NOBODY = 65534
MISSING = (
    "the store is NOT tested on PostgreSQL: install it (Debian: postgresql), or name a server in "
    "ACP_TEST_POSTGRES_URL, as in postgresql+psycopg://user@host/postgres"
)


@contextmanager
def serving() -> Iterator[str]:
    """The URL of a server; ours listens on a socket in its own folder alone, and dies with us."""
    if NAMED:
        yield NAMED
        return
    programs = _programs()
    if programs is None:
        pytest.skip(MISSING)
    # Not below tmp_path: that is closed to whom it runs as, and too long for a socket's name.
    with tempfile.TemporaryDirectory(prefix="acp-pg-") as name:
        folder, data = Path(name), Path(name, "data")
        if os.getuid() == 0:  # as root it refuses to run
            os.chown(folder, NOBODY, NOBODY)
        _run(
            folder, programs / "initdb", "-D", data, "-A", "trust", "-U", "acp", "-E", "UTF8", "-N"
        )
        control = (programs / "pg_ctl", "-D", data)
        quick = f"-c fsync=off -c listen_addresses= -k {folder}"
        _run(folder, *control, "start", "-w", "-o", quick, "-l", folder / "log")
        try:
            yield f"postgresql+psycopg://acp@/postgres?host={folder}"
        finally:
            _run(folder, *control, "stop", "-m", "immediate")


@contextmanager
def new_database(server: str) -> Iterator[str]:
    """The URL of an empty database on the server, for this session alone."""
    name = f"acp_test_{secrets.token_hex(6)}"
    url = sa.make_url(server)
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        engine.dispose()


def emptied(url: str) -> None:
    """Every table empty; to make them again would take much longer."""
    engine = sa.create_engine(url)
    tables = ", ".join(table.name for table in metadata.sorted_tables)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"TRUNCATE {tables} RESTART IDENTITY")
    engine.dispose()


def _programs() -> Path | None:
    """Where initdb and pg_ctl are: on the path, or where Debian keeps them, newest first."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return debian[-1].parent if debian else None


def _run(folder: Path, *command: str | Path) -> None:
    """Run one of PostgreSQL's programs, as nobody if we are root."""
    root = os.getuid() == 0
    who = NOBODY if root else None
    with tempfile.TemporaryFile() as said:  # a pipe would stay open in the server
        done = subprocess.run(
            command,
            check=False,
            cwd=folder,
            stdout=said,
            stderr=said,
            user=who,
            group=who,
            extra_groups=[] if root else None,
        )
        said.seek(0)
        assert done.returncode == 0, said.read().decode(errors="replace")
