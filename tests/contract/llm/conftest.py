"""Doors to the adapters: real SDKs over real HTTP, and the scripted client beside them."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from typing_extensions import override

from pipeline.llm.adapter import Adapter
from pipeline.llm.anthropic import AnthropicMessages
from pipeline.llm.google import GoogleGenerate
from pipeline.llm.openai_chat import OpenAIChat
from pipeline.llm.openai_responses import OpenAIResponses

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


class VersionOne:
    """Gemini's v1 at llmock, which serves v1beta alone: the path is rewritten, nothing else."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path", "")
        if path.startswith("/gemini/v1/"):
            path = path.replace("/gemini/v1/", "/gemini/v1beta/", 1)
            scope = {**scope, "path": path, "raw_path": path.encode()}
        await self._app(scope, receive, send)


@pytest.fixture(scope="session")
def llmock_server() -> Iterator[Any]:
    from llmock.testing import LLMockServer

    server = LLMockServer()
    server.app.add_middleware(VersionOne)
    with server:
        yield server


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
    seen: list[dict[str, str]] = field(default_factory=list)

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
            self.send_header("content-length", str(len(script.body)))
            self.end_headers()
            self.wfile.write(script.body)

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
