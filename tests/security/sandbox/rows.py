"""Runs inside a sandbox: one attempt for each row of the escape table, all in one command.

Prints as JSON what came of each: "worked", or the name of the error. Standard library only.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import mmap
import os
import platform
import resource
import socket
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from functools import partial
from multiprocessing import Lock, shared_memory
from pathlib import Path
from typing import Any

LIBC = ctypes.CDLL(None, use_errno=True)
ON_X86 = platform.machine() == "x86_64"
#                     x86-64, arm64
NUMBERS = {
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "perf_event_open": (298, 241),
    "process_vm_readv": (310, 270),
    "setns": (308, 268),
    "clone": (56, 220),
    "clone3": (435, 435),
    "io_uring_setup": (425, 425),
    "mount": (165, 40),
    "shmat": (30, 196),
    "unshare": (272, 97),
}
NEW_USER, SIGCHLD = 0x10000000, 17
TIOCSTI = 0x5412
ATTACH = 16


def call(name: str, *args: Any) -> int:
    """A system call by name, for an attempt that must fail with an error."""
    LIBC.syscall.restype = ctypes.c_long
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    result = int(LIBC.syscall(ctypes.c_long(NUMBERS[name][0 if ON_X86 else 1]), *words))
    if result < 0:
        raise OSError(ctypes.get_errno(), name)
    return result


def outcome(attempt: Callable[[], Any]) -> str:
    try:
        attempt()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, repr(error))
    except (AssertionError, LookupError):
        return "not there"
    return "worked"


def reads(path: str | Path, secret: str) -> None:
    assert secret.encode() in Path(path).read_bytes(), path


def finds(something: Any) -> None:
    assert something


def every(name: str, secret: str) -> None:
    """Whether that file of any process in sight holds the secret."""
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and outcome(partial(reads, process / name, secret)) == "worked":
            return
    raise AssertionError


def connects(family: int, address: Any) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as stream:
        stream.settimeout(2)
        stream.connect(address)


def sends(address: Any) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram:
        datagram.sendto(b"x", address)


def pair_to_file(path: str) -> None:
    """A pair of datagram sockets, of which one is pointed at a socket file of the host."""
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with one, other:
        one.sendto(b"x", path)


def child_in_namespace() -> None:
    pid = call("clone", NEW_USER | SIGCHLD, 0, 0, 0, 0)
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def child_by_clone3() -> None:
    arguments = struct.pack("=8Q", NEW_USER, 0, 0, 0, SIGCHLD, 0, 0, 0)
    pid = call("clone3", arguments, len(arguments))
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def unshared() -> None:
    if (child := os.fork()) == 0:
        os._exit(0 if outcome(lambda: call("unshare", NEW_USER)) == "worked" else 1)
    if os.waitpid(child, 0)[1]:
        raise OSError(errno.EPERM, "unshare")


def foreign_call() -> None:
    """getpid through the door for 32-bit programs: mov eax, 20; int 0x80; ret."""
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")
    address = ctypes.addressof(ctypes.c_char.from_buffer(code))
    result = ctypes.CFUNCTYPE(ctypes.c_int)(address)()
    if result < 0:
        raise OSError(-result, "int 0x80")


def x32_call() -> None:
    if LIBC.syscall(ctypes.c_long(0x40000000 + 39)) < 0:
        raise OSError(ctypes.get_errno(), "x32")


def traces(pid: int) -> None:
    if LIBC.ptrace(ATTACH, pid, 0, 0) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")


def signals_by_file(pid: int) -> None:
    """Let the kernel send it, when there is something to read; the host will say whether it came.

    A process that does not expect this signal ends by it.
    """
    one, other = socket.socketpair()
    with one, other:
        fcntl.fcntl(one, fcntl.F_SETOWN, pid)
        fcntl.fcntl(one, fcntl.F_SETFL, fcntl.fcntl(one, fcntl.F_GETFL) | os.O_ASYNC)
        other.send(b"x")


def traces_own_child() -> None:
    child = subprocess.Popen(["/bin/sleep", "5"])
    try:
        traces(child.pid)
    finally:
        child.kill()
        child.wait()


def serves_itself() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        connects(socket.AF_INET, server.getsockname())


def shares_memory() -> None:
    memory = shared_memory.SharedMemory(create=True, size=1024)
    memory.close()
    memory.unlink()
    Lock()


def knows_itself() -> None:
    import pwd
    import time

    assert pwd.getpwuid(os.getuid()).pw_name
    assert time.tzname
    assert sys.getfilesystemencoding() == "utf-8"


def holds_nothing() -> None:
    """No descriptor of the host came along."""
    finds([d for d in range(3, 1024) if outcome(partial(os.fstat, d)) == "worked"])


Table = dict[str, Callable[[], Any]]


def attempts(facts: dict[str, Any]) -> Table:
    """Every row by its name; `facts` says what was planted."""
    return {**on_files(facts), **on_network(facts), **on_processes(facts), **on_kernel(facts)}


def on_files(facts: dict[str, Any]) -> Table:
    secret, key, pid = facts["secret"], facts["outside"], facts["pid"]
    return {
        "variables of the host": lambda: finds(os.environ.keys() & set(facts["names"])),
        "environment of another process": lambda: every("environ", secret),
        "key file": lambda: reads(key, secret),
        "key file through /proc": lambda: reads(f"/proc/{pid}/root{key}", secret),
        "memory of another process": lambda: reads(f"/proc/{pid}/mem", secret),
        "write outside": lambda: Path(key).open("ab").close(),
        "cut short outside": lambda: os.truncate(key, 3),
        "cut short what is only shown": lambda: os.open(facts["shown"], os.O_RDONLY | os.O_TRUNC),
        "write /etc": lambda: Path("/etc/acp-probe").write_text("x"),
        "write /usr": lambda: Path("/usr/acp-probe").write_text("x"),
        "write /dev": lambda: Path("/dev/acp-probe").write_text("x"),
        "make a device": lambda: os.mknod("device", 0o20600, os.makedev(1, 3)),
        "change the mode of a file outside": lambda: Path(key).chmod(0o666),
        "see the name of a file outside": lambda: Path(key).stat(),
        "hard link to the key": lambda: os.link(key, "linked"),
    }


def on_network(facts: dict[str, Any]) -> Table:
    return {
        "TCP to the host's loopback": lambda: connects(2, ("127.0.0.1", facts["tcp"])),
        "UDP to the host's loopback": lambda: sends(("127.0.0.1", facts["udp"])),
        "TCP to the metadata service": lambda: connects(2, ("169.254.169.254", 80)),
        "UDP to a name server": lambda: sends(("192.0.2.53", 53)),
        "abstract socket": lambda: connects(1, facts["abstract"]),
        "socket file": lambda: connects(1, facts["socket"]),
        "datagram to a socket file": lambda: pair_to_file(facts["log"]),
        "virtual socket": lambda: socket.socket(40, 1).close(),
        "netlink besides routes": lambda: socket.socket(16, 3, 12).close(),
        "raw packets": lambda: socket.socket(17, 3, 0).close(),
        "kernel cryptography": lambda: socket.socket(38, 5, 0).close(),
    }


def on_processes(facts: dict[str, Any]) -> Table:
    pid = facts["pid"]
    return {
        "signal another process": lambda: os.kill(pid, 0),
        "signal another process by a file": lambda: signals_by_file(pid),
        "limits of another process": lambda: resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0)),
        "processors of another process": lambda: os.sched_setaffinity(pid, {0}),
        "trace another process": lambda: traces(pid),
        "read another process": lambda: call("process_vm_readv", pid, 0, 0, 0, 0, 0),
        "become root": lambda: os.setuid(0) if os.getuid() else None,
    }


def on_kernel(facts: dict[str, Any]) -> Table:
    return {
        "user namespace by unshare": unshared,
        "user namespace by clone": child_in_namespace,
        "user namespace by clone3": child_by_clone3,
        "another's namespace": lambda: call("setns", 0, NEW_USER),
        "mount": lambda: call("mount", b"x", b"/tmp", b"tmpfs", 0, 0),
        "io_uring": lambda: call("io_uring_setup", 1, ctypes.create_string_buffer(120)),
        "keyring": lambda: call("keyctl", 0, -5, 1),
        "add a key": lambda: call("add_key", b"user", b"acp", b"x", 1, -3),
        "request a key": lambda: call("request_key", b"user", b"acp", 0, -3),
        "bpf": lambda: call("bpf", 0, ctypes.create_string_buffer(128), 128),
        "userfaultfd": lambda: call("userfaultfd", 1),
        "performance counters": lambda: call(
            "perf_event_open", struct.pack("=IIQ", 1, 128, 0) + bytes(112), 0, -1, -1, 0
        ),
        "type into a terminal": lambda: fcntl.ioctl(0, TIOCSTI, b"x"),
        "load a line discipline": lambda: fcntl.ioctl(0, termios.TIOCSETD, struct.pack("i", 0)),
        "call as a 32-bit program": foreign_call if ON_X86 else lambda: Path("/nowhere").stat(),
        "call as an x32 program": x32_call if ON_X86 else lambda: Path("/nowhere").stat(),
        "System V memory of the host": lambda: call("shmat", facts["shm"], 0, 0),
        "descriptors of the host": holds_nothing,
        "trace an own child": traces_own_child,
        "serve and connect on the own loopback": serves_itself,
        "shared memory and locks": shares_memory,
        "user, time zone and encoding": knows_itself,
    }


if __name__ == "__main__":
    table = attempts(json.loads(sys.argv[1]))
    print(json.dumps({name: outcome(attempt) for name, attempt in table.items()}))
