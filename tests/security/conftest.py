"""A repository full of traps, and its marker."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.security.hostile import (
    MESSY,
    add_hooks,
    config,
    run,
)


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / "evil" / "RAN"


@pytest.fixture
def user(tmp_path: Path, marker: Path) -> Path:
    """A repository whose tree, configuration and hooks all want to run something."""
    add_hooks(marker.parent / "hooks", marker)
    (marker.parent / "more.config").write_text("[core]\n")
    directory = tmp_path / "user"
    directory.mkdir()
    run(directory, "init", "-q")
    for name, data in MESSY.items():
        (directory / name).write_bytes(data)
        oid = run(directory, "hash-object", "-w", "--stdin", stdin=data).decode().strip()
        run(directory, "update-index", "--add", "--cacheinfo", f"100644,{oid},{name}")
    run(directory, "commit", "-q", "-m", "messy")
    add_hooks(directory / ".git" / "hooks", marker)
    with (directory / ".git" / "config").open("a") as file:
        file.write(config(marker))
    return directory


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    directory = tmp_path / "scratch"
    directory.mkdir()
    return directory
