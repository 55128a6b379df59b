"""Looks now and then how much a command takes with all it started, and says when it is too much.

This is detection, not prevention: between two looks more may be taken. Where the kernel is allowed
to hold a limit, it does so as well (cgroups, sizes of file systems, limits of one process).
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import SandboxError
from pipeline.sandbox.base import Limits, Reason

if TYPE_CHECKING:
    from pipeline.sandbox.cgroup import Group

_EVERY_S = 0.25
# A look may cost a fifth of the time at most.
_SHARE = 5
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
# Beside the command's own there are those that start and confine it.
_HELPERS = 8
# So many open files are looked at: a command must not keep the host busy with counting.
_MOST_FILES = 20_000
_BLOCK = 512
# What a file system must keep free, whatever the limits allow, in MiB.
_FLOOR_MB = 256


@dataclass(slots=True)
class Disk:
    """What the directories of a session take; `most` is in MiB for each.

    To walk them is dear, so it happens only after the file system has lost enough free space that
    the limit could be near.
    """

    most: Mapping[Path, int]
    _known: dict[Path, tuple[int, int]] = field(default_factory=dict)

    def check_room(self) -> None:
        """Raises SandboxError where hardly anything is free."""
        for path in self.most:
            if (free := _free(path) >> 20) < _FLOOR_MB:
                raise SandboxError(
                    f"only {free} MiB are free on the disk of {path}; {_FLOOR_MB} MiB are needed"
                )

    def over(self, unlinked: Callable[[], int]) -> bool:
        """Whether one takes more than it may, or leaves the host too little.

        `unlinked` gives the bytes of open files without a name, which no walk can find.
        """
        grown = [path for path in self.most if self._could_be_over(path)]
        if not grown:
            return False
        nameless = unlinked()
        return any(self._measured(path, nameless) for path in grown)

    def _could_be_over(self, path: Path) -> bool:
        if path not in self._known:
            return True
        used, free = self._known[path]
        return (free - _free(path)) * 4 > (self.most[path] << 20) - used

    def _measured(self, path: Path, nameless: int) -> bool:
        free = _free(path)
        used = _taken(path) + nameless
        self._known[path] = used, free
        return used > self.most[path] << 20 or free < _FLOOR_MB << 20


async def watch(root: int, limits: Limits, disk: Disk, group: Group | None = None) -> Reason:
    """Look at the process `root` and what is below it until a limit is broken: which one.

    Where a `group` holds them, the kernel sees to memory.
    """
    clock = asyncio.get_running_loop().time
    pause, crowded = _EVERY_S, 0
    while True:
        await asyncio.sleep(pause)
        began = clock()
        pids = await asyncio.to_thread(group.processes if group else partial(_below, root))
        full = group.crowded() if group else _threads(pids) + _HELPERS > limits.processes
        crowded = crowded + 1 if full else 0
        # One look may have met a moment; whoever stays at the limit does nothing else any more.
        if crowded > 1:
            return "processes"
        memory_mb = None if group else limits.memory_mb
        if reason := await asyncio.to_thread(_excess, pids, memory_mb, disk):
            return reason
        pause = max(_EVERY_S, _SHARE * (clock() - began))


def _excess(pids: list[int], memory_mb: int | None, disk: Disk) -> Reason | None:
    nameless = [found for pid in pids for found in _nameless(pid)][:_MOST_FILES]
    devices = {path.stat().st_dev for path in disk.most}
    in_memory = (found for found in nameless if found.st_dev not in devices)
    if memory_mb is not None and _swollen(pids, memory_mb << 20, in_memory):
        return "memory"
    on_disk = sum(f.st_blocks * _BLOCK for f in nameless if f.st_dev in devices)
    return "disk" if disk.over(lambda: on_disk) else None


def _swollen(pids: list[int], most: int, in_memory: Iterator[os.stat_result]) -> bool:
    left = most - sum({f.st_ino: f.st_blocks * _BLOCK for f in in_memory}.values())
    return sum(map(_anonymous, pids)) > left and sum(map(_proportional, pids)) > left


def _below(root: int) -> list[int]:
    """Every process that `root` started and those started, with it."""
    found, at = [root], 0
    while at < len(found):
        found += _children(found[at])
        at += 1
    return found


def _children(pid: int) -> Iterator[int]:
    """Of every thread; nothing where it ends while we look."""
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                yield from map(int, (thread / "children").read_text().split())


def _threads(pids: list[int]) -> int:
    count = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            count += Path(f"/proc/{pid}/task").stat().st_nlink - 2
    return count


def _anonymous(pid: int) -> int:
    """Bytes in memory that are no part of a file; what is shared counts for everybody."""
    with contextlib.suppress(OSError):
        resident, shared = Path(f"/proc/{pid}/statm").read_text().split()[1:3]
        return (int(resident) - int(shared)) * _PAGE
    return 0


def _proportional(pid: int) -> int:
    """The same with what is shared divided; the plain count where we may not look."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss_Anon:"):
                return int(line.split()[1]) << 10
    return _anonymous(pid)


def _nameless(pid: int) -> Iterator[os.stat_result]:
    """Open files without a name: removed ones, and such as never had one."""
    with contextlib.suppress(OSError):
        for opened in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                found = opened.stat()
                if stat.S_ISREG(found.st_mode) and found.st_nlink == 0:
                    yield found


def _taken(path: Path) -> int:
    """Bytes on the disk of everything below `path`; the command may be at work there.

    What lies so deep that no path leads there counts as too much.
    """
    waiting, taken = [str(path)], 0
    while waiting:
        try:
            with os.scandir(waiting.pop()) as listing:
                for entry in listing:
                    with contextlib.suppress(FileNotFoundError):
                        taken += entry.stat(follow_symlinks=False).st_blocks * _BLOCK
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                return sys.maxsize
    return taken


def _free(path: Path) -> int:
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize
