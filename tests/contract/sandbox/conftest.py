"""Each backend, open over a tree; one that cannot work is left out, bubblewrap never in CI.

The container backend has an engine of the tests' own.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from pipeline.errors import SandboxUnavailable
from pipeline.sandbox.base import ExecResult, Limits, Sandbox, Session, Spec
from pipeline.sandbox.none import NoSandbox
from pipeline.sandbox.select import installed
from pipeline.sandbox.selftest import leaked
from tests.engines import contained

HOLD = "exec 9>lock; flock 9; echo ready; sleep 300"


BACKENDS = {type(found).__name__.lower(): found for found in installed()}


@pytest.fixture(scope="session", params=["nosandbox", *BACKENDS, "container"])
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """Each backend that is installed here, and the one that is none."""
    found = BACKENDS.get(request.param, NoSandbox())
    if request.param == "container":
        found = contained(request.getfixturevalue("engine"))
    with ThreadPoolExecutor(1) as pool:
        try:
            pool.submit(asyncio.run, found.probe()).result()
        except SandboxUnavailable as error:
            # A machine may lack namespaces or Landlock; a backend that leaks fails everywhere.
            if leaked(str(error)) or (os.environ.get("CI") and request.param == "bubblewrap"):
                raise
            pytest.skip(f"{request.param} does not work here: {error}")
    return found


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "[bubblewrap" in item.name and Path(__file__).parent in item.path.parents:
            item.add_marker("needs_bubblewrap")


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """In a place that every user id may enter, as that of a run is."""
    with tempfile.TemporaryDirectory(prefix="acp-contract-") as place:
        Path(place).chmod(0o755)
        yield Path(place)


@dataclass(frozen=True)
class Box:
    """A session and, for looking from outside, the directory behind it."""

    session: Session
    tree: Path

    async def sh(self, script: str, limits: Limits | None = None) -> ExecResult:
        return await self.session.exec(["/bin/sh", "-c", script], limits=limits)

    async def holding(self) -> asyncio.Task[ExecResult]:
        """A command that runs for minutes and holds a lock; running when this returns."""
        ready = asyncio.Event()
        task = asyncio.create_task(
            self.session.exec(["/bin/sh", "-c", HOLD], on_output=lambda _: ready.set())
        )
        await asyncio.wait_for(ready.wait(), 30)
        assert not self.free()
        return task

    def processes(self) -> set[str]:
        """Command lines of the processes that stand in the tree or were told of it."""
        found = set()
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (process / "cmdline").read_text()
                if str(self.tree) in (*words.split("\0"), str((process / "cwd").readlink())):
                    found.add(words)
        return found

    def free(self) -> bool:
        """Whether nobody holds the lock any more: every process that had it is dead."""
        with (self.tree / "lock").open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True


Opener = Callable[[Spec], Awaitable[Box]]


@pytest.fixture
async def opened(sandbox: Sandbox, tmp_path: Path) -> AsyncIterator[Opener]:
    """Opens sessions and closes them at the end."""
    sessions: list[Session] = []

    async def open_box(spec: Spec) -> Box:
        spec.tree.mkdir(exist_ok=True)
        session = await sandbox.open(spec)
        sessions.append(session)
        return Box(session, spec.tree)

    yield open_box
    for session in sessions:
        await session.close()


@pytest.fixture
def spec(tmp_path: Path) -> Spec:
    return Spec(tmp_path / "tree", limits=Limits(wall_s=60))


@pytest.fixture
async def box(opened: Opener, spec: Spec) -> Box:
    return await opened(spec)


@pytest.fixture
def limited(spec: Spec) -> Callable[..., Limits]:
    return lambda **changes: replace(spec.limits, **changes)
