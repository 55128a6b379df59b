"""A cell: one session of the real bubblewrap, in which Python programs try to get out."""

from __future__ import annotations

import asyncio
import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import SandboxUnavailable
from pipeline.sandbox.base import ExecResult, Limits, Mount, Session, Spec
from pipeline.sandbox.bubblewrap import Bubblewrap

PYTHON = os.path.realpath(sys.executable)
BASE = Path(sys.base_prefix).resolve()
SECRET = "canary-3f1c9a"


@pytest.fixture(scope="session")
def sandbox() -> Bubblewrap:
    found = Bubblewrap()
    with ThreadPoolExecutor(1) as pool:
        try:
            pool.submit(asyncio.run, found.probe()).result()
        except SandboxUnavailable as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"bubblewrap does not work here: {error}")
    return found


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("needs_bubblewrap")


@dataclass(frozen=True)
class Cell:
    """A session in which Python programs run; they answer with `print(json.dumps(...))`."""

    session: Session
    tree: Path

    async def sh(self, script: str) -> ExecResult:
        return await self.session.exec(["/bin/sh", "-c", script])

    async def python(self, program: str, *args: object, **limits: Any) -> ExecResult:
        bounds = replace(Limits(wall_s=60), **limits)
        lines = "import ctypes, errno, json, os, socket, sys, time\n" + program
        argv = [PYTHON, "-I", "-S", "-c", lines, *map(str, args)]
        return await self.session.exec(argv, limits=bounds)

    def free(self) -> bool:
        """Whether nobody holds the lock in the tree: every process that did is dead."""
        with (self.tree / "lock").open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True

    async def refused(self, program: str, *args: object) -> str:
        """The error that stopped the program; fails the test if nothing did."""
        attempt = "\n".join(f"    {line}" for line in program.splitlines())
        result = await self.python(
            f"try:\n{attempt}\nexcept OSError as error:\n    print(errno.errorcode[error.errno])\n"
            "else:\n    print('SUCCEEDED')",
            *args,
        )
        assert result.ok, result.text
        assert "SUCCEEDED" not in result.text
        return result.text.strip()


Opener = Callable[..., Awaitable[Cell]]


@pytest.fixture
async def opened(sandbox: Bubblewrap, tmp_path: Path) -> AsyncIterator[Opener]:
    sessions: list[Session] = []
    mounts = () if Path("/usr") in (BASE, *BASE.parents) else (Mount(BASE),)

    async def open_cell(name: str = "tree", **changes: Any) -> Cell:
        tree = tmp_path / name
        tree.mkdir()
        spec = replace(Spec(tree, read_only=mounts, limits=Limits(wall_s=60)), **changes)
        if "read_only" in changes:
            spec = replace(spec, read_only=(*mounts, *changes["read_only"]))
        sessions.append(await sandbox.open(spec))
        return Cell(sessions[-1], tree)

    yield open_cell
    for session in sessions:
        await session.close()


@pytest.fixture
async def cell(opened: Opener) -> Cell:
    return await opened()


@pytest.fixture
def outside() -> Iterator[Path]:
    """A secret that every user of the host may read, in a directory that everybody may enter."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        key = Path(place, "key")
        key.write_text(SECRET)
        key.chmod(0o666)
        yield key
        assert key.read_text() == SECRET


@pytest.fixture
def secret() -> str:
    return SECRET


@pytest.fixture
def neighbour() -> Iterator[subprocess.Popen[bytes]]:
    """A process of the host with the secret in its environment; it must live to the end."""
    with subprocess.Popen(["/bin/sleep", "60"], env={"SECRET": SECRET}) as process:
        yield process
        assert process.poll() is None
        process.kill()
