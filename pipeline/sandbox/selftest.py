"""Measures what a backend holds back: plants things outside and tries to reach them inside."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import secrets
import socket
import stat
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from pipeline.errors import SandboxError
from pipeline.sandbox.base import ExecResult, Limits, Mount, Session, Spec

Open = Callable[[Spec], Awaitable[Session]]

_SYSTEM = ("/usr/bin/python3", "/usr/local/bin/python3")
_LIMITS = Limits(wall_s=60.0)
_SWELL_MB = 64
_SWELL = f"""
import os
held = os.memfd_create("held")
for _ in range({_SWELL_MB}): os.write(held, bytes(1 << 20))
"""
_BASICS = {"HOME", "LANG", "PATH", "TMPDIR"}
# A backend that shows the host's paths keeps git from reading the host's settings.
_ALLOWED = {*_BASICS, "GIT_CONFIG_NOSYSTEM"}


@dataclass(frozen=True, slots=True)
class Measured:
    """What got through, in words by kind (empty is good), and who the command was."""

    leaks: Mapping[str, str]
    uid: int

    def besides(self, *kinds: str) -> tuple[str, ...]:
        """The leaks in words, without those kinds."""
        return tuple(words for kind, words in self.leaks.items() if kind not in kinds)


async def measure(open_session: Open) -> Measured:
    """Run every attempt in one command. Raises SandboxError where it could not even run."""
    with tempfile.TemporaryDirectory(prefix="acp-probe-") as place:
        secret, tree = secrets.token_hex(16), Path(place, "tree")
        canary = _lay_out(Path(place), tree, secret)
        session = await open_session(Spec(tree, read_only=_interpreter(), limits=_LIMITS))
        try:
            async with planted(secret, canary) as (facts, received):
                result = await _attempt(session, facts)
                report = _parsed(result) | {"sent_datagram": received()}
            report["daemon"] = not _free(tree / "lock")
        finally:
            await session.close()
        report["wrote_outside"] |= canary.read_text() != secret
    return Measured(dict(_leaks(report)), int(report["uid"]))


async def holds_memory(open_session: Open) -> bool:
    """Whether the kernel ends a command that takes too much where no limit of one process looks."""
    with tempfile.TemporaryDirectory(prefix="acp-probe-") as place:
        tree = Path(place, "tree")
        _lay_out(Path(place), tree, "")
        limits = replace(_LIMITS, memory_mb=_SWELL_MB // 2)
        session = await open_session(Spec(tree, read_only=_interpreter(), limits=limits))
        try:
            done = await session.exec([anybodys_python(), "-I", "-S", "-c", _SWELL])
        finally:
            await session.close()
    return done.reason == "memory"


async def _attempt(session: Session, facts: Mapping[str, object]) -> ExecResult:
    program = files("pipeline.sandbox").joinpath("attempts.py").read_bytes()
    await session.put("attempts.py", program)
    return await session.exec(
        [anybodys_python(), "-I", "-S", "-B", "attempts.py", json.dumps(facts)]
    )


def _parsed(result: ExecResult) -> dict[str, Any]:
    if not result.ok:
        raise SandboxError(f"the self-test did not run: {result.text.strip() or result.reason}")
    try:
        report: dict[str, Any] = json.loads(result.output)
    except ValueError as error:
        raise SandboxError(f"the self-test did not run well: {result.text.strip()}") from error
    return report


def anybodys_python() -> str:
    """An interpreter for any user id: ours, or the system's where ours lies in a closed directory.

    Not the link to it that a virtual environment has.
    """
    ours = Path(os.path.realpath(sys.executable))
    if all(path.stat().st_mode & stat.S_IXOTH for path in (ours, *ours.parents)):
        return str(ours)
    return next((path for path in _SYSTEM if os.access(path, os.X_OK)), str(ours))


def _interpreter() -> tuple[Mount, ...]:
    base = Path(sys.base_prefix).resolve()
    return () if base == Path("/usr") else (Mount(base),)


def _lay_out(place: Path, tree: Path, secret: str) -> Path:
    tree.mkdir()
    # Open to every user id: what must hold is the sandbox, not the mode of the file.
    place.chmod(0o755)
    canary = place / "canary"
    canary.write_text(secret)
    canary.chmod(0o666)
    return canary


@contextlib.asynccontextmanager
async def planted(
    secret: str, canary: Path
) -> AsyncIterator[tuple[dict[str, object], Callable[[], bool]]]:
    """The secret also in another process's environment, and a listener of every kind.

    Gives what the attempts need to know, and whether a datagram has arrived.
    """
    file, abstract = str(canary.with_name("socket")), f"\0acp-probe-{secret[:8]}"
    with contextlib.ExitStack() as open_sockets:
        tcp = open_sockets.enter_context(socket.create_server(("127.0.0.1", 0)))
        udp = open_sockets.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(0)
        for name in (file, abstract):
            server = open_sockets.enter_context(socket.socket(socket.AF_UNIX))
            server.bind(name)
            server.listen()
        os.chmod(file, 0o666)  # noqa: PTH101 - a blocking call of no length
        holder = await asyncio.create_subprocess_exec(
            "/bin/sleep", "120", env={"ACP_CANARY": secret}, stdin=asyncio.subprocess.DEVNULL
        )
        facts = {"secret": secret, "outside": str(canary), "pid": holder.pid}
        facts |= {"tcp": tcp.getsockname()[1], "udp": udp.getsockname()[1]}
        try:
            yield facts | {"socket": file, "abstract": abstract}, lambda: _arrived(udp)
        finally:
            holder.kill()
            await holder.wait()


def _arrived(udp: socket.socket) -> bool:
    try:
        return bool(udp.recv(1))
    except BlockingIOError:
        return False


SAID = {
    "read_environment": "the environment of another process could be read",
    "read_file": "a file outside could be read",
    "wrote_outside": "a file outside could be written",
    "reached_host": "the host's loopback could be reached",
    "sent_datagram": "a datagram reached the host's loopback",
    "reached_abstract": "an abstract socket of the host could be reached",
    "reached_socket_file": "a socket file of the host could be reached",
    "vsock": "sockets to the machine's own host could be opened",
    "signalled": "a process of the host could be signalled",
    "traced": "a process of the host could be traced",
    "io_uring": "io_uring, which goes around filters, could be used",
    "keyring": "the kernel's keyring could be reached",
    "namespaces": "a user namespace could be made inside",
    "capabilities": "the command kept capabilities",
    "may_gain": "the command could gain privileges",
    "daemon": "a daemon outlived its command",
    "variables": "variables of the host reached the command",
    "loopback": "a local server could not be reached by its own command",
    "in_sight": "processes of the host could be seen",
    "root": "the command had the user id of root",
}


def leaked(refusal: str) -> bool:
    """Whether a backend was refused because it leaks, and not because it does not work here."""
    return any(words in refusal for words in SAID.values())


def _leaks(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    facts = dict(report)
    facts["variables"] = not _BASICS <= set(report["environment"]) <= _ALLOWED
    facts["loopback"] = not report["own_loopback"]
    facts["in_sight"] = report["processes"] > len(("init", "daemon", "self"))
    facts["root"] = os.geteuid() == 0 and report["uid"] == 0
    yield from ((kind, words) for kind, words in SAID.items() if facts[kind])


def _free(lock: Path) -> bool:
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
