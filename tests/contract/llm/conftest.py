"""Doors to the adapters: real SDKs over real HTTP, and the scripted client beside them."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.request import Request, urlopen

import pytest
from typing_extensions import override

from pipeline.llm.adapter import Adapter
from pipeline.llm.anthropic import AnthropicMessages
from pipeline.llm.google import GoogleGenerate
from pipeline.llm.openai_chat import OpenAIChat
from pipeline.llm.openai_responses import OpenAIResponses
from tests.contract.llm import peers

KEY = "sk-canary-0123456789abcdef"


@dataclass(frozen=True)
class Wire:
    """One adapter and where each kind of double serves it."""

    name: str
    kind: type[Adapter]
    vendor: str
    llmock: str  # the provider's name in llmock
    suffix: str = ""  # what the SDK wants behind a server's root
    api_version: str | None = None

    def open(self, root: str, *, model: str = "", silence_s: float | None = None) -> Adapter:
        return self.kind(
            model or f"{self.vendor}-test",
            api_key=KEY,
            base_url=root + self.suffix,
            api_version=self.api_version,
            silence_s=silence_s,
        )

    def at(self, llmock: Any, **options: Any) -> Adapter:
        """The adapter before llmock, which has an address for each provider."""
        root = llmock.base_url(self.llmock)
        return self.open(root.removesuffix(self.suffix), model="m", **options)


WIRES = (
    Wire("responses", OpenAIResponses, "openai", "openai", "/v1"),
    Wire("chat", OpenAIChat, "openai", "openai", "/v1"),
    Wire("messages", AnthropicMessages, "anthropic", "anthropic"),
    Wire("generate", GoogleGenerate, "google", "gemini"),
    Wire("generate_v1", GoogleGenerate, "google", "gemini", api_version="v1"),
)


BY_NAME = {wire.name: wire for wire in WIRES}


class Doorway:
    """What stands before llmock: Gemini's v1, which it does not serve, by a rewritten path.

    With `keeps_wishes`, no `Retry-After` comes through: llmock sends one with every 429.
    """

    def __init__(self) -> None:
        self.keeps_wishes = False

    def before(self, app: Any) -> Any:
        async def door(scope: Any, receive: Any, send: Any) -> None:
            path = scope.get("path", "")
            if path.startswith("/gemini/v1/"):
                path = path.replace("/gemini/v1/", "/gemini/v1beta/", 1)
                scope = {**scope, "path": path, "raw_path": path.encode()}
            await app(scope, receive, lambda message: send(self._through(message)))

        return door

    def _through(self, message: Any) -> Any:
        if not self.keeps_wishes or "headers" not in message:
            return message
        kept = [(k, v) for k, v in message["headers"] if not k.startswith(b"retry-after")]
        return {**message, "headers": kept}


@pytest.fixture(scope="session")
def the_doorway() -> Doorway:
    return Doorway()


@pytest.fixture
def doorway(the_doorway: Doorway) -> Iterator[Doorway]:
    yield the_doorway
    the_doorway.keeps_wishes = False


@pytest.fixture(scope="session")
def llmock_server(the_doorway: Doorway) -> Iterator[Any]:
    from llmock.testing import LLMockServer

    server = LLMockServer()
    server.app.add_middleware(the_doorway.before)
    with server:
        yield server


@dataclass(frozen=True)
class Aimock:
    """A running aimock; `garble` makes it answer 200 with what is no JSON."""

    url: str

    def garble(self) -> None:
        self._chaos("POST", b'{"malformedRate": 1}')

    def behave(self) -> None:
        self._chaos("DELETE", None)

    def _chaos(self, method: str, data: bytes | None) -> None:
        kind = {"Content-Type": "application/json"}
        request = Request(f"{self.url}/__aimock/chaos", data, kind, method=method)
        with urlopen(request, timeout=10):
            pass


@pytest.fixture(scope="session")
def the_aimock() -> Iterator[Aimock]:
    script = str(peers.LOCKS / "aimock.json")
    command = [*peers.aimock(), "-p", "0", "-f", script, "--chunk-size", "8"]
    with peers.running(command) as process:
        assert process.stdout is not None
        yield Aimock(
            next(u for line in process.stdout for u in re.findall(r"http://[\d.:]+", line))
        )


@pytest.fixture
def aimock(the_aimock: Aimock) -> Iterator[Aimock]:
    yield the_aimock
    the_aimock.behave()


@pytest.fixture(params=BY_NAME)
def wire(request: pytest.FixtureRequest) -> Wire:
    """Every wire in turn; a test for some of them names them, indirectly."""
    return BY_NAME[request.param]


@pytest.fixture
def wires() -> dict[str, Wire]:
    return BY_NAME


@pytest.fixture
async def opened() -> AsyncIterator[Callable[[Any], Any]]:
    """Keep a client, to be closed with the test."""
    async with AsyncExitStack() as stack:

        def keep(client: Any) -> Any:
            stack.push_async_callback(client.aclose)
            return client

        yield keep


@dataclass
class Canned:
    """A server that answers every POST with the same bytes."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    calls: int = 0
    url: str = ""
    asked: list[str] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    first: list[bytes] = field(default_factory=list)  # what is said before `body`, once each
    seen: list[dict[str, str]] = field(default_factory=list)

    def garble(self) -> None:
        self.say(200, "{malformed json: <<<chaos>>>", content_type="application/json")

    def say(self, status: int, body: str, **headers: str) -> None:
        self.status, self.body = status, body.encode()
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.fixture
def canned() -> Iterator[Canned]:
    script = Canned()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["content-length"]))
            script.bodies.append(json.loads(sent))
            script.seen.append(dict(self.headers))
            script.calls += 1
            script.asked.append(self.path)
            self.send_response(script.status)
            for name, value in script.headers.items():
                self.send_header(name, value)
            body = script.first.pop(0) if script.first else script.body
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield script
    server.shutdown()
    thread.join()
    server.server_close()
