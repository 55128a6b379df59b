"""A GitHub that says what a test tells it to, over real HTTP."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typing_extensions import override


class Forge:
    """One answer for every request; remembers what was asked."""

    def __init__(self) -> None:
        self.status, self.body, self.headers = 200, b"", {"Content-Type": "application/json"}
        self.asked: list[tuple[str, str, str | None]] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.host = f"127.0.0.1:{self.server.server_address[1]}"
        self.url = f"http://{self.host}/api/v3"

    def says(self, status: int, body: object, **headers: str) -> None:
        self.status = status
        self.body = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.headers |= {name.replace("_", "-"): value for name, value in headers.items()}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        forge = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                forge.asked.append(("GET", self.path, self.headers.get("Authorization")))
                self.send_response(forge.status)
                for name, value in forge.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(forge.body)))
                self.end_headers()
                self.wfile.write(forge.body)

            @override
            def log_message(self, *_: object) -> None:
                pass

        return Handler


@pytest.fixture
def forge() -> Iterator[Forge]:
    forge = Forge()
    thread = threading.Thread(target=forge.server.serve_forever, args=(0.01,))
    thread.start()
    yield forge
    forge.server.shutdown()
    forge.server.server_close()
    thread.join()
