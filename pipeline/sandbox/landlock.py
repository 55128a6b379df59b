"""The degraded backend: Landlock and a system call filter, where namespaces are forbidden.

It works in a stock container, as an ordinary user and without any capability.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from pipeline.errors import SandboxError, SandboxUnavailable
from pipeline.sandbox import identity, layout, places, seccomp
from pipeline.sandbox.base import Caps, ExecResult, Session, Spec
from pipeline.sandbox.cgroup import Group, Groups, delegated, held
from pipeline.sandbox.doorway import Doorway
from pipeline.sandbox.files import Tree
from pipeline.sandbox.identity import Identity
from pipeline.sandbox.launcher import version
from pipeline.sandbox.leash import Leash
from pipeline.sandbox.local import Job, LocalSession, as_result, check_in_place, check_spec
from pipeline.sandbox.process import Command, run
from pipeline.sandbox.relay import proxied
from pipeline.sandbox.selftest import holds_memory, measure
from pipeline.sandbox.watchdog import watch

_PYTHON = os.path.realpath(sys.executable)
_LAUNCHER = Path(__file__).with_name("launcher.py")
_READABLE = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/etc/alternatives"),
    *("/etc/localtime", "/etc/mime.types", "/etc/ssl/certs", "/etc/ssl/openssl.cnf"),
    *("/etc/passwd", "/etc/group", "/etc/nsswitch.conf"),
)
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
# Versions of Landlock: from these on it governs the cutting short of files, TCP, and signals.
_SEES_CUTS, _GOVERNS_TCP, _HOLDS_SIGNALS = 3, 4, 6
_SHARED_MEMORY = "/dev/shm"
# Larger ones are the whole machine's; a container's own has 64 MiB unless told otherwise.
_OWN_SHARED_MEMORY = 256 << 20


class Landlock:
    """Confines commands in place: they see the tree where the host has it, and nothing moves.

    `cgroup` is a group that was delegated to us; without it we look ourselves for one.
    """

    def __init__(self, cgroup: Path | None = None) -> None:
        self._cgroup = cgroup
        self._found: tuple[Groups | None, Caps] | None = None

    async def probe(self) -> Caps:
        """Start it for real and try to get out. Raises SandboxUnavailable with what was seen."""
        if self._found is None:
            self._found = await _measured(await delegated(self._cgroup))
        return self._found[1]

    async def open(self, spec: Spec) -> Session:
        """Open a session. As root the tree belongs to the session's own user id until it closes."""
        await self.probe()
        assert self._found is not None
        return await _open(spec, self._found[0])


async def _measured(groups: Groups | None) -> tuple[Groups | None, Caps]:
    try:
        measured = await measure(partial(_open, groups=groups))
        if groups and not await holds_memory(partial(_open, groups=groups)):
            groups = None
    except SandboxError as error:
        raise SandboxUnavailable(f"landlock: {error}") from error
    if leaks := measured.besides("loopback"):
        raise SandboxUnavailable(f"landlock: {'; '.join(leaks)}")
    caps = Caps(
        backend="landlock",
        grade="degraded",
        net="none",
        filesystem=True,
        pid_namespace=False,
        own_uid=os.geteuid() == 0,
        memory="cgroup" if groups else "watchdog",
        loopback=False,
    )
    return groups, caps


async def _open(spec: Spec, groups: Groups | None = None) -> Session:
    if sys.platform != "linux":
        raise SandboxUnavailable("Landlock is part of Linux")
    check_spec(spec)
    check_in_place(spec, "Landlock")
    if spec.proxy_socket and version() < _GOVERNS_TCP:
        raise SandboxError(
            "nothing can be set up here: Landlock of this kernel does not govern connections; "
            "Linux 6.7 does, or let bubblewrap work (docs/explanation/sandbox.md)"
        )
    async with contextlib.AsyncExitStack() as on_failure:
        own = identity.acquire() if os.geteuid() == 0 else None
        if own:
            on_failure.callback(own.release)
        home = await asyncio.to_thread(_new_home, spec)
        on_failure.callback(shutil.rmtree, home, ignore_errors=True)
        doorway = await Doorway.open(spec.proxy_socket) if spec.proxy_socket else None
        if doorway:
            on_failure.push_async_callback(doorway.close)
        runner = _Confined(spec, own, home, doorway, groups)
        await runner.take_over()
        on_failure.pop_all()
    return LocalSession(spec, Tree(spec.tree, (own.uid, own.uid) if own else None), runner)


def _new_home(spec: Spec) -> Path:
    return Path(tempfile.mkdtemp(prefix="home-", dir=spec.tree.resolve().parent))


class _Confined:
    """Runs commands of one session, each behind a launcher of its own."""

    def __init__(
        self,
        spec: Spec,
        own: Identity | None,
        home: Path,
        doorway: Doorway | None,
        groups: Groups | None,
    ) -> None:
        self._groups = groups
        self._spec = spec
        self._own = own
        self._home = home
        self._doorway = doorway
        self._root = spec.tree.resolve()
        self._before = places.owners(spec)
        self._disk = places.disk(spec, home)

    @property
    def workdir(self) -> str:
        return str(self._root)

    async def take_over(self) -> None:
        """Give to the session's own id what is its to write."""
        if self._own:
            _check_enterable(self._root.parent)
            os.chown(self._home, self._own.uid, self._own.uid)
            await asyncio.to_thread(places.give, self._before, self._own.uid)

    async def run(self, job: Job, stop: asyncio.Event) -> ExecResult:
        async with held(self._groups, job.limits) as group:
            return await self._run(job, stop, group)

    async def _run(self, job: Job, stop: asyncio.Event, group: Group | None) -> ExecResult:
        self._disk.check_room()
        orders = json.dumps(self._orders(job, group)).encode()
        (order_fd,) = layout.memory_files((orders,))
        leash = Leash()
        argv = (_PYTHON, "-I", "-S", "-B", str(_LAUNCHER), str(order_fd), str(leash.status_fd))
        try:
            inherited = (order_fd, leash.status_fd)
            command = Command(
                argv,
                {},
                "/",
                inherited,
                stdin=leash.line_fd,
                kill=leash.pull,
                guard=lambda root: watch(root, job.limits, self._disk, group),
            )
            ended = await run(command, job.limits, stop, job.sink)
        except OSError as error:
            raise SandboxError(f"the launcher could not be started: {error.strerror}") from error
        finally:
            await leash.pull()
        if group:
            ended = replace(ended, reason=group.told(ended.reason))
        said = leash.status()
        if ended.reason == "exit" and "code" not in said:
            words = said.get("error") or ended.output.decode("utf-8", "replace").strip()
            raise SandboxError(f"the launcher failed: {words or 'it was killed'}")
        if said.get("left"):
            raise SandboxError(f"{said['left']} processes of a command could not be killed")
        return as_result(ended, int(said.get("code", 0)))

    async def close(self) -> None:
        if self._doorway:
            await self._doorway.close()
        await asyncio.to_thread(shutil.rmtree, self._home, ignore_errors=True)
        if self._own:
            try:
                await asyncio.to_thread(places.give_back, self._before)
            finally:
                self._own.release()

    def _orders(self, job: Job, group: Group | None) -> Mapping[str, object]:
        port = self._doorway.port if self._doorway else None
        program = seccomp.shared(
            tcp=port is not None,
            cuts=version() >= _SEES_CUTS,
            # Another user id holds them too.
            signals=self._own is not None or version() >= _HOLDS_SIGNALS,
        )
        return {
            "argv": job.argv,
            "env": self._environment(job.env),
            "cwd": str(self._root / job.cwd),
            "uid": self._own.uid if self._own else None,
            "limits": layout.rlimits(job.limits, grouped=group is not None),
            "group": str(group.entrance) if group else None,
            "rules": list(self._rules()),
            "port": port,
            "seccomp": base64.b64encode(program).decode(),
        }

    def _environment(self, extra: Mapping[str, str]) -> Mapping[str, str]:
        home = str(self._home)
        # Git takes a file that it may not read for an error, where one that is missing is none.
        own = {"HOME": home, "TMPDIR": home, "GIT_CONFIG_NOSYSTEM": "1"}
        basics = layout.environment(self._spec.path, {**own, **extra})
        return basics | (proxied(self._doorway.address) if self._doorway else {})

    def _rules(self) -> Iterator[tuple[str, str]]:
        readable = (*_READABLE, *(str(mount.source) for mount in self._spec.read_only))
        yield from ((path, "read") for path in readable if Path(path).exists())
        yield from ((path, "device") for path in _DEVICES)
        yield from ((str(path), "write") for path in (*self._before, self._home))
        if self._own or _total(_SHARED_MEMORY) <= _OWN_SHARED_MEMORY:
            yield _SHARED_MEMORY, "unlisted"


def _check_enterable(directory: Path) -> None:
    for path in (directory, *directory.parents):
        if not path.stat().st_mode & stat.S_IXOTH:
            raise SandboxError(f"another user id has to pass through {path}: chmod o+x {path}")


def _total(path: str) -> int:
    found = os.statvfs(path)
    return found.f_blocks * found.f_frsize
