"""The first process of a container: starts one command, looks after it, and ends everything.

Given to an interpreter of the image as text. Standard library only. Standard input brings one line
of orders (JSON) and is the lifeline from then on: when it ends, so does the container, because a
container ends with its first process. The command's two outputs are our standard output; on our
standard error we say as JSON that we wait (`{"ready": true}`), and how it ended: `{"code": n}`
(negative for a signal), `{"reason": ...}` for what it took too much of, `{"error": ...}` where it
could not start; and meanwhile `{"nameless": n}`, the bytes of open files without a name.
"""

from __future__ import annotations

import base64
import ctypes
import json
import os
import resource
import select
import signal
import stat
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

_DUMPABLE, _SECCOMP, _NO_NEW_PRIVILEGES, _FILTER = 4, 22, 38, 2
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT)
_EVERY_MS = 250
_MOST_FILES = 20_000
_BLOCK = 512
# How often the kernel has ended something here for lack of memory: cgroup v2, v1.
_MEMORY_EVENTS = ("memory.events", "memory/memory.oom_control")

_libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Wait for the orders, run the command, and say how it ended."""
    # Signals that nobody handles do not reach a first process, and whoever is not dumpable shows
    # neither its memory nor its descriptors: so no command can hold this one up.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _libc.prctl(_DUMPABLE, 0, 0, 0, 0)
    _say({"ready": True})
    line = _orders()
    if not line:
        return
    orders = json.loads(line)
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    child = os.fork()
    if child == 0:
        _become(orders)
    said = _kept(child, woken, Looks(orders), time.monotonic() + orders["seconds"])
    if said:
        _say(said)


def _orders() -> bytes:
    """The first line; empty where there is nobody to give one."""
    line = b""
    while not line.endswith(b"\n"):
        data = os.read(0, 1 << 16)
        if not data:
            return b""
        line += data
    return line


def _say(said: dict[str, Any]) -> None:
    os.write(2, json.dumps(said).encode() + b"\n")


def _kept(child: int, woken: int, looks: Looks, deadline: float) -> dict[str, Any]:
    """How the command ended; nothing where the lifeline or the time did first."""
    poll = select.poll()
    poll.register(0, select.POLLIN | select.POLLHUP)
    poll.register(woken, select.POLLIN)
    look_at = time.monotonic()
    while time.monotonic() < deadline:
        ready = {descriptor for descriptor, _ in poll.poll(_EVERY_MS)}
        if 0 in ready and not os.read(0, 1 << 16):
            break
        if woken in ready:
            os.read(woken, 1 << 12)
        code = _reaped(child)
        if looks.memory_ran_out():
            return {"reason": "memory"}
        if code is not None:
            return {"code": code}
        if time.monotonic() >= look_at:
            look_at = time.monotonic() + _EVERY_MS / 1000
            if looks.crowded():
                return {"reason": "processes"}
            looks.say_nameless()
    return {}


def _reaped(child: int) -> int | None:
    """How the child ended, None if it runs; whoever was left to us is reaped as well."""
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


class Looks:
    """What is looked at while the command runs. The limits themselves are the kernel's."""

    def __init__(self, orders: dict[str, Any]) -> None:
        self._most = orders["processes"]
        self._devices = {os.stat(path).st_dev for path in orders["places"]}  # noqa: PTH116
        events = [Path("/sys/fs/cgroup", name) for name in _MEMORY_EVENTS]
        self._events = next((path for path in events if path.exists()), None)
        self._full = 0
        self._told = 0

    def memory_ran_out(self) -> bool:
        """Whether the kernel had to end a process."""
        if self._events is None:
            return False
        words = self._events.read_text().split()
        return "oom_kill" in words and int(words[words.index("oom_kill") + 1]) > 0

    def crowded(self) -> bool:
        """Whether all places were taken at two looks: whoever stays there does nothing else."""
        taken = sum(_threads(process) for process in _others())
        self._full = self._full + 1 if taken >= self._most else 0
        return self._full > 1

    def say_nameless(self) -> None:
        """Tell how much lies in open files without a name, which no walk outside can find."""
        found = (one for process in _others() for one in _nameless(process))
        some = [one for _, one in zip(range(_MOST_FILES), found, strict=False)]
        taken = sum(one.st_blocks * _BLOCK for one in some if one.st_dev in self._devices)
        if taken != self._told:
            self._told = taken
            _say({"nameless": taken})


def _others() -> Iterator[Path]:
    return (path for path in Path("/proc").glob("[0-9]*") if path.name != "1")


def _threads(process: Path) -> int:
    try:
        return (process / "task").stat().st_nlink - 2
    except OSError:
        return 0


def _nameless(process: Path) -> Iterator[os.stat_result]:
    try:
        for opened in (process / "fd").iterdir():
            found = opened.stat()
            if stat.S_ISREG(found.st_mode) and found.st_nlink == 0:
                yield found
    except OSError:
        return


def _become(orders: dict[str, Any]) -> NoReturn:
    """Give up what is left to give up, then turn into the command."""
    status = os.dup(2)
    try:
        _confine(orders)
    except OSError as error:
        os.write(status, json.dumps({"error": f"{error.filename or ''} {error}"}).encode() + b"\n")
        os._exit(125)
    os.closerange(3, 1 << 16)
    argv, env = orders["argv"], orders["env"]
    if orders["proxy"]:
        relay = (sys.executable, "-I", "-S", "-B", "-c", orders["relay"], orders["proxy"])
        argv = [*relay, *argv]
    try:
        os.execvpe(argv[0], argv, env)
    except FileNotFoundError:
        _fail(argv[0], "no such file or directory", 127)
    except OSError as error:
        _fail(argv[0], str(error.strerror), 126)


def _fail(program: str, why: str, code: int) -> NoReturn:
    os.write(2, os.fsencode(f"{program}: {why}\n"))
    os._exit(code)


def _confine(orders: dict[str, Any]) -> None:
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(1, 2)
    signal.set_wakeup_fd(-1)
    for number in (*_IGNORED_BY_PYTHON, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    _done(_libc.prctl(_DUMPABLE, 1, 0, 0, 0))
    Path("/proc/self/oom_score_adj").write_text("1000")
    Path(orders["home"]).mkdir(mode=0o700)
    os.chdir(orders["cwd"])
    for name, value in orders["limits"].items():
        kind = getattr(resource, f"RLIMIT_{name.upper()}")
        hard = resource.getrlimit(kind)[1]
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (most, most))
    _done(_libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    program = base64.b64decode(orders["seccomp"])
    steps = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(steps))
    _done(_libc.prctl(_SECCOMP, _FILTER, ctypes.c_char_p(header), 0, 0))


def _done(result: int) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


if __name__ == "__main__":
    main()
