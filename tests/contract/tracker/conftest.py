"""A Jira that says what a test tells it to, over real HTTP."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typing_extensions import override


class Tracker:
    """One answer for every request; remembers what was asked."""

    def __init__(self) -> None:
        self.status, self.body, self.headers = 200, b"", {"Content-Type": "application/json"}
        self.asked: list[tuple[str, str, str | None]] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.host = f"127.0.0.1:{self.server.server_address[1]}"
        self.url = f"http://{self.host}"

    def says(self, status: int, body: object, **headers: str) -> None:
        self.status = status
        self.body = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.headers |= {name.replace("_", "-"): value for name, value in headers.items()}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        tracker = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                tracker.asked.append(("GET", self.path, self.headers.get("Authorization")))
                self.send_response(tracker.status)
                for name, value in tracker.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(tracker.body)))
                self.end_headers()
                self.wfile.write(tracker.body)

            @override
            def log_message(self, *_: object) -> None:
                pass

        return Handler


@pytest.fixture
def tracker() -> Iterator[Tracker]:
    tracker = Tracker()
    thread = threading.Thread(target=tracker.server.serve_forever, args=(0.01,))
    thread.start()
    yield tracker
    tracker.server.shutdown()
    tracker.server.server_close()
    thread.join()
