"""Real git repositories, and a session without isolation over a real directory."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path

import pytest

from pipeline.errors import UnsafePath, WorkspaceError
from pipeline.sandbox.base import Entry, ExecResult, Limits, Session, Sink
from pipeline.workspace.repository import Repository

GitRun = Callable[..., bytes]
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


class DirectorySession:
    """A session over a directory of this machine: enough of the protocol for the workspace."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.gets = 0
        self.closed = False

    @property
    def workdir(self) -> str:
        return str(self.root)

    async def exec(
        self,
        argv: Sequence[str],
        *,
        cwd: str = ".",
        limits: Limits | None = None,
        env: Mapping[str, str] | None = None,
        on_output: Sink | None = None,
    ) -> ExecResult:
        process = await asyncio.create_subprocess_exec(
            *argv,
            cwd=self.root / cwd,
            env={"PATH": os.defpath, **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        return ExecResult(process.returncode, None, "exit", output, len(output), 0.0)

    def _path(self, path: str) -> Path:
        full = self.root / path
        for parent in full.relative_to(self.root).parents:
            if (self.root / parent).is_symlink():
                raise UnsafePath(f"{path!r} runs through a link")
        return full

    async def get(self, path: str, max_bytes: int) -> bytes:
        self.gets += 1
        full = self._path(path)
        if full.is_symlink():
            return os.readlink(os.fsencode(full))
        if full.lstat().st_size > max_bytes:
            raise WorkspaceError("too large")
        return full.read_bytes()

    async def put(self, path: str, data: bytes, mode: int = 0o100644) -> None:
        full = self._path(path)
        full.parent.mkdir(parents=True, exist_ok=True)
        full.unlink(missing_ok=True)
        if mode == 0o120000:
            os.symlink(data, os.fsencode(full))
        else:
            full.write_bytes(data)
            full.chmod(mode & 0o777)

    async def delete(self, path: str) -> None:
        full = self._path(path)
        full.unlink()
        for parent in full.relative_to(self.root).parents[:-1]:
            if any((self.root / parent).iterdir()):
                break
            (self.root / parent).rmdir()

    async def entries(self) -> Sequence[Entry]:
        found = []
        for directory, names, files in os.walk(self.root):
            if Path(directory) == self.root and ".git" in names:
                names.remove(".git")
            for name in [*names, *files]:
                full = Path(directory) / name
                info = full.lstat()
                if stat.S_ISLNK(info.st_mode):
                    mode = 0o120000
                elif stat.S_ISREG(info.st_mode):
                    mode = 0o100755 if info.st_mode & 0o100 else 0o100644
                else:
                    continue
                stamp = (info.st_mtime_ns, info.st_ctime_ns, info.st_size, info.st_ino, mode)
                path = str(full.relative_to(self.root))
                found.append(Entry(path, mode, info.st_size, stamp))
        return sorted(found, key=lambda entry: os.fsencode(entry.path))

    async def close(self) -> None:
        self.closed = True


async def open_directory(root: Path) -> Session:
    return DirectorySession(root)


@pytest.fixture
def git() -> GitRun:
    return run_git


@pytest.fixture
def user(tmp_path: Path) -> Path:
    """The user's own repository with one commit."""
    directory = tmp_path / "user"
    directory.mkdir()
    run_git(directory, "init", "-q", "-b", "main")
    (directory / "app.py").write_text("print('hello')\n")
    (directory / "pkg").mkdir()
    (directory / "pkg" / "mod.py").write_text("X = 1\n")
    run_git(directory, "add", "-A")
    run_git(directory, "commit", "-q", "-m", "first")
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
async def empty(scratch: Path) -> AsyncIterator[Repository]:
    async with await Repository.open(None, scratch=scratch) as opened:
        yield opened


@pytest.fixture
def open_session() -> Callable[[Path], object]:
    return open_directory
