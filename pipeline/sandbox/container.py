"""The container backend: each command in a container of its own, on the engine of a runner."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import Mapping
from functools import partial
from typing import Any

from pipeline.errors import SandboxError, SandboxUnavailable
from pipeline.sandbox import identity, layout, places
from pipeline.sandbox.base import Caps, ExecResult, Session, Spec
from pipeline.sandbox.crate import Crate, check_shared, made_up
from pipeline.sandbox.engine import Engine, Runner, Started
from pipeline.sandbox.files import Tree
from pipeline.sandbox.identity import Identity
from pipeline.sandbox.line import Attended, Line
from pipeline.sandbox.local import Job, LocalSession, check_spec
from pipeline.sandbox.selftest import holds_memory, measure


class Container:
    """Drives the engine that somebody named; it never looks for one."""

    def __init__(self, runner: Runner) -> None:
        self._engine = Engine(runner)
        self._found: tuple[Mapping[str, Any], Caps] | None = None

    async def probe(self) -> Caps:
        """Start it for real and try to get out. Raises SandboxUnavailable with what was seen."""
        if self._found is None:
            self._found = await self._measured()
        return self._found[1]

    async def open(self, spec: Spec) -> Session:
        """Open a session. As root the tree belongs to the session's own user id until it closes."""
        await self.probe()
        assert self._found is not None
        return await self._open(self._found[0], spec)

    async def _measured(self) -> tuple[Mapping[str, Any], Caps]:
        socket, runtime = self._engine.runner.socket, self._engine.runner.runtime
        try:
            image = await asyncio.to_thread(self._engine.check)
            opened = partial(self._open, image)
            measured, held = await measure(opened), await holds_memory(opened)
        except SandboxError as error:
            raise SandboxUnavailable(f"container ({socket}): {error}") from error
        if leaks := measured.besides():
            raise SandboxUnavailable(f"container ({socket}): {'; '.join(leaks)}")
        if not held:
            raise SandboxUnavailable(f"container ({socket}): the engine does not hold memory")
        return image, _caps(runtime)

    async def _open(self, image: Mapping[str, Any], spec: Spec) -> Session:
        check_spec(spec)
        check_shared(self._engine.runner, spec)
        before = places.owners(spec)
        await asyncio.to_thread(self._engine.sweep)
        async with contextlib.AsyncExitStack() as on_failure:
            own = identity.acquire() if os.geteuid() == 0 else None
            if own:
                on_failure.callback(own.release)
            uid = own.uid if own else os.getuid()
            etc = await asyncio.to_thread(made_up, spec, uid)
            on_failure.callback(shutil.rmtree, etc, ignore_errors=True)
            if own:
                await asyncio.to_thread(places.give, before, own.uid)
            on_failure.pop_all()
        crate = Crate(self._engine.runner, image, spec, etc, uid)
        runner = _Contained(self._engine, crate, own, before)
        return LocalSession(spec, Tree(spec.tree, (uid, uid) if own else None), runner)


def _caps(runtime: str) -> Caps:
    return Caps(
        backend=f"container ({runtime})" if runtime else "container",
        grade="strong",
        net="none",
        filesystem=True,
        pid_namespace=True,
        own_uid=os.geteuid() == 0,
        memory="cgroup",
        loopback=True,
    )


class _Contained:
    """Runs commands of one session, each in a container of its own."""

    workdir = layout.WORKDIR

    def __init__(
        self, engine: Engine, crate: Crate, own: Identity | None, before: places.Owners
    ) -> None:
        self._engine = engine
        self._crate = crate
        self._own = own
        self._before = before
        self._disk = places.disk(crate.spec)

    async def run(self, job: Job, stop: asyncio.Event) -> ExecResult:
        self._disk.check_room()
        started = await self._surely_started(job)
        try:
            line = await Line.over(started.line)
            try:
                return await Attended(job, self._disk).run(line, self._crate.orders(job), stop)
            finally:
                line.cut()
        finally:
            await self._end(started.number)

    async def close(self) -> None:
        await asyncio.to_thread(shutil.rmtree, self._crate.etc, ignore_errors=True)
        if self._own:
            try:
                await asyncio.to_thread(places.give_back, self._before)
            finally:
                self._own.release()

    async def _surely_started(self, job: Job) -> Started:
        request = self._crate.request(job.limits)
        starting = asyncio.ensure_future(asyncio.to_thread(self._engine.start, request))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            await asyncio.wait([starting])
            if not starting.exception():
                starting.result().line.close()
                await self._end(starting.result().number)
            raise

    async def _end(self, number: str) -> None:
        """Kill what still runs, and wait until nobody is left."""
        ending = asyncio.ensure_future(asyncio.to_thread(self._engine.end, number))
        try:
            await asyncio.shield(ending)
        except asyncio.CancelledError:
            await asyncio.wait([ending])
            raise
