"""A server that answers from a script, and the emulated GitHub with an App installed on it."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from typing_extensions import override


@dataclass
class Said:
    """One scripted answer."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class Stage:
    """Answers one script after the other; the last one stays. Remembers what was asked."""

    def __init__(self) -> None:
        self.script: list[Said] = []
        self.asked: list[tuple[str, str]] = []
        self.authorizations: list[str | None] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/api/v3"

    def says(self, status: int, body: Any = None, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.script.append(Said(status, body, named))

    def answer(self, method: str, path: str, authorization: str | None) -> Said:
        self.asked.append((method, path.removeprefix("/api/v3")))
        self.authorizations.append(authorization)
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


def _handler(stage: Stage) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            said = stage.answer(self.command, self.path, self.headers.get("Authorization"))
            body = b"" if said.body is None else json.dumps(said.body).encode()
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815

        @override
        def log_message(self, *_: object) -> None:
            pass

    return Handler


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    thread = threading.Thread(target=stage.server.serve_forever, args=(0.01,))
    thread.start()
    yield stage
    stage.server.shutdown()
    stage.server.server_close()
    thread.join()
