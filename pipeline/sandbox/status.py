"""Following one bubblewrap from outside: did the command start, and is the last process gone?"""

from __future__ import annotations

import asyncio
import json
import os

from pipeline.errors import SandboxError
from pipeline.sandbox.process import readable

_GONE_WITHIN_S = 30.0


class Status:
    """The pipe that bubblewrap writes its status to; `write_end` belongs to the child."""

    def __init__(self) -> None:
        self._read_end, self.write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        self._text = b""
        self._first: int | None = None
        self._following = asyncio.ensure_future(self._follow())

    @property
    def started(self) -> bool:
        """Whether the command itself ran; known after `gone`."""
        return any("exit-code" in json.loads(line) for line in self._text.splitlines())

    async def gone(self) -> None:
        """Wait until no process of the sandbox is left. Raises SandboxError if they do not die.

        Bubblewrap itself is dead by now, and its death kills the sandbox's first process. That one
        counts as dead only after the kernel ended every other process of its namespace.
        """
        try:
            async with asyncio.timeout(_GONE_WITHIN_S):
                await self._following
                if self._first is not None:
                    await readable(self._first)
        except TimeoutError as error:
            raise SandboxError("processes of the sandbox could not be killed") from error
        finally:
            self._close()

    async def _follow(self) -> None:
        while True:
            await readable(self._read_end)
            data = os.read(self._read_end, 4096)
            if not data:
                return
            self._text += data
            if self._first is None and b"\n" in self._text:
                self._first = _opened(json.loads(self._text.splitlines()[0])["child-pid"])

    def _close(self) -> None:
        self._following.cancel()
        os.close(self._read_end)
        if self._first is not None:
            os.close(self._first)


def _opened(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None
