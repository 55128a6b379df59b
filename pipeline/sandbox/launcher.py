"""Confines a command by Landlock and a system call filter, and sees to the end of what it started.

For machines that forbid namespaces. Standard library only, and run as a file: the whole process is
short, and nothing that the caller imported is inherited.

Arguments: a descriptor with the orders (JSON), one for the status. Standard input is the lifeline:
when it ends, so does everything. Of the status: `{"code": n}` (negative for a signal) or
`{"error": "..."}`, and `{"left": n}` where processes could not be killed.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import struct
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the Landlock calls, the same on every architecture
_PATH_BENEATH, _PORT = 1, 2
_CONNECT_TCP = 2
_SUBREAPER, _PARENT_DIED, _NO_NEW_PRIVILEGES, _SECCOMP, _DROP_BOUND = 36, 1, 38, 22, 24
_FILTER = 2
_LAST_CAPABILITY = 63

_EXECUTE, _WRITE, _READ, _LIST, _REMOVE_FILE, _MAKE_FILE = 1, 2, 4, 8, 1 << 5, 1 << 8
_MAKE_DEVICE = 1 << 6 | 1 << 11
_TRUNCATE, _IOCTL_DEVICE = 1 << 14, 1 << 15
_OF_FILES = _EXECUTE | _WRITE | _READ | _TRUNCATE | _IOCTL_DEVICE
# Of Landlock from each version on: how many rights on files it knows, and the size of what it
# takes: rights on files, then on TCP, then the scopes of abstract sockets and signals.
_VERSIONS = {1: (13, 8), 2: (14, 8), 3: (15, 8), 4: (15, 16), 5: (16, 16), 6: (16, 24)}
_BOTH = 3
_RIGHTS = {
    "read": _EXECUTE | _READ | _LIST,
    "write": ~(_MAKE_DEVICE | _IOCTL_DEVICE),
    "device": _READ | _WRITE | _TRUNCATE,
    # Without a listing: what others keep there is found only by who knows its name.
    "unlisted": _READ | _WRITE | _TRUNCATE | _MAKE_FILE | _REMOVE_FILE,
}

_libc = ctypes.CDLL(None, use_errno=True)
_GRACE_S, _PAUSE_S = 10.0, 0.005
# Behind the watchdog: whoever keeps every processor busy must not keep it from looking.
_NICE = 10


def main() -> None:
    """Start the command, wait for it or for the end of the lifeline, and leave nobody behind."""
    orders = json.loads(Path(f"/proc/self/fd/{sys.argv[1]}").read_bytes())
    status = int(sys.argv[2])
    _done(_libc.prctl(_SUBREAPER, 1, 0, 0, 0))
    child = os.fork()
    if child == 0:
        _enter(orders, status)
    code = _waited(child)
    left = _end_all()
    said = {} if code is None else {"code": code}
    os.write(status, json.dumps({**said, "left": left} if left else said).encode() + b"\n")


def version() -> int:
    """Which version of Landlock the kernel has, 0 for none."""
    return max(0, int(_libc.syscall(_CREATE, None, ctypes.c_size_t(0), 1)))


def _enter(orders: dict[str, Any], status: int) -> NoReturn:
    """Give up every right, then become the command."""
    try:
        _confine(orders)
    except OSError as error:
        os.write(status, json.dumps({"error": f"{error.filename or ''} {error}"}).encode() + b"\n")
        os._exit(125)
    os.closerange(3, 1 << 16)
    argv = orders["argv"]
    try:
        os.execvpe(argv[0], argv, orders["env"])
    except FileNotFoundError:
        _fail(argv[0], "no such file or directory", 127)
    except OSError as error:
        _fail(argv[0], str(error.strerror), 126)


def _fail(program: str, why: str, code: int) -> NoReturn:
    os.write(2, os.fsencode(f"{program}: {why}\n"))
    os._exit(code)


def _confine(orders: dict[str, Any]) -> None:
    os.setsid()
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    if orders["group"]:
        Path(orders["group"]).write_text("0")
    Path("/proc/self/oom_score_adj").write_text("1000")
    os.chdir(orders["cwd"])
    ruleset = _ruleset(orders["rules"], orders["port"])
    _limit(orders["limits"], orders["uid"])
    os.nice(_NICE)
    if orders["uid"] is not None:
        _drop(orders["uid"])
    _done(_libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    # Only now: a change of the user id takes it back.
    _done(_libc.prctl(_PARENT_DIED, signal.SIGKILL, 0, 0, 0))
    _done(_libc.syscall(_RESTRICT, ruleset, 0))
    program = base64.b64decode(orders["seccomp"])
    steps = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(steps))
    _done(_libc.prctl(_SECCOMP, _FILTER, ctypes.c_char_p(header), 0, 0))


def _ruleset(rules: list[tuple[str, str]], port: int | None) -> int:
    """A ruleset that forbids all that this kernel's Landlock can forbid, but for the rules."""
    count, size = _VERSIONS[min(version(), max(_VERSIONS))]
    known = (1 << count) - 1
    attributes = struct.pack("=QQQ", known, _BOTH, _BOTH)
    ruleset = int(_libc.syscall(_CREATE, attributes, ctypes.c_size_t(size), 0))
    _done(ruleset)
    for path, kind in rules:
        _allow(ruleset, path, _RIGHTS[kind] & known)
    if port is not None:
        rule = struct.pack("=QQ", _CONNECT_TCP, port)
        _done(_libc.syscall(_ADD, ruleset, _PORT, rule, 0))
    return ruleset


def _allow(ruleset: int, path: str, rights: int) -> None:
    opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    if not Path(path).is_dir():
        rights &= _OF_FILES
    _done(_libc.syscall(_ADD, ruleset, _PATH_BENEATH, struct.pack("=Qi", rights, opened), 0), path)
    os.close(opened)


def _limit(limits: dict[str, int], uid: int | None) -> None:
    for name, value in limits.items():
        kind = getattr(resource, f"RLIMIT_{name.upper()}")
        # The count is the user's: what runs already under our own id is not the command's.
        wanted = value + (_threads(os.getuid()) if name == "nproc" and uid is None else 0)
        hard = resource.getrlimit(kind)[1]
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(kind, (most, most))


def _threads(uid: int) -> int:
    count = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid == uid:
                count += sum(1 for _ in (process / "task").iterdir())
        except OSError:
            continue
    return count


def _drop(uid: int) -> None:
    for capability in range(_LAST_CAPABILITY + 1):
        if _libc.prctl(_DROP_BOUND, capability, 0, 0, 0) < 0:
            break  # the first number that this kernel does not know
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def _waited(child: int) -> int | None:
    """How the child ended; None where the lifeline ended first. Reaps whom others left to us."""
    pidfd = os.pidfd_open(child)
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    poll.register(0, select.POLLIN | select.POLLHUP)
    while True:
        ready = [descriptor for descriptor, _ in poll.poll(100)]
        code = _reaped(child)
        if code is not None or 0 in ready:
            return code


def _reaped(child: int) -> int | None:
    code = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return code
        if pid == 0:
            return code
        if pid == child:
            code = os.waitstatus_to_exitcode(status)


def _end_all() -> int:
    """Kill until nobody is left; how many there are if they do not die in time."""
    deadline = time.monotonic() + _GRACE_S
    while time.monotonic() < deadline:
        for pid in _below(os.getpid()):
            _kill(pid)
        _reaped(0)
        if not _children(os.getpid()):
            return 0
        time.sleep(_PAUSE_S)
    return len(_below(os.getpid()))


def _below(pid: int) -> list[int]:
    found = _children(pid)
    return [*found, *(further for child in found for further in _below(child))]


def _children(pid: int) -> list[int]:
    """Of every thread. What a process leaves when it dies becomes ours, so none gets lost."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                found += map(int, (thread / "children").read_text().split())
    return found


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _done(result: int, path: str = "") -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)


if __name__ == "__main__":
    main()
