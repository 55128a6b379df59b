"""Runs inside a sandbox during the self-test: tries to get out, and prints as JSON what worked.

Standard library only, and run as a file: nothing of this package is visible inside.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import sys
from pathlib import Path


def main() -> None:
    """Arguments: a secret, a file outside that holds it, a port on the host's loopback."""
    secret, outside, port = sys.argv[1].encode(), Path(sys.argv[2]), int(sys.argv[3])
    start_daemon(Path("lock"))
    report = {
        "environment": sorted(environment(Path("/proc/self/environ"))),
        "read_environment": any(secret in contents(path) for path in processes("environ")),
        "read_file": any(secret in contents(path) for path in ways_to(outside)),
        "wrote_outside": any(writes(path) for path in (Path("/acp-probe"), Path("/usr/acp-probe"))),
        "reached_host": connects(port),
        "own_loopback": serves_itself(),
        "processes": sum(1 for _ in processes("status")),
        "uid": os.getuid(),
        "status": status(),
    }
    sys.stdout.write(json.dumps(report))


def environment(path: Path) -> list[str]:
    """Names of the variables this process was started with."""
    return [pair.partition(b"=")[0].decode() for pair in contents(path).split(b"\0") if pair]


def contents(path: Path) -> bytes:
    """What can be read of a file: nothing, where that is refused."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def processes(name: str) -> list[Path]:
    """That file of every process in sight."""
    return [path / name for path in Path("/proc").iterdir() if path.name.isdigit()]


def ways_to(outside: Path) -> list[Path]:
    """The file by its own name and through the roots of other processes."""
    relative = outside.relative_to("/")
    return [outside, *(root / relative for root in processes("root"))]


def writes(path: Path) -> bool:
    """Whether a file can be made there."""
    try:
        path.write_bytes(b"")
        path.unlink()
    except OSError:
        return False
    return True


def connects(port: int) -> bool:
    """Whether the loopback here is the host's."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def serves_itself() -> bool:
    """Whether tests that start a local server would work."""
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            return connects(server.getsockname()[1])
    except OSError:
        return False


def status() -> dict[str, str]:
    """The kernel's word on this process: capabilities, and whether it can gain any."""
    lines = contents(Path("/proc/self/status")).decode().splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def start_daemon(lock: Path) -> None:
    """Leave a process behind, out of session and group, that holds a lock as long as it lives."""
    ready, tell = os.pipe()
    if child := os.fork():
        os.close(tell)
        os.waitpid(child, 0)
        os.read(ready, 1)
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    held = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(held, fcntl.LOCK_EX)
    os.write(tell, b"x")
    for descriptor in (0, 1, 2):
        os.close(descriptor)
    # So that not even a backend that lets it live keeps it for long.
    signal.alarm(20)
    signal.pause()


if __name__ == "__main__":
    main()
