"""The first program of a small machine: mounts what a system has, runs one command, switches off.

The command and what has to be done before stand in /machine.json; its answer goes to the console.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

BEGUN, ANSWER = "acp-begun", "acp-answer "
_libc = ctypes.CDLL(None, use_errno=True)
_BIND, _RECURSIVE, _MOVE = 4096, 16384, 8192
_COMPRESSED = 4
_OFF = 0x4321FEDC


def mount(source: str, target: str, kind: str = "", flags: int = 0, words: str = "") -> None:
    if _libc.mount(source.encode(), target.encode(), kind.encode(), flags, words.encode()):
        raise OSError(ctypes.get_errno(), f"{kind or source} at {target}")


def prepare(wanted: dict[str, Any]) -> None:
    # A root that programs can leave: the kernel's first one cannot be exchanged, a mount of it can.
    mount("/", "/newroot", flags=_BIND | _RECURSIVE)
    os.chdir("/newroot")
    mount(".", "/", flags=_MOVE)
    os.chroot(".")
    for kind, place in (("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev")):
        mount(kind, place, kind)
    for place in ("/tmp", "/dev/shm", "/run"):
        Path(place).mkdir(exist_ok=True)
        mount("tmpfs", place, "tmpfs", words="mode=1777,size=50%")
    for name in wanted["modules"]:
        module = os.open(name, os.O_RDONLY)
        flags = _COMPRESSED if name.endswith("z") else 0
        if _libc.syscall(wanted["finit_module"], module, b"", flags):
            raise OSError(ctypes.get_errno(), name)
    if wanted["cgroups"]:
        mount("cgroup2", "/sys/fs/cgroup", "cgroup2")
    for name, value in wanted["settings"].items():
        Path("/proc/sys", *name.split(".")).write_text(value)
    env = {**wanted["env"], "PYTHON": sys.executable}
    subprocess.run(["/bin/sh", "-ec", wanted["before"]], env=env, check=True)


def loopback() -> None:
    """Bring it up: the machine has no program for that."""
    import fcntl
    import socket
    import struct

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 1))


def main() -> None:
    wanted = json.loads(Path("/machine.json").read_text())
    sys.stdout.write(f"\n{BEGUN}\n")
    sys.stdout.flush()
    try:
        prepare(wanted)
        loopback()
        done = subprocess.run(
            wanted["argv"], env=wanted["env"], cwd="/", capture_output=True, check=False
        )
        said = {"code": done.returncode, "out": done.stdout.decode(), "err": done.stderr.decode()}
    except (OSError, subprocess.CalledProcessError) as error:
        said = {"code": -1, "out": "", "err": repr(error)}
    # On a line of its own, whatever the kernel has written before.
    sys.stdout.write(f"\n{ANSWER}{json.dumps(said)}\n")
    sys.stdout.flush()
    termios.tcdrain(1)
    _libc.reboot(_OFF)


if __name__ == "__main__":
    main()
