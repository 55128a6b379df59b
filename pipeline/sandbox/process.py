"""One child process: its own group, a wall clock, bounded output, and a sure end for all of it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.sandbox.base import Limits, Reason, Sink
from pipeline.sandbox.output import HeadTail

_CHUNK = 1 << 18
# Where nobody reaps orphans (a container without an init), zombies stay: not worth a long wait.
_POLL_S, _POLLS = 0.005, 100


@dataclass(frozen=True, slots=True)
class Command:
    """What to start. `env` is the whole environment; `fds` and `stdin` are closed on this side.

    `kill` is awaited before the group is killed, while the process still runs. `guard` watches the
    process of the number that it gets and returns why it must end.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str | None = None
    fds: tuple[int, ...] = ()
    stdin: int = asyncio.subprocess.DEVNULL
    kill: Callable[[], Awaitable[None]] | None = None
    guard: Callable[[int], Coroutine[Any, Any, Reason]] | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """How the process ended: `returncode` as subprocess has it, negative for a signal."""

    returncode: int
    reason: Reason
    output: bytes
    output_bytes: int
    wall_s: float


async def run(
    command: Command, limits: Limits, stop: asyncio.Event, on_output: Sink | None = None
) -> Ended:
    """Run to the end, to a limit or until `stop`. Raises OSError where nothing could start.

    Whatever ends this coroutine, cancellation included, the process group is killed first.
    """
    clock = asyncio.get_running_loop().time
    began = clock()
    source, sink = os.pipe()
    os.set_blocking(source, False)
    try:
        process = await _surely_started(command, sink)
        try:
            output = _Output(source, limits, on_output)
            ends = _ends(process, output, stop, command.guard)
            reason = await first(ends, began + limits.wall_s)
        finally:
            await _end(process, command.kill)
        output.drain()
    finally:
        os.close(source)
    code = process.returncode or 0
    kept = output.kept
    return Ended(code, reason, kept.render(), kept.total, clock() - began)


class _Output:
    """The reading end of the child's stdout and stderr."""

    def __init__(self, source: int, limits: Limits, on_output: Sink | None) -> None:
        self.kept = HeadTail(limits.keep_kb << 10)
        self._source = source
        self._most = limits.output_mb << 20
        self._sink = on_output

    async def pump(self) -> bool:
        """Read until the end; True as soon as there was more than allowed."""
        while self.kept.total <= self._most:
            await readable(self._source)
            if not self._take():
                return False
        return True

    def drain(self) -> None:
        """Take what is still in the pipe, without waiting for anybody who holds it open."""
        try:
            while self.kept.total <= self._most and self._take():
                continue
        except BlockingIOError:
            return

    def _take(self) -> bool:
        data = os.read(self._source, _CHUNK)
        if data:
            self.kept.feed(data)
            if self._sink:
                self._sink(data)
        return bool(data)


async def readable(descriptor: int) -> None:
    """Wait until `descriptor` can be read."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(descriptor, _wake, ready)
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)


def _wake(ready: asyncio.Future[None]) -> None:
    # A cancelled waiter keeps its reader until it runs again.
    if not ready.done():
        ready.set_result(None)


async def _surely_started(command: Command, sink: int) -> asyncio.subprocess.Process:
    starting = asyncio.ensure_future(_start(command, sink))
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        # asyncio alone would kill only the process itself, not what it started meanwhile.
        await _end(await starting, command.kill)
        raise


async def _start(command: Command, sink: int) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            *command.argv,
            stdin=command.stdin,
            stdout=sink,
            stderr=sink,
            env=dict(command.env),
            cwd=command.cwd,
            pass_fds=command.fds,
            start_new_session=True,
        )
    finally:
        for descriptor in (sink, command.stdin, *command.fds):
            if descriptor >= 0:
                os.close(descriptor)


Ends = dict[asyncio.Future[Any], Callable[[Any], Reason | None]]


def _ends(
    process: asyncio.subprocess.Process,
    output: _Output,
    stop: asyncio.Event,
    guard: Callable[[int], Coroutine[Any, Any, Reason]] | None,
) -> Ends:
    """What can end a command, each with the reason that its result stands for; None is no end."""
    ends: Ends = {
        asyncio.ensure_future(process.wait()): lambda _: "exit",
        asyncio.ensure_future(output.pump()): lambda too_much: "output" if too_much else None,
        asyncio.ensure_future(stop.wait()): lambda _: "killed",
    }
    if guard:
        ends[asyncio.ensure_future(guard(process.pid))] = lambda reason: reason
    return ends


async def first(ends: Ends, deadline: float) -> Reason:
    """The reason of whatever comes first; where several came at once, of the first listed."""
    clock = asyncio.get_running_loop().time
    pending = set(ends)
    try:
        while True:
            wait_s = max(0.0, deadline - clock())
            done, pending = await asyncio.wait(
                pending, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                return "timeout"
            for end, told in ends.items():
                reason = told(end.result()) if end in done else None
                if reason:
                    return reason
    finally:
        for end in ends:
            end.cancel()
        await asyncio.gather(*ends, return_exceptions=True)


async def _end(
    process: asyncio.subprocess.Process, kill: Callable[[], Awaitable[None]] | None
) -> None:
    try:
        if kill and process.returncode is None:
            await kill()
    finally:
        # Also after an ordinary exit: what the command left in its group must not outlive it.
        # The kernel gives out the number of a group again only when nobody is left in it.
        _signal(process.pid, signal.SIGKILL)
    await asyncio.shield(process.wait())
    for _ in range(_POLLS):
        if not _signal(process.pid, 0):
            return
        await asyncio.sleep(_POLL_S)


def _signal(group: int, number: int) -> bool:
    """Whether anybody was there. PermissionError is macOS's word for a group of zombies."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True
