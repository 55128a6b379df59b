"""What the sessions on this machine share: path-safe files, and commands that end with close()."""

from __future__ import annotations

import asyncio
import os
import signal as signals
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ParamSpec, Protocol, TypeVar

from pipeline.errors import SandboxError
from pipeline.sandbox.base import Entry, ExecResult, Limits, Mount, Sink, Spec, Writable
from pipeline.sandbox.process import Ended

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.sandbox.files import Tree

_P = ParamSpec("_P")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Job:
    """One command: `cwd` is a directory of the tree, `env` what it gets besides the basics."""

    argv: tuple[str, ...]
    cwd: str
    env: Mapping[str, str]
    limits: Limits
    sink: Sink | None


class Runner(Protocol):
    """Where the backends differ: how a command runs, and what an open session holds."""

    @property
    def workdir(self) -> str:
        """Where commands see the tree."""

    async def run(self, job: Job, stop: asyncio.Event) -> ExecResult:
        """Run to the end or until `stop`. Raises SandboxError if nothing could start."""

    async def close(self) -> None:
        """Give back what the session held. Called once, when no command runs."""


class LocalSession:
    """A session over a directory of this machine."""

    def __init__(self, spec: Spec, tree: Tree, runner: Runner) -> None:
        self._spec = spec
        self._tree = tree
        self._runner = runner
        self._stop = asyncio.Event()
        self._idle = asyncio.Condition()
        self._running = 0
        self._closed = False

    @property
    def workdir(self) -> str:
        """Where commands see the tree (an absolute path inside)."""
        return self._runner.workdir

    async def exec(
        self,
        argv: Sequence[str],
        *,
        cwd: str = ".",
        limits: Limits | None = None,
        env: Mapping[str, str] | None = None,
        on_output: Sink | None = None,
    ) -> ExecResult:
        """Run `argv` in `cwd`, a directory of the tree. Raises SandboxError, UnsafePath."""
        settings = {**self._spec.env, **(env or {})}
        _check(argv, settings)
        if not await self._on_disk(self._tree.holds_directory, cwd):
            raise SandboxError(f"{cwd} is not a directory of the workspace")
        job = Job(tuple(argv), cwd, settings, limits or self._spec.limits, on_output)
        self._running += 1
        try:
            return await self._runner.run(job, self._stop)
        finally:
            self._running -= 1
            async with self._idle:
                self._idle.notify_all()

    async def get(self, path: str, max_bytes: int) -> bytes:
        """A file's bytes, or a link's target. Raises UnsafePath, FileNotFoundError."""
        return await self._on_disk(self._tree.get, path, max_bytes)

    async def put(self, path: str, data: bytes, mode: int = 0o100644) -> None:
        """Write a file or link (0o120000) in one step, making directories. Raises UnsafePath."""
        await self._on_disk(self._tree.put, path, data, mode)

    async def delete(self, path: str) -> None:
        """Remove a file or link and directories left empty. Raises FileNotFoundError."""
        await self._on_disk(self._tree.delete, path)

    async def entries(self) -> Sequence[Entry]:
        """Every file and link, sorted by path, without special files and the top's `.git`."""
        return await self._on_disk(self._tree.entries)

    async def close(self) -> None:
        """Kill everything that the session started. Idempotent; the tree stays."""
        self._stop.set()
        async with self._idle:
            await self._idle.wait_for(lambda: self._running == 0)
            if not self._closed:
                self._closed = True
                await self._runner.close()

    async def _on_disk(self, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        if self._stop.is_set():
            raise SandboxError("the session is closed")
        return await asyncio.to_thread(call, *args, **kwargs)


def through_relay(argv: Sequence[str], proxy_socket: Path, relay: Path) -> tuple[str, ...]:
    """`argv` behind the program `relay`, which leads to the proxy."""
    python = os.path.realpath(sys.executable)
    return (python, "-I", "-S", "-B", str(relay), str(proxy_socket), *argv)


def as_result(ended: Ended, code: int) -> ExecResult:
    """The result of a command; `code` is its exit status, negative for the signal that ended it."""
    signal = -code if code < 0 else None
    by_itself = ended.reason == "exit" and signal is None
    if ended.reason != "exit":
        signal = signals.SIGKILL.value
    return ExecResult(
        code=code if by_itself else None,
        signal=signal,
        reason="killed" if ended.reason == "exit" and signal is not None else ended.reason,
        output=ended.output,
        output_bytes=ended.output_bytes,
        wall_s=ended.wall_s,
    )


def _check(argv: Sequence[str], env: Mapping[str, str]) -> None:
    if not argv or not argv[0]:
        raise SandboxError("no command was given")
    if any("\0" in word for word in (*argv, *env, *env.values())):
        raise SandboxError("a command and its variables cannot hold a NUL character")
    if any(not name or "=" in name for name in env):
        raise SandboxError("a variable needs a name without '='")


def check_spec(spec: Spec) -> None:
    """Refuse what no backend can show. Raises SandboxError."""
    if not spec.tree.is_dir():
        raise SandboxError(f"{spec.tree} is not a directory")
    shown: tuple[Mount | Writable, ...] = (*spec.read_only, *spec.writable)
    for mount in shown:
        if not mount.source.exists():
            raise SandboxError(f"{mount.source} does not exist, so it cannot be shown inside")
        if mount.source.resolve() == mount.source.resolve().parent:
            raise SandboxError("the whole file system of the host is never shown inside")
    for place in spec.writable:
        if not place.source.is_dir():
            raise SandboxError(f"{place.source} is not a directory, so it cannot be written inside")
    if spec.proxy_socket and not spec.proxy_socket.is_socket():
        raise SandboxError(f"{spec.proxy_socket} is not a socket: start the proxy first")


def check_in_place(spec: Spec, backend: str) -> None:
    """Refuse mounts that should be seen elsewhere: this backend moves nothing."""
    shown: tuple[Mount | Writable, ...] = (*spec.read_only, *spec.writable)
    for mount in shown:
        if mount.target and mount.target != str(mount.source):
            raise SandboxError(f"{backend}: {mount.source} cannot be shown at {mount.target}")
