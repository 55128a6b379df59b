"""A real repository with a bug, and agents that speak from a script."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

PATIENT = Path(__file__).parents[2] / "bot/demo/project"
IDENTITY = ("-c", "user.name=T", "-c", "user.email=t@example.invalid")


def git(where: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", *IDENTITY, *words], cwd=where, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def make_repository(tmp_path: Path) -> Callable[..., Path]:
    def make(**files: str) -> Path:
        where = tmp_path / "repository"
        where.mkdir()
        for name, text in files.items():
            path = where / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        git(where, "init", "-q", "-b", "main")
        git(where, "add", "-A")
        git(where, "commit", "-q", "--allow-empty", "-m", "base")
        return where

    return make


@pytest.fixture
def patient(tmp_path: Path) -> Path:
    """The demo's project as a repository: one commit, one bug."""
    where = tmp_path / "timespan"
    shutil.copytree(PATIENT, where, ignore=shutil.ignore_patterns("__pycache__", ".*cache"))
    git(where, "init", "-q", "-b", "main")
    git(where, "add", "-A")
    git(where, "commit", "-q", "-m", "timespan 0.3.0")
    return where
