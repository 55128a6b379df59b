"""A port on the host's loopback that leads to the proxy, for commands without an own loopback."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Self

from pipeline.sandbox.relay import joined


class Doorway:
    """Open from `open` to `close`. Who may reach it is Landlock's to say: it rules by port."""

    def __init__(self, server: asyncio.Server) -> None:
        self._server = server
        self.port: int = server.sockets[0].getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"

    @classmethod
    async def open(cls, proxy_socket: Path) -> Self:
        """Listen, and lead every connection to `proxy_socket`."""
        return cls(await asyncio.start_server(joined(str(proxy_socket)), "127.0.0.1", 0))

    async def close(self) -> None:
        """Stop listening, and end what is still connected."""
        self._server.close()
