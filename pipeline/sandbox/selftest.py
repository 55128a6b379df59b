"""Measures what a backend holds back: plants things outside and tries to reach them inside."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from pipeline.errors import SandboxError
from pipeline.sandbox.base import ExecResult, Limits, Mount, Session, Spec

Open = Callable[[Spec], Awaitable[Session]]

# The interpreter itself, not the link to it that a virtual environment has.
_PYTHON = os.path.realpath(sys.executable)
_LIMITS = Limits(wall_s=30.0)
_BASICS = {"HOME", "LANG", "PATH", "TMPDIR"}


@dataclass(frozen=True, slots=True)
class Measured:
    """What got through (`leaks`, in words; empty is good) and who the command was."""

    leaks: tuple[str, ...]
    uid: int


async def measure(open_session: Open) -> Measured:
    """Run every attempt in one command. Raises SandboxError where it could not even run."""
    with tempfile.TemporaryDirectory(prefix="acp-probe-") as place:
        secret, tree = secrets.token_hex(16), Path(place, "tree")
        canary = _lay_out(Path(place), tree, secret)
        session = await open_session(Spec(tree, read_only=_interpreter(), limits=_LIMITS))
        try:
            async with _planted(secret, canary) as arguments:
                result = await _attempt(session, arguments)
            left_over = not _free(tree / "lock")
        finally:
            await session.close()
    report = _parsed(result)
    daemon = ("a daemon outlived its command",) if left_over else ()
    return Measured((*_leaks(report), *daemon), int(report["uid"]))


async def _attempt(session: Session, arguments: tuple[str, ...]) -> ExecResult:
    program = files("pipeline.sandbox").joinpath("attempts.py").read_bytes()
    await session.put("attempts.py", program)
    return await session.exec([_PYTHON, "-I", "-S", "-B", "attempts.py", *arguments])


def _parsed(result: ExecResult) -> dict[str, Any]:
    if not result.ok:
        raise SandboxError(f"the self-test did not run: {result.text.strip() or result.reason}")
    report: dict[str, Any] = json.loads(result.output)
    return report


def _interpreter() -> tuple[Mount, ...]:
    base = Path(sys.base_prefix).resolve()
    return () if base == Path("/usr") else (Mount(base),)


def _lay_out(place: Path, tree: Path, secret: str) -> Path:
    tree.mkdir()
    # Open to every user id: what must hold is the sandbox, not the mode of the file.
    place.chmod(0o755)
    canary = place / "canary"
    canary.write_text(secret)
    canary.chmod(0o644)
    return canary


@contextlib.asynccontextmanager
async def _planted(secret: str, canary: Path) -> AsyncIterator[tuple[str, ...]]:
    """The secret also in another process's environment, and a listener on the loopback."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    holder = await asyncio.create_subprocess_exec(
        "/bin/sleep", "60", env={"ACP_CANARY": secret}, stdin=asyncio.subprocess.DEVNULL
    )
    try:
        yield secret, str(canary), str(server.sockets[0].getsockname()[1])
    finally:
        holder.kill()
        await holder.wait()
        server.close()
        await server.wait_closed()


def _leaks(report: dict[str, Any]) -> Iterator[str]:
    status = report["status"]
    attempts = {
        "variables of the host reached the command": set(report["environment"]) != _BASICS,
        "the environment of another process could be read": report["read_environment"],
        "a file outside could be read": report["read_file"],
        "a file outside could be written": report["wrote_outside"],
        "the host's loopback could be reached": report["reached_host"],
        "a local server could not be reached by its own command": not report["own_loopback"],
        "processes of the host could be seen": report["processes"]
        > len(("init", "daemon", "self")),
        "the command kept capabilities": int(status["CapEff"] + status["CapBnd"], 16) != 0,
        "the command could gain privileges": status["NoNewPrivs"] != "1",
        "the command had the user id of root": os.geteuid() == 0 and report["uid"] == 0,
    }
    return (words for words, happened in attempts.items() if happened)


def _free(lock: Path) -> bool:
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
