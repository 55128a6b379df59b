"""The emulated Jira's server: threads on loopback, with faults before or after the effect."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from typing_extensions import override

from bot.emulators.jira.rest import Rest


@dataclass(slots=True)
class Fault:
    """Answers the next `times` requests of a kind with `status`; `after`: once they are done."""

    method: str
    path: str
    status: int
    times: int
    after: bool = False
    retry_after: str = ""


class Server:
    """Serves from construction to `close`; `asked` remembers method and path of every request."""

    def __init__(self, rest: Rest) -> None:
        self.faults: list[Fault] = []
        self.asked: list[str] = []
        self._lock = threading.Lock()
        self._rest = rest
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def close(self) -> None:
        """Stop serving."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def answer(
        self, method: str, target: str, headers: dict[str, str], raw: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body."""
        parts = urlsplit(target)
        with self._lock:
            self.asked.append(f"{method} {parts.path}")
            fault = self._strike(method, parts.path)
            if fault is not None and not fault.after:
                return _failed(fault)
            try:
                data = json.loads(raw) if raw else {}
            except ValueError:
                data = {}
            query = dict(parse_qsl(parts.query))
            status, said = self._rest.answer(method, parts.path, query, headers, (raw, data))
        if fault is not None:
            return _failed(fault)
        return status, {}, b"" if said is None else json.dumps(said).encode()

    def _strike(self, method: str, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.times > 0 and fault.method in ("", method) and path.endswith(fault.path):
                fault.times -= 1
                return fault
        return None


def _failed(fault: Fault) -> tuple[int, dict[str, str], bytes]:
    headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
    return fault.status, headers, b'{"errorMessages": ["broken on demand"]}'


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, more, body = server.answer(self.command, self.path, headers, raw)
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **more}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - the library's names

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Nothing is logged."""

    return Handler
