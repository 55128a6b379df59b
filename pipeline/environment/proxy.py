"""The HTTP CONNECT proxy on a unix socket through which a set-up reaches registries, and only them.

Names are resolved here, and the connection goes to the very address that was judged: a second look
at the name could be answered differently. What passes is TLS and is not read.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import socket
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.environment.blocked import Blocked, Why
from pipeline.environment.gate import Gate
from pipeline.environment.keyring import Credential, Keyring, keyed
from pipeline.environment.upstream import Upstream

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_HEAD_BYTES = 8192
_CHUNK = 1 << 16
_MOST_NAMES = 50
# Of more digits Python makes no number.
_PORT = re.compile(r"[0-9]{1,5}")


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bytes of all tunnels together, tunnels at once, and seconds of waiting.

    A registry is asked and answers: what goes up is small, or it is something else.
    """

    down: int = 4 << 30
    up: int = 32 << 20
    tunnels: int = 100
    head_s: float = 10.0
    connect_s: float = 20.0
    idle_s: float = 120.0


@dataclass(slots=True)
class Traffic:
    """What was seen: how often something was blocked, and each "name:port" reached."""

    blocked: Counter[Blocked] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    down: int = 0
    up: int = 0

    def note(self, what: Blocked) -> None:
        """Count something that was blocked; a hostile set-up cannot make the list long."""
        if what in self.blocked or len(self.blocked) < _MOST_NAMES:
            self.blocked[what] += 1


class Refused(Exception):
    """A request is not let through; `status` is HTTP's."""

    def __init__(self, status: str, why: str) -> None:
        super().__init__(why)
        self.status = status


async def look_up(host: str, port: int) -> Sequence[str]:
    """The addresses of a name, by the host's resolver. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(where[4][0]) for where in found))


class Proxy:
    """One set-up's way out. `traffic` says afterwards what it asked for."""

    def __init__(
        self,
        gate: Gate,
        *,
        bounds: Bounds | None = None,
        upstream: Upstream | None = None,
        resolve: Resolve = look_up,
        keyring: Keyring | None = None,
    ) -> None:
        """`upstream` is the operator's own proxy: then names are resolved there.

        What `keyring` has a credential for is opened, and nothing else: it goes on with that.
        """
        self.traffic = Traffic()
        self._gate = gate
        self._bounds = bounds or Bounds()
        self._upstream = upstream
        self._resolve = resolve
        self._keyring = keyring
        self._open = 0

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Path]:
        """Serve on a unix socket, in a directory that only we can enter, until the block ends."""
        home = Path(tempfile.mkdtemp(prefix="acp-proxy-"))
        path = home / "proxy.sock"
        running: set[asyncio.Task[None]] = set()

        def taken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.ensure_future(self._serve(reader, writer))
            running.add(task)
            task.add_done_callback(running.discard)

        server = await asyncio.start_unix_server(taken, path, limit=_HEAD_BYTES)
        try:
            path.chmod(0o666)
            yield path
        finally:
            server.close()
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            shutil.rmtree(home, ignore_errors=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            host, port = await self._asked(reader)
            if self._keyring and (credential := self._keyring.of(host, port)):
                await self._open_up((reader, writer), host, port, credential)
            else:
                await self._tunnel((reader, writer), host, port)
        except Refused as error:
            await _answer(writer, f"{error.status}\r\nX-Proxy-Error: {error}")
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            await _answer(writer, "502 Bad Gateway")
        finally:
            self._open -= 1
            writer.close()

    async def _tunnel(self, inside: Streams, host: str, port: int) -> None:
        """What passes is not read."""
        source, sink = await self._reach(host, port)
        self.traffic.reached[f"{host}:{port}"] += 1
        with contextlib.closing(sink):
            await _answer(inside[1], "200 Connection established", last=False)
            await self._join(inside, (source, sink), f"{host}:{port}")

    async def _open_up(self, inside: Streams, host: str, port: int, credential: Credential) -> None:
        """One request, to which the credential is added, and its answer."""
        assert self._keyring is not None
        reader, writer = inside
        name = f"{host}:{port}"
        await _answer(writer, "200 Connection established", last=False)
        async with asyncio.timeout(self._bounds.head_s):
            await writer.start_tls(self._keyring.server(host))
            head = await reader.readuntil(b"\r\n\r\n")
        self._count(len(head), name, up=True)
        asked = keyed(head, credential)
        if isinstance(asked, Why):
            self._blocked(name, asked)
            raise Refused("403 Forbidden", asked)
        source, sink = await self._reach(host, port)
        with contextlib.closing(sink):
            await sink.start_tls(self._keyring.client, server_hostname=host)
            self.traffic.reached[name] += 1
            sink.write(asked)
            await sink.drain()
            await self._copy(source, writer, name, up=False)

    async def _asked(self, reader: asyncio.StreamReader) -> tuple[str, int]:
        """Name and port of a CONNECT. Raises Refused for everything else."""
        if self._open > self._bounds.tunnels:
            raise Refused("503 Service Unavailable", "too many connections at once")
        async with asyncio.timeout(self._bounds.head_s):
            head = await reader.readuntil(b"\r\n\r\n")
        words = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
        host, _, port = (words[1] if len(words) > 1 else "").rpartition(":")
        if words[0] != "CONNECT" or not host or not _PORT.fullmatch(port):
            self._blocked(words[1] if len(words) > 1 else "?", Why.PLAIN)
            raise Refused("405 Method Not Allowed", "only CONNECT goes through here")
        if why := self._gate.refuses(host, int(port)):
            self._blocked(f"{host}:{port}", why)
            raise Refused("403 Forbidden", why)
        return host.lower().rstrip("."), int(port)

    async def _reach(self, host: str, port: int) -> Streams:
        """An open connection. Raises Refused, OSError, TimeoutError."""
        async with asyncio.timeout(self._bounds.connect_s):
            if self._upstream is not None:
                return await self._upstream.connect(host, port)
            addresses = [one for one in await self._resolve(host, port) if self._gate.admits(one)]
            if not addresses:
                self._blocked(f"{host}:{port}", Why.PRIVATE)
                raise Refused("403 Forbidden", "no public address")
            return await _first_open(addresses, port)

    def _blocked(self, what: str, why: Why, more: str = "") -> None:
        shown = "".join(char if char.isprintable() else "?" for char in what[:200])
        self.traffic.note(Blocked(shown, why, more))

    async def _join(self, inside: Streams, outside: Streams, name: str) -> None:
        both = (
            asyncio.ensure_future(self._copy(inside[0], outside[1], name, up=True)),
            asyncio.ensure_future(self._copy(outside[0], inside[1], name, up=False)),
        )
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for one in both:
                one.cancel()
            await asyncio.gather(*both, return_exceptions=True)

    async def _copy(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, name: str, *, up: bool
    ) -> None:
        """Raises OSError, TimeoutError, and Refused past the bounds: both ways end with it."""
        while True:
            async with asyncio.timeout(self._bounds.idle_s):
                data = await source.read(_CHUNK)
            if not data:
                break
            self._count(len(data), name, up=up)
            sink.write(data)
            await sink.drain()
        with contextlib.suppress(OSError, RuntimeError):
            sink.write_eof()

    def _count(self, size: int, name: str, *, up: bool) -> None:
        if up:
            self.traffic.up += size
        else:
            self.traffic.down += size
        if self.traffic.up > self._bounds.up:
            said = f"more than {self._bounds.up:,} bytes were sent"
        elif self.traffic.down > self._bounds.down:
            said = f"more than {self._bounds.down:,} bytes were fetched"
        else:
            return
        self._blocked(name, Why.TOO_MUCH, said)
        raise Refused("403 Forbidden", "too much")


async def _first_open(addresses: Sequence[str], port: int) -> Streams:
    failed: OSError | None = None
    for address in addresses:
        try:
            return await asyncio.open_connection(address, port)
        except OSError as error:
            failed = error
    raise failed or OSError("no address")


async def _answer(writer: asyncio.StreamWriter, status: str, *, last: bool = True) -> None:
    more = "\r\nContent-Length: 0\r\nConnection: close" if last else ""
    with contextlib.suppress(OSError):
        writer.write(f"HTTP/1.1 {status}{more}\r\n\r\n".encode("latin-1", "replace"))
        await writer.drain()
