"""Holding one container from outside: orders go in, output and status come out."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any

from pipeline.errors import SandboxError
from pipeline.sandbox.base import ExecResult, Reason
from pipeline.sandbox.local import Job, as_result
from pipeline.sandbox.output import HeadTail
from pipeline.sandbox.process import Ended, Ends, first
from pipeline.sandbox.watchdog import Disk

_LOOK_S = 0.25
_READY_WITHIN_S = 60.0
_HEADER = 8
_OUTPUT = 1


class Line:
    """The connection to a container's first process, which ends when we let go."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, connection: socket.socket) -> Line:
        """Take over a connection that is attached to a container."""
        return cls(*await asyncio.open_unix_connection(sock=connection))

    async def send(self, orders: Mapping[str, Any]) -> None:
        """Send the one line that it waits for."""
        # Whether it was there to read it shows in what it says.
        with contextlib.suppress(ConnectionError):
            self._writer.write(json.dumps(orders).encode() + b"\n")
            await self._writer.drain()

    async def frames(self) -> AsyncGenerator[tuple[int, bytes], None]:
        """Which output (1, 2), and what came there, to the end of the container."""
        try:
            while True:
                header = await self._reader.readexactly(_HEADER)
                size = int.from_bytes(header[4:], "big")
                yield header[0], await self._reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError):
            return

    def cut(self) -> None:
        """Let go."""
        self._writer.close()


class Attended:
    """One command in a container: its output as it comes, and what its keeper says of it."""

    def __init__(self, job: Job, disk: Disk) -> None:
        self._job = job
        self._disk = disk
        self._kept = HeadTail(job.limits.keep_kb << 10)
        self._said = b""
        self._nameless = 0

    async def run(self, line: Line, orders: Mapping[str, Any], stop: asyncio.Event) -> ExecResult:
        """Give the orders, and wait for the end, a limit or `stop`. Raises SandboxError."""
        clock = asyncio.get_running_loop().time
        async with contextlib.aclosing(line.frames()) as frames:
            await self._ready(frames)
            began = clock()
            await line.send(orders)
            ends: Ends = {
                asyncio.ensure_future(self._listen(frames)): lambda much: much or "exit",
                asyncio.ensure_future(stop.wait()): lambda _: "killed",
                asyncio.ensure_future(self._disk_full()): lambda _: "disk",
            }
            reason = await first(ends, began + self._job.limits.wall_s)
        return self._result(reason, clock() - began)

    async def _ready(self, frames: AsyncIterator[tuple[int, bytes]]) -> None:
        """Wait for the keeper: what a container needs to start is not the command's time."""
        try:
            async with asyncio.timeout(_READY_WITHIN_S):
                async for _, data in frames:
                    self._said += data
                    if "ready" in self._status():
                        return
        except TimeoutError as error:
            raise SandboxError("the container's first process did not start") from error
        words = self._said.decode("utf-8", "replace").strip() or "it was killed"
        raise SandboxError(f"the container's first process failed: {words}")

    async def _listen(self, frames: AsyncIterator[tuple[int, bytes]]) -> Reason | None:
        async for stream, data in frames:
            if stream != _OUTPUT:
                self._said += data
                self._hear()
                continue
            self._kept.feed(data)
            if self._job.sink:
                self._job.sink(data)
            if self._kept.total > self._job.limits.output_mb << 20:
                return "output"
        return None

    async def _disk_full(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            if await asyncio.to_thread(self._disk.over, lambda: self._nameless):
                return

    def _hear(self) -> None:
        self._nameless = self._status().get("nameless", self._nameless)

    def _status(self) -> dict[str, Any]:
        """What the keeper has said so far. Words that are no JSON are those of its own end."""
        said: dict[str, Any] = {}
        for line in self._said.splitlines(keepends=True):
            if not line.endswith(b"\n"):
                break
            try:
                said |= json.loads(line)
            except ValueError:
                said["error"] = line.decode("utf-8", "replace").strip()
        return said

    def _result(self, reason: Reason, wall_s: float) -> ExecResult:
        said = self._status()
        if reason == "exit" and "error" in said:
            raise SandboxError(f"the command could not be confined: {said['error']}")
        if reason == "exit":
            reason = said.get("reason", "exit")
        # Without a word it was killed from outside, by the engine or whoever drives it.
        code = int(said.get("code", -9))
        ended = Ended(code, reason, self._kept.render(), self._kept.total, wall_s)
        return as_result(ended, code)
