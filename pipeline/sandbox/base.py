"""The sandbox protocol: where code of strangers and models runs.

A session owns one directory tree. Commands run inside it and see it as their workspace; the host
reads and writes it only through `put`, `get`, `delete` and `entries`, which never follow a link.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

Reason = Literal["exit", "timeout", "output", "memory", "processes", "disk", "killed"]
Sink = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Caps:
    """What a backend was measured to do on this machine, not what it claims.

    `net` is "none" where nothing but the command's own loopback can be reached; `loopback` says
    whether it has one, so that tests can talk to servers that they start. `memory` says what holds
    the memory of all processes together: the kernel ("cgroup"), or we who look now and then and
    kill ("watchdog": an excess is detected, not prevented).
    """

    backend: str
    grade: Literal["strong", "degraded", "none"]
    net: Literal["none", "open"]
    filesystem: bool
    pid_namespace: bool
    own_uid: bool
    memory: Literal["cgroup", "watchdog", "none"]
    loopback: bool

    def describe(self) -> str:
        """One line for people, such as "bubblewrap (strong: no network, own uid)"."""
        if self.grade == "none":
            return f"{self.backend} (NO isolation)"
        facts = ["no network" if self.net == "none" else "open network"]
        facts += [] if self.loopback else ["no local servers"]
        facts += ["own uid"] if self.own_uid else []
        facts += [f"memory held by {self.memory}"]
        return f"{self.backend} ({self.grade}: {', '.join(facts)})"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one command: seconds, MiB, processes, KiB of output kept at each end.

    `memory_mb` holds for each process and for all together, `file_mb` for one file, `disk_mb` for
    the whole tree with what was in it before, `tmp_mb` for the temporary directory.
    """

    wall_s: float = 120.0
    cpu_s: int = 600
    memory_mb: int = 4096
    processes: int = 512
    file_mb: int = 256
    disk_mb: int = 4096
    tmp_mb: int = 1024
    keep_kb: int = 256
    output_mb: int = 64


@dataclass(frozen=True, slots=True)
class Mount:
    """A host path shown read-only inside, at `target` (default: the same path)."""

    source: Path
    target: str = ""


@dataclass(frozen=True, slots=True)
class Writable:
    """A host directory besides the tree that commands may write, at `target` (default: same path).

    As the tree, the session takes it over: as root it belongs to the session's own user id until
    `close`. A command that lets it grow past `most_mb` MiB ends with the reason "disk".
    """

    source: Path
    target: str = ""
    most_mb: int = 2048


@dataclass(frozen=True, slots=True)
class Spec:
    """What a session needs. `tree` is a host directory that the session takes over.

    `env` is the whole environment of commands besides what the backend sets (PATH, HOME, TMPDIR,
    LANG); the host's own environment never reaches a command. `exec(env=...)` adds to it.

    `proxy_socket` tells the two phases apart. None is RUN: no network but the commands' own
    loopback. Else it is SETUP: every command reaches the HTTP proxy that listens on that unix
    socket of the host, through HTTP_PROXY, HTTPS_PROXY and ALL_PROXY (both spellings), which the
    backend sets to an address on the loopback, and nothing else. The socket must be open to every
    user id (mode 0666, in a directory that only you can enter) and listen before `open`.
    """

    tree: Path
    read_only: tuple[Mount, ...] = ()
    path: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    writable: tuple[Writable, ...] = ()
    proxy_socket: Path | None = None


# What ended a command that did not end by itself, in words for people.
STOPPED: Mapping[Reason, str] = {
    "timeout": "it took longer than is allowed",
    "output": "it wrote more output than is allowed",
    "memory": "it took more memory than is allowed",
    "processes": "it started more processes than are allowed",
    "disk": "it wrote more to the disk than is allowed",
    "killed": "it was killed",
}


@dataclass(frozen=True, slots=True)
class ExecResult:
    """How a command ended. A failing command is a result, never an exception.

    `code` is None unless it exited by itself; `output` is stdout and stderr together: the first and
    the last `Limits.keep_kb`, with a line between that counts what is left out.
    """

    code: int | None
    signal: int | None
    reason: Reason
    output: bytes
    output_bytes: int
    wall_s: float

    @property
    def ok(self) -> bool:
        """Exited with 0."""
        return self.reason == "exit" and self.code == 0

    @property
    def text(self) -> str:
        """The output as text, with undecodable bytes replaced."""
        return self.output.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Entry:
    """One file or link of the tree. `stamp` changes whenever the content may have changed.

    `path` is relative, with "/" between parts, raw bytes decoded by surrogateescape.
    `mode` is git's: 0o100644, 0o100755 or 0o120000.
    """

    path: str
    mode: int
    size: int
    stamp: tuple[int, ...]


class Session(Protocol):
    """One open sandbox over one tree."""

    @property
    def workdir(self) -> str:
        """Where commands see the tree (an absolute path inside)."""

    async def exec(
        self,
        argv: Sequence[str],
        *,
        cwd: str = ".",
        limits: Limits | None = None,
        env: Mapping[str, str] | None = None,
        on_output: Sink | None = None,
    ) -> ExecResult:
        """Run `argv` in `cwd` (relative to the tree). Raises SandboxError if nothing could start.

        As in a shell, code 127 says that there is no such program, and 126 that it cannot be run.
        """

    async def get(self, path: str, max_bytes: int) -> bytes:
        """A file's bytes, or a link's target.

        Raises UnsafePath, FileNotFoundError, or WorkspaceError if larger or not a file.
        """

    async def put(self, path: str, data: bytes, mode: int = 0o100644) -> None:
        """Write a file (or, with mode 0o120000, a link) in one step, making directories.

        Raises UnsafePath, or WorkspaceError where a directory or a file is in the way.
        """

    async def delete(self, path: str) -> None:
        """Remove a file or link and the directories left empty.

        Raises UnsafePath, FileNotFoundError, or WorkspaceError for a directory.
        """

    async def entries(self) -> Sequence[Entry]:
        """Every file and link, sorted by path, without special files and the top's `.git`.

        What was written beside `put` belongs to the session's commands from then on.
        """

    async def close(self) -> None:
        """Kill everything that the session started. Idempotent; the tree stays."""


class Sandbox(Protocol):
    """A backend."""

    async def probe(self) -> Caps:
        """Measure what works here. Raises SandboxUnavailable where the backend does not work."""

    async def open(self, spec: Spec) -> Session:
        """Open a session over `spec.tree`."""
