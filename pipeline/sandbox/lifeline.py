"""Holding one bubblewrap from outside: nothing starts without our word, and all of it ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline.errors import SandboxError
from pipeline.sandbox.process import readable

_KNOWN_WITHIN_S = 10.0
_GONE_WITHIN_S = 30.0

# `--die-with-parent` takes hold only late in bubblewrap's own start. Were we killed before that,
# one of its processes would wait for the other for ever: so until then somebody watches us, who
# kills the group when our pipe ends without a line.
_WATCH = (
    'line=$1; shift; (exec >&- 2>&-; read -r _ <"/proc/$PPID/fd/$line" || kill -9 0) & exec "$@"'
)
# And were the group left behind already, the command would run on with nobody to end it: so it
# waits for a word that only we can give.
WAIT_FOR_WORD = ("/bin/sh", "-c", 'echo >&0; read -r word && exec "$@" </dev/null', "sh")


class Lifeline:
    """The status pipe and the socket of one run; `status_fd` and `word_fd` belong to the child.

    `prepare` gets the number of the process that will become the command, while it still waits for
    our word; an OSError there means that it never gets it.
    """

    def __init__(self, prepare: Callable[[int], None] = lambda _: None) -> None:
        self._prepare = prepare
        self._status, self.status_fd = os.pipe()
        os.set_blocking(self._status, False)
        self._watched = os.pipe()
        self._word, theirs = socket.socketpair()
        self._word.settimeout(0)
        self.word_fd = theirs.detach()
        self._text = b""
        self._first: int | None = None
        self._known = asyncio.Event()
        self._following = asyncio.ensure_future(self._follow())

    def watching(self, argv: Sequence[str]) -> tuple[str, ...]:
        """`argv` beside a watcher that ends it should we be killed before it has started."""
        return ("/bin/sh", "-c", _WATCH, "sh", str(self._watched[0]), *argv)

    @property
    def started(self) -> bool:
        """Whether the command itself ran; known after `gone`."""
        return any("exit-code" in json.loads(line) for line in self._text.splitlines())

    async def kill(self) -> None:
        """Kill the first process of the sandbox, and with it every other one in its namespace."""
        # Bubblewrap must live until it has named that process, or it could not be found any more.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_KNOWN_WITHIN_S):
                await self._known.wait()
        self._kill_first()

    async def gone(self) -> None:
        """Wait until no process of the sandbox is left. Raises SandboxError if they do not die.

        The first process counts as dead only after the kernel ended all others.
        """
        try:
            async with asyncio.timeout(_GONE_WITHIN_S):
                await self._following
                self._kill_first()
                if self._first is not None:
                    await readable(self._first)
        except TimeoutError as error:
            raise SandboxError("processes of the sandbox could not be killed") from error
        finally:
            self._close()

    async def _follow(self) -> None:
        try:
            while b"\n" not in self._text:
                if not await self._read():
                    return
            # It waits for our word, so it lives, and the number is still its own.
            self._first = os.pidfd_open(json.loads(self._text.splitlines()[0])["child-pid"])
        finally:
            self._known.set()
        await self._say()
        while await self._read():
            continue

    async def _read(self) -> bool:
        await readable(self._status)
        data = os.read(self._status, 4096)
        self._text += data
        return bool(data)

    async def _say(self) -> None:
        await readable(self._word.fileno())
        with contextlib.suppress(ConnectionError):
            if self._word.recv(1):
                os.write(self._watched[1], b"\n")
                if self._prepared():
                    self._word.send(b"\n")

    def _prepared(self) -> bool:
        """Whether it may go on; False where it was killed while it waited.

        Raises SandboxError, and lets the one who waits end, where it could not be prepared.
        """
        init = json.loads(self._text.splitlines()[0])["child-pid"]
        try:
            waiting = Path(f"/proc/{init}/task/{init}/children").read_text().split()
            if waiting:
                self._prepare(int(waiting[0]))
        except (FileNotFoundError, ProcessLookupError):
            return False
        except (OSError, ValueError) as error:
            self._word.shutdown(socket.SHUT_RDWR)
            raise SandboxError(f"the command could not be limited: {error}") from error
        return bool(waiting)

    def _kill_first(self) -> None:
        if self._first is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._first, signal.SIGKILL)

    def _close(self) -> None:
        self._following.cancel()
        self._word.close()
        for descriptor in (self._status, *self._watched):
            os.close(descriptor)
        if self._first is not None:
            os.close(self._first)
