"""Runs inside a sandbox during the self-test: tries to get out, and prints as JSON what worked.

The argument is JSON that says what was planted outside. Standard library only, and run as a file:
nothing of this package is visible inside.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import sys
from pathlib import Path
from typing import Any

_libc = ctypes.CDLL(None, use_errno=True)
_KEYCTL = {"x86_64": 250, "aarch64": 219}
_IO_URING_SETUP = 425
_NEW_USER = 0x10000000
_ATTACH = 16
_GET_NO_NEW_PRIVILEGES = 39


def main() -> None:
    """Try everything once."""
    planted = json.loads(sys.argv[1])
    secret, outside = planted["secret"].encode(), Path(planted["outside"])
    start_daemon(Path("lock"))
    report = {
        "environment": sorted(os.environ),
        "read_environment": any(secret in contents(path) for path in processes("environ")),
        "read_file": any(secret in contents(path) for path in ways_to(outside)),
        "wrote_outside": any([writes(outside), writes("/acp-probe"), writes("/usr/acp-probe")]),
        "own_loopback": serves_itself(),
        "processes": len(processes("status")),
        "uid": os.getuid(),
        "capabilities": capabilities(),
        "may_gain": _libc.prctl(_GET_NO_NEW_PRIVILEGES, 0, 0, 0, 0) != 1,
        **network(planted),
        **kernel(planted["pid"]),
    }
    sys.stdout.write(json.dumps(report))


def network(planted: dict[str, Any]) -> dict[str, bool]:
    """Which sockets of the host could be reached."""
    tcp, udp = ("127.0.0.1", planted["tcp"]), ("127.0.0.1", planted["udp"])
    return {
        "reached_host": connects(socket.AF_INET, tcp),
        # Whether it came through is the host's to say.
        "sent_datagram": sends(udp),
        "reached_abstract": connects(socket.AF_UNIX, planted["abstract"]),
        "reached_socket_file": connects(socket.AF_UNIX, planted["socket"]),
        "vsock": opens(socket.AF_VSOCK),
    }


def kernel(pid: int) -> dict[str, bool]:
    """Which doors of the kernel are open, and whether a process outside could be touched."""
    return {
        "signalled": works(lambda: os.kill(pid, 0)),
        "traced": _libc.ptrace(_ATTACH, pid, 0, 0) == 0,
        "io_uring": _libc.syscall(_IO_URING_SETUP, 1, ctypes.create_string_buffer(120)) >= 0,
        # KEYCTL_GET_KEYRING_ID of the user's session keyring, made where there is none.
        "keyring": _libc.syscall(_KEYCTL.get(os.uname().machine, -1), 0, -5, 1) >= 0,
        "namespaces": nests(),
    }


def nests() -> bool:
    """Whether a child can have a user namespace of its own."""
    if (child := os.fork()) == 0:
        os._exit(0 if _libc.unshare(_NEW_USER) == 0 else 1)
    return os.waitpid(child, 0)[1] == 0


def capabilities() -> bool:
    """Whether any capability is effective or permitted (capget, version 3)."""
    data = ctypes.create_string_buffer(24)
    _libc.capget(struct.pack("=Ii", 0x20080522, 0), data)
    words = struct.unpack("=6I", data.raw)
    return any((words[0], words[1], words[3], words[4]))


def works(attempt: Any) -> bool:
    """Whether it raised no error of the system."""
    try:
        attempt()
    except OSError:
        return False
    return True


def contents(path: Path) -> bytes:
    """What can be read of a file: nothing, where that is refused."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def processes(name: str) -> list[Path]:
    """That file of every process in sight."""
    try:
        return [path / name for path in Path("/proc").iterdir() if path.name.isdigit()]
    except OSError:
        return []


def ways_to(outside: Path) -> list[Path]:
    """The file by its own name and through the roots of other processes."""
    relative = outside.relative_to("/")
    return [outside, *(root / relative for root in processes("root"))]


def writes(path: Path | str) -> bool:
    """Whether a file there can be written, made or cut short."""
    return works(lambda: Path(path).open("ab").close()) or works(lambda: os.truncate(path, 1000))


def connects(family: int, address: Any) -> bool:
    """Whether somebody answers there."""
    try:
        with socket.socket(family, socket.SOCK_STREAM) as connection:
            connection.settimeout(1)
            connection.connect(address)
            return True
    except OSError:
        return False


def sends(address: tuple[str, int]) -> bool:
    """Whether a datagram could be sent."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"x", address)
            return True
    except OSError:
        return False


def opens(family: int) -> bool:
    """Whether there are sockets of that family."""
    return works(lambda: socket.socket(family, socket.SOCK_STREAM).close())


def serves_itself() -> bool:
    """Whether tests that start a local server would work."""
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            return connects(socket.AF_INET, server.getsockname())
    except OSError:
        return False


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
