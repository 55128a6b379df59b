"""Real git repositories, and real sessions without isolation over real directories."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from pipeline.sandbox.base import Session, Spec
from pipeline.sandbox.none import NoSandbox
from pipeline.workspace.repository import Repository
from pipeline.workspace.workspace import Workspace

GitRun = Callable[..., bytes]
OpenSession = Callable[[Path], Awaitable[Session]]
_ENV = {
    "PATH": os.defpath,
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "Ann",
    "GIT_AUTHOR_EMAIL": "ann@example.org",
    "GIT_COMMITTER_NAME": "Ann",
    "GIT_COMMITTER_EMAIL": "ann@example.org",
    "GIT_ALLOW_PROTOCOL": "file",
}


def run_git(directory: Path, *args: str | bytes, stdin: bytes = b"") -> bytes:
    done = subprocess.run(
        ["git", *args], cwd=directory, input=stdin, env=_ENV, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")
    return done.stdout


async def open_plain(root: Path) -> Session:
    return await NoSandbox().open(Spec(tree=root))


@pytest.fixture
def git() -> GitRun:
    return run_git


@pytest.fixture(scope="session")
def open_session() -> OpenSession:
    return open_plain


@pytest.fixture
def user(tmp_path: Path) -> Path:
    """The user's own repository: two commits on main, a branch `side`, a tag `v1`."""
    directory = tmp_path / "user"
    directory.mkdir()
    run_git(directory, "init", "-q", "-b", "main")
    (directory / "app.py").write_text("print('hello')\n")
    run_git(directory, "add", "-A")
    run_git(directory, "commit", "-q", "-m", "first")
    run_git(directory, "tag", "-a", "v1", "-m", "one")
    run_git(directory, "branch", "side")
    (directory / "pkg").mkdir()
    (directory / "pkg" / "mod.py").write_text("X = 1\n")
    run_git(directory, "add", "-A")
    run_git(directory, "commit", "-q", "-m", "second")
    return directory


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    directory = tmp_path / "scratch"
    directory.mkdir()
    return directory


@pytest.fixture
async def repository(user: Path, scratch: Path) -> AsyncIterator[Repository]:
    async with await Repository.open(str(user), scratch=scratch) as opened:
        yield opened


@pytest.fixture
async def workspace(repository: Repository, scratch: Path) -> AsyncIterator[Workspace]:
    opened = await Workspace.open(repository, repository.base_tree, open_plain, scratch=scratch)
    async with opened:
        yield opened


@pytest.fixture
async def empty(scratch: Path) -> AsyncIterator[Repository]:
    async with await Repository.open(None, scratch=scratch) as opened:
        yield opened


def _fingerprint(directory: Path) -> dict[str, tuple[object, ...]]:
    """Every name below a directory with its kind, mode, times and content."""
    found: dict[str, tuple[object, ...]] = {}
    for path in sorted(directory.rglob("*")):
        info = path.lstat()
        content: object = b""
        if path.is_symlink():
            content = path.readlink()
        elif path.is_file():
            content = path.read_bytes()
        found[str(path.relative_to(directory))] = (info.st_mode, info.st_mtime_ns, content)
    return found


@pytest.fixture
def fingerprint() -> Callable[[Path], dict[str, tuple[object, ...]]]:
    return _fingerprint
