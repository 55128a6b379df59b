"""Holding one launcher from outside: it ends all it started as soon as we let go."""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any

from pipeline.errors import SandboxError
from pipeline.sandbox.process import readable

_GONE_WITHIN_S = 30.0


class Leash:
    """The lifeline and the status pipe of one run; `line_fd`, `status_fd` belong to the child."""

    def __init__(self) -> None:
        self.line_fd, self._line = os.pipe()
        self._status, self.status_fd = os.pipe()
        os.set_blocking(self._status, False)
        self._text = b""
        self._pulled = False

    async def pull(self) -> None:
        """Let go, and wait until the launcher and all it started are gone. Idempotent.

        Raises SandboxError where that takes too long.
        """
        if self._pulled:
            return
        self._pulled = True
        os.close(self._line)
        try:
            async with asyncio.timeout(_GONE_WITHIN_S):
                while data := await self._read():
                    self._text += data
        except TimeoutError as error:
            raise SandboxError("processes of the sandbox could not be killed") from error
        finally:
            os.close(self._status)

    def status(self) -> dict[str, Any]:
        """What the launcher said last; empty where it said nothing."""
        said: dict[str, Any] = {}
        for line in self._text.splitlines():
            said |= json.loads(line)
        return said

    async def _read(self) -> bytes:
        await readable(self._status)
        return os.read(self._status, 4096)
