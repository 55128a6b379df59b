"""Runs inside a sandbox in SETUP: a port of the own loopback that leads to the proxy's socket.

Arguments: the unix socket and the command, which takes this process over once the port listens.
Standard library only, and run as a file: nothing of this package is visible inside.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Awaitable, Callable

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_CHUNK = 1 << 16


def main() -> None:
    """Listen, leave a child behind that relays, and become the command."""
    path, argv = sys.argv[1], sys.argv[2:]
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        if os.fork() == 0:
            # The output must end with the command, so the child lets go of it.
            null = os.open(os.devnull, os.O_RDWR)
            for descriptor in (0, 1, 2):
                os.dup2(null, descriptor)
            asyncio.run(serve(server, path))
    os.environ.update(proxied(address))
    become(argv)


def proxied(address: str) -> dict[str, str]:
    """The variables by which programs find a proxy; Java's know none of the usual ones."""
    names = (*VARIABLES, *(name.lower() for name in VARIABLES))
    host, _, port = address.rpartition("/")[2].partition(":")
    java = (f"-D{kind}.proxyHost={host} -D{kind}.proxyPort={port}" for kind in ("http", "https"))
    return {**dict.fromkeys(names, address), "JAVA_TOOL_OPTIONS": " ".join(java)}


def become(argv: list[str]) -> None:
    """Replace this process by the command; 127 and 126 as in a shell where that fails."""
    try:
        os.execvp(argv[0], argv)
    except FileNotFoundError:
        sys.stderr.write(f"{argv[0]}: no such file or directory\n")
        sys.exit(127)
    except OSError as error:
        sys.stderr.write(f"{argv[0]}: {error.strerror}\n")
        sys.exit(126)


async def serve(server: socket.socket, path: str) -> None:
    """Lead every connection to the unix socket, for ever."""
    async with await asyncio.start_server(joined(path), sock=server) as listening:
        await listening.serve_forever()


def joined(path: str) -> Handler:
    """What joins a connection with one of its own to the unix socket."""

    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            source, sink = await asyncio.open_unix_connection(path)
        except OSError:
            writer.close()
            return
        await asyncio.gather(copied(reader, sink), copied(source, writer))
        sink.close()
        writer.close()

    return join


async def copied(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Everything from one to the other, and the end of it as well."""
    try:
        while data := await source.read(_CHUNK):
            sink.write(data)
            await sink.drain()
        sink.write_eof()
    except OSError:
        sink.close()


if __name__ == "__main__":
    main()
