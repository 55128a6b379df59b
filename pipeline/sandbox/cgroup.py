"""Groups of the kernel (cgroup v2), which hold memory and processes of one command together.

They need a part of the tree that is left to us: by systemd (`Delegate=yes`), by an operator who
names it, or by a machine on which nobody else divides the tree.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import secrets
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.errors import SandboxError, SandboxUnavailable
from pipeline.sandbox.base import Limits, Reason

_NEEDED = ("memory", "pids")
# Then the processes of one command get together no more of the processors than we do.
_USEFUL = ("cpu",)
# A group that is divided holds no processes itself: ours move to this one.
_HOST, _COMMAND = "acp-host", "acp-command-"
_MOVES = 20
_POLL_S, _POLLS = 0.005, 2000
_KILLED_S = 3.0


@dataclass(slots=True)
class Group:
    """The group of one command. The lock on its directory says that its maker still lives."""

    path: Path
    _lock: int
    _refusals: int = field(default=0, init=False)

    @property
    def entrance(self) -> Path:
        """Whoever writes its number there belongs to the group, with all that it starts then."""
        return self.path / "cgroup.procs"

    def enter(self, pid: int) -> None:
        """Take a process in. Raises OSError."""
        self.entrance.write_text(str(pid))

    def kill(self) -> None:
        """Kill every process of the group at once. Raises OSError."""
        (self.path / "cgroup.kill").write_text("1")

    def processes(self) -> list[int]:
        """The processes of the group."""
        return [int(pid) for pid in self.entrance.read_text().split()]

    def crowded(self) -> bool:
        """Whether it is at its limit, or was refused a process since the last call."""
        before, self._refusals = self._refusals, self._counted("pids.events", "max")
        most = int((self.path / "pids.max").read_text())
        return self._refusals > before or self._number("pids.current") >= most

    def told(self, reason: Reason) -> Reason:
        """The reason of an end: "memory" where the kernel killed for it."""
        return "memory" if self._counted("memory.events", "oom_kill") else reason

    async def close(self) -> None:
        """Kill whoever is left in it, and remove it. Raises SandboxError if they do not die."""
        try:
            for _ in range(_POLLS):
                with contextlib.suppress(FileNotFoundError):
                    self.kill()
                if _removed(self.path):
                    return
                await asyncio.sleep(_POLL_S)
            raise SandboxError("processes of the sandbox could not be killed")
        finally:
            os.close(self._lock)

    def _number(self, name: str) -> int:
        return int((self.path / name).read_text())

    def _counted(self, name: str, event: str) -> int:
        lines = (line.split() for line in (self.path / name).read_text().splitlines())
        return next((int(count) for word, count in lines if word == event), 0)


@dataclass(frozen=True, slots=True)
class Groups:
    """A directory of the tree that is divided into groups by us."""

    place: Path

    @contextlib.asynccontextmanager
    async def one(self, limits: Limits) -> AsyncIterator[Group]:
        """A new group with those limits; nobody is left in it, and it is gone, at the end.

        Raises SandboxError.
        """
        async with contextlib.AsyncExitStack() as stack:
            try:
                group = self._made()
                stack.push_async_callback(group.close)
                _limit(group.path, limits)
            except OSError as error:
                raise SandboxError(f"no cgroup could be made in {self.place}: {error}") from error
            yield group

    async def sweep(self) -> None:
        """End what a process that died has left here. Raises SandboxError."""
        for group in self._left():
            await group.close()

    def _made(self) -> Group:
        path = self.place / f"{_COMMAND}{secrets.token_hex(8)}"
        with _alone(self.place):
            path.mkdir()
            return Group(path, _locked(path))

    def _left(self) -> list[Group]:
        found = []
        with _alone(self.place):
            for path in self.place.glob(f"{_COMMAND}*"):
                with contextlib.suppress(BlockingIOError, FileNotFoundError):
                    found.append(Group(path, _locked(path)))
        return found


@contextlib.asynccontextmanager
async def held(groups: Groups | None, limits: Limits) -> AsyncIterator[Group | None]:
    """A group for one command where there can be one. Raises SandboxError."""
    if groups is None:
        yield None
        return
    async with groups.one(limits) as group:
        yield group


async def delegated(named: Path | None = None) -> Groups | None:
    """The part of the tree that is left to us, divided, tried and swept; None where there is none.

    `named` is the operator's: raises SandboxUnavailable where it cannot be used.
    """
    for place in (named,) if named else _ours():
        if not (hindrance := await _hindrance(place)):
            return Groups(place)
        if named:
            raise SandboxUnavailable(
                f"the cgroup {named} cannot be used: {hindrance}. Delegate it with the controllers "
                "memory and pids and start this program inside it, or name none"
            )
    return None


async def _hindrance(place: Path) -> str:
    """Why groups cannot be made there, found by making one; nothing where they can."""
    groups = Groups(place)
    try:
        there = (place / "cgroup.controllers").read_text().split()
        if missing := [name for name in _NEEDED if name not in there]:
            return f"it has no controllers {' and '.join(missing)}"
        _divide(place, [*_NEEDED, *(name for name in _USEFUL if name in there)])
        await groups.sweep()
        async with groups.one(Limits()) as group:
            await _try(group)
    except (OSError, SandboxError) as error:
        return str(error)
    return ""


async def _try(group: Group) -> None:
    """Whether a process can be taken in, and killed with its group. Raises OSError."""
    process = await asyncio.create_subprocess_exec(
        "/bin/sleep", "60", stdin=asyncio.subprocess.DEVNULL, env={}
    )
    try:
        group.enter(process.pid)
        group.kill()
        await asyncio.wait_for(process.wait(), _KILLED_S)
    except TimeoutError:
        raise OSError("what is in it is not killed with it") from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _divide(place: Path, controllers: Iterable[str]) -> None:
    control = place / "cgroup.subtree_control"
    missing = set(controllers) - set(control.read_text().split())
    if not missing:
        return
    wanted = " ".join(f"+{name}" for name in missing)
    try:
        control.write_text(wanted)
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        _move_aside(place)
        control.write_text(wanted)


def _move_aside(place: Path) -> None:
    """Move every process of a group into one below it; while we do, others may be born."""
    host = place / _HOST
    host.mkdir(exist_ok=True)
    for _ in range(_MOVES):
        # 0 stands for one of another pid namespace, and written it would mean ourselves.
        pids = set((place / "cgroup.procs").read_text().split()) - {"0"}
        if not pids:
            return
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                (host / "cgroup.procs").write_text(pid)


def _limit(path: Path, limits: Limits) -> None:
    wanted = {
        "memory.max": str(limits.memory_mb << 20),
        "memory.oom.group": "1",
        "pids.max": str(limits.processes),
    }
    # Only where the kernel counts swap.
    if (path / "memory.swap.max").exists():
        wanted["memory.swap.max"] = "0"
    for name, value in wanted.items():
        (path / name).write_text(value)


def _ours(proc: Path = Path("/proc/self")) -> Iterator[Path]:
    """Where our own group, or the one above, is left to us to divide."""
    if (here := own_group((proc / "cgroup").read_text(), (proc / "mountinfo").read_text())) is None:
        return
    if here.name == _HOST:
        yield here.parent  # somebody of us has divided it already
        return
    # With systemd's DelegateSubgroup= the mark is above us.
    yield from (place for place in (here, here.parent) if _marked(place))
    if not Path("/run/systemd/system").exists():
        yield here


def own_group(groups: str, mounts: str) -> Path | None:
    """Our directory in the unified tree, from the texts of /proc/self: cgroup and mountinfo."""
    own = next((line[3:] for line in groups.splitlines() if line.startswith("0::")), None)
    for line in mounts.splitlines():
        first, _, last = line.partition(" - ")
        if own is not None and last.startswith("cgroup2 "):
            root, mounted = first.split()[3:5]
            inside = own.removeprefix(root.rstrip("/")).lstrip("/")
            return Path(mounted, inside)
    return None


def _marked(place: Path) -> bool:
    """Whether systemd says that it leaves this group to others."""
    for name in ("user.delegate", "trusted.delegate"):
        with contextlib.suppress(OSError):
            if os.getxattr(place, name) == b"1":
                return True
    return False


@contextlib.contextmanager
def _alone(place: Path) -> Iterator[None]:
    """So that nobody sweeps away a group between its making and its lock."""
    opened = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)


def _locked(path: Path) -> int:
    """Raises BlockingIOError where its maker lives."""
    opened = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(opened)
        raise
    return opened


def _removed(path: Path) -> bool:
    try:
        path.rmdir()
    except FileNotFoundError:
        return True
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        return False
    return True
