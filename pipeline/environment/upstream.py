"""The operator's own HTTP proxy, through which ours goes out where there is one."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

_HEAD_BYTES = 8192


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where it is, and `secret`: what it wants to see, which never enters a sandbox."""

    host: str
    port: int
    secret: str = field(default="", repr=False)

    @classmethod
    def of(cls, url: str) -> Upstream:
        """From `http://[user:password@]host:port`. Raises ValueError that names the mend."""
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError("must be http://HOST:PORT: other kinds of proxies are not spoken to")
        secret = ""
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            secret = base64.b64encode(pair.encode()).decode()
        return cls(parts.hostname, parts.port or 80, secret)

    async def connect(
        self, host: str, port: int
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A tunnel to `host`. Raises OSError where the proxy does not give one."""
        reader, writer = await asyncio.open_connection(self.host, self.port, limit=_HEAD_BYTES)
        lines = [f"CONNECT {host}:{port} HTTP/1.1", f"Host: {host}:{port}"]
        lines += [f"Proxy-Authorization: Basic {self.secret}"] if self.secret else []
        try:
            writer.write("".join(f"{line}\r\n" for line in (*lines, "")).encode())
            head = await reader.readuntil(b"\r\n\r\n")
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            writer.close()
            raise OSError("the upstream proxy did not answer") from error
        if head.split(b" ", 2)[1:2] != [b"200"]:
            writer.close()
            raise OSError("the upstream proxy refused")
        return reader, writer
