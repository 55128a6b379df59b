"""The proxy of SETUP, spoken to over its socket as a relay does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from pipeline.environment.blocked import Blocked, Why
from pipeline.environment.gate import Gate
from pipeline.environment.proxy import Bounds, Proxy, Traffic
from pipeline.environment.upstream import Upstream

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], object]


@asynccontextmanager
async def registry(answer: bytes = b"pong") -> AsyncIterator[int]:
    """Answers the first bytes of every connection, on a loopback port."""

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1 << 16)
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(served, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@dataclass
class Names:
    """A resolver that answers by the list, one answer after the other."""

    answers: list[Sequence[str]]
    asked: list[str] = field(default_factory=list)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(f"{host}:{port}")
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@asynccontextmanager
async def asking(proxy: Proxy, request: str, *, then: bytes = b"ping") -> AsyncIterator[bytes]:
    """Everything that comes back on one connection."""
    async with proxy.listening() as path:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(request.encode() + b"\r\nHost: x\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"HTTP/1.1 200"):
            writer.write(then)
            head += await reader.read()
        writer.close()
        yield head


def seen_by(proxy: Proxy) -> list[str]:
    return [str(one) for one in proxy.traffic.blocked]


def gate(port: int, *networks: str) -> Gate:
    return Gate.of([f"index.example:{port}"], networks)


LOCAL = "127.0.0.0/8"


async def test_a_registry_is_reached_by_its_name() -> None:
    async with registry() as port:
        names = Names([["127.0.0.1"]])
        proxy = Proxy(gate(port, LOCAL), resolve=names)
        async with asking(proxy, f"CONNECT Index.Example:{port} HTTP/1.1") as said:
            assert said == b"HTTP/1.1 200 Connection established\r\n\r\npong"
        assert names.asked == [f"index.example:{port}"]
        assert proxy.traffic.reached == {f"index.example:{port}": 1}
        assert (proxy.traffic.up, proxy.traffic.down) == (4, 4)


async def test_a_name_that_leads_to_a_private_address_is_refused() -> None:
    async with registry() as port:
        proxy = Proxy(gate(port), resolve=Names([["127.0.0.1", "10.0.0.1"]]))
        async with asking(proxy, f"CONNECT index.example:{port} HTTP/1.1") as said:
            assert said.startswith(b"HTTP/1.1 403 ")
        assert seen_by(proxy) == [f"index.example:{port} (its address is not a public one)"]


async def test_an_answer_that_changes_after_it_was_judged_is_never_used() -> None:
    async with registry() as port:
        # Nobody listens at the first one: who looks the name up twice connects to the second.
        names = Names([["127.0.0.2"], ["127.0.0.1"]])
        proxy = Proxy(gate(port, LOCAL), resolve=names)
        async with asking(proxy, f"CONNECT index.example:{port} HTTP/1.1") as said:
            assert said.startswith(b"HTTP/1.1 502 ")
        assert len(names.asked) == 1


async def test_of_several_addresses_only_the_judged_ones_are_tried() -> None:
    async with registry() as port:
        proxy = Proxy(gate(port, "127.0.0.1/32"), resolve=Names([["127.0.0.2", "127.0.0.1"]]))
        async with asking(proxy, f"CONNECT index.example:{port} HTTP/1.1") as said:
            assert said.endswith(b"pong")


REFUSED = {
    "CONNECT evil.example:443 HTTP/1.1": ("403", "evil.example:443 (not a registry)"),
    "CONNECT index.example:22 HTTP/1.1": ("403", "index.example:22 (not a registry)"),
    "CONNECT 169.254.169.254:443 HTTP/1.1": (
        "403",
        "169.254.169.254:443 (an address instead of a name)",
    ),
    "CONNECT [::1]:443 HTTP/1.1": ("403", "[::1]:443 (an address instead of a name)"),
    "GET http://evil.example/ HTTP/1.1": ("405", "http://evil.example/ (only https goes through)"),
    "GET index.example:443 HTTP/1.1": ("405", "index.example:443 (only https goes through)"),
    "CONNECT index.example HTTP/1.1": ("405", "index.example (only https goes through)"),
    f"CONNECT index.example:{'9' * 5000} HTTP/1.1": (
        "405",
        f"index.example:{'9' * 186} (only https goes through)",
    ),
    "nonsense": ("405", "? (only https goes through)"),
}


@pytest.mark.parametrize(("request_line", "seen"), REFUSED.items())
async def test_other_requests_are_refused_and_written_down(
    request_line: str, seen: tuple[str, str]
) -> None:
    names = Names([["127.0.0.1"]])
    proxy = Proxy(Gate.of(["index.example"]), resolve=names)
    async with asking(proxy, request_line) as said:
        assert said.decode().startswith(f"HTTP/1.1 {seen[0]} ")
    assert seen_by(proxy) == [seen[1]]
    assert names.asked == []


@pytest.mark.parametrize(
    ("bounds", "why"),
    [(Bounds(up=3), "more than 3 bytes were sent"), (Bounds(down=3), "more than 3 bytes")],
)
async def test_what_goes_up_and_down_is_bounded(bounds: Bounds, why: str) -> None:
    async with registry() as port:
        proxy = Proxy(gate(port, LOCAL), bounds=bounds, resolve=Names([["127.0.0.1"]]))
        async with asking(proxy, f"CONNECT index.example:{port} HTTP/1.1") as said:
            assert not said.endswith(b"pong")
        assert why in str(seen_by(proxy))


async def test_a_head_without_an_end_is_not_waited_for() -> None:
    proxy = Proxy(Gate(), bounds=Bounds(head_s=0.1))
    async with proxy.listening() as path:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"CONNECT")
        assert (await reader.read()).startswith(b"HTTP/1.1 502 ")
        writer.close()


async def test_a_head_of_any_size_is_not_read() -> None:
    proxy = Proxy(Gate())
    async with proxy.listening() as path:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"CONNECT " + b"x" * 100_000)
        assert (await reader.read()).startswith(b"HTTP/1.1 502 ")
        writer.close()


async def test_nobody_else_can_reach_the_socket_and_nothing_is_left_of_it() -> None:
    async with Proxy(Gate()).listening() as path:
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert path.stat().st_mode & 0o666 == 0o666
    assert not path.parent.exists()


async def test_the_list_of_what_was_blocked_stays_short() -> None:
    traffic = Traffic()
    for number in range(1000):
        traffic.note(Blocked(f"host{number}", Why.UNKNOWN))
    assert len(traffic.blocked) == 50


@asynccontextmanager
async def upstream(heads: list[bytes], answer: bytes) -> AsyncIterator[int]:
    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await reader.read(4)
        writer.write(b"pong")
        writer.close()

    async with await asyncio.start_server(served, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def test_the_operators_own_proxy_is_gone_through_with_its_password() -> None:
    heads: list[bytes] = []
    async with upstream(heads, b"HTTP/1.1 200 OK\r\n\r\n") as port:
        out = Upstream.of(f"http://user:p%40ss@127.0.0.1:{port}")
        names = Names([["10.0.0.1"]])
        proxy = Proxy(Gate.of(["index.example"]), upstream=out, resolve=names)
        async with asking(proxy, "CONNECT index.example:443 HTTP/1.1") as said:
            assert said.endswith(b"pong")
    assert heads[0].splitlines()[0] == b"CONNECT index.example:443 HTTP/1.1"
    assert b"Proxy-Authorization: Basic dXNlcjpwQHNz" in heads[0]
    assert names.asked == []
    assert "p@ss" not in repr(out)
    assert "dXNl" not in repr(out)


async def test_an_upstream_proxy_that_refuses_is_a_connection_that_fails() -> None:
    async with upstream([], b"HTTP/1.1 407 Who are you\r\n\r\n") as port:
        out = Upstream.of(f"127.0.0.1:{port}")
        proxy = Proxy(Gate.of(["index.example"]), upstream=out)
        async with asking(proxy, "CONNECT index.example:443 HTTP/1.1") as said:
            assert said.startswith(b"HTTP/1.1 502 ")


@pytest.mark.parametrize("url", ["socks5://127.0.0.1:1080", "https://proxy.example", "http://"])
def test_another_kind_of_proxy_is_refused_in_a_sentence(url: str) -> None:
    with pytest.raises(ValueError, match="must be http://HOST:PORT"):
        Upstream.of(url)
