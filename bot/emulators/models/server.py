"""The HTTP door: paths to wires, on loopback only."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, Self

from typing_extensions import override

from bot.emulators.models import anthropic, google, listing, openai, openai_stream
from bot.emulators.models.stage import Incoming, Json, Played, Refusal, SeatMap, Stage
from pipeline.llm.scripted import Playable

HOST = "127.0.0.1"
_GEMINI = re.compile(r"/v1(?:beta)?/models/(?P<model>[^/:]+):(?P<stream>stream)?[gG]enerateContent")


@dataclass(frozen=True, slots=True)
class _Wire:
    read: Callable[[Json], Incoming]
    write: Callable[[Incoming, Played], Json]
    refuse: Callable[[Refusal], Json]


_WIRES = {
    "/v1/responses": _Wire(openai.read_responses, openai.write_responses, openai.refuse),
    "/v1/chat/completions": _Wire(openai.read_chat, openai.write_chat, openai.refuse),
    "/v1/messages": _Wire(anthropic.read_messages, anthropic.write_messages, anthropic.refuse),
}


class ModelServer:
    """A server that plays a script to the real SDKs; a context manager, ready once built.

    `script` maps seats to turns (see `pipeline.llm.scripted`), `seats` requests to seats (see
    `Stage`). `port` 0 takes a free one; `offered` are the ids that a list of models tells. Any key
    is accepted, none is refused with 401.
    """

    def __init__(
        self,
        script: Mapping[str, Sequence[Playable]],
        *,
        seats: SeatMap | None = None,
        port: int = 0,
        offered: Sequence[str] = (),
    ) -> None:
        self.offered = tuple(offered)
        self.stage = Stage(script, seats)
        self._requests: list[Incoming] = []
        self._lock = Lock()
        self._http = _Http((HOST, port), _Handler)
        self._http.owner = self
        self._thread = Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The root, without a slash at the end."""
        return f"http://{HOST}:{self._http.server_address[1]}"

    @property
    def base_urls(self) -> dict[str, str]:
        """What each vendor's SDK takes as its base URL."""
        return {"openai": f"{self.url}/v1", "anthropic": self.url, "google": self.url}

    @property
    def environment(self) -> dict[str, str]:
        """The variables that send all three SDKs here."""
        return {
            "OPENAI_API_KEY": "emulated",
            "OPENAI_BASE_URL": self.base_urls["openai"],
            "ANTHROPIC_API_KEY": "emulated",
            "ANTHROPIC_BASE_URL": self.base_urls["anthropic"],
            "GOOGLE_API_KEY": "emulated",
            "GOOGLE_GEMINI_BASE_URL": self.base_urls["google"],
        }

    @property
    def requests(self) -> tuple[Incoming, ...]:
        """Every request so far that could be read, in order of arrival."""
        with self._lock:
            return tuple(self._requests)

    def answer(self, wire: _Wire, body: Json) -> tuple[Incoming, Json]:
        """Record the request and play its turn. Raises `Refusal`."""
        try:
            incoming = wire.read(body)
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise Refusal(400, "unreadable_request", f"cannot be read: {error!r}") from error
        with self._lock:
            self._requests.append(incoming)
        return incoming, wire.write(incoming, self.stage.play(incoming))

    def close(self) -> None:
        """Stop serving."""
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    owner: ModelServer


class _Handler(BaseHTTPRequestHandler):
    server: _Http
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_POST(self) -> None:
        """Answer one request."""
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        wire = _wire(self.path.partition("?")[0])
        try:
            self._check_key()
            incoming, answer = self.server.owner.answer(wire, _json(raw))
        except Refusal as refusal:
            self._send(refusal.status, "application/json", json.dumps(wire.refuse(refusal)))
            return
        if incoming.stream:
            self._send(200, "text/event-stream", "".join(_events(incoming, answer)))
        else:
            self._send(200, "application/json", json.dumps(answer))

    def do_GET(self) -> None:
        """List the models that are offered here."""
        try:
            self._check_key()
            listed = listing.answer(self.path, self.headers, self.server.owner.offered)
        except Refusal as refusal:
            self._send(refusal.status, "application/json", json.dumps(openai.refuse(refusal)))
            return
        self._send(200, "application/json", json.dumps(listed))

    def _check_key(self) -> None:
        if not (self.headers.get("authorization") or self.headers.get("x-goog-api-key")):
            raise Refusal(401, "invalid_api_key", "no key was sent")

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: requests are recorded, not printed."""

    def _send(self, status: int, kind: str, text: str) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _wire(path: str) -> _Wire:
    gemini = _GEMINI.fullmatch(path)
    if gemini is not None:
        model, stream = gemini["model"], gemini["stream"] is not None
        return _Wire(
            lambda body: google.read_generate(body, model, stream=stream),
            google.write_generate,
            google.refuse,
        )
    return _WIRES.get(path) or _Wire(_no_such_path, openai.write_chat, openai.refuse)


def _no_such_path(_body: Json) -> Incoming:
    raise Refusal(404, "not_found", "no wire is spoken on this path")


def _json(raw: bytes) -> Json:
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise Refusal(400, "unreadable_request", "the body is not JSON") from error
    if not isinstance(body, dict):
        raise Refusal(400, "unreadable_request", "the body is not a JSON object")
    return body


def _events(incoming: Incoming, answer: Json) -> Iterable[str]:
    match incoming.wire:
        case "generate":
            return (_event("", chunk) for chunk in google.stream_generate(answer))
        case "messages":
            return (_event(name, data) for name, data in anthropic.stream_messages(answer))
        case "responses":
            return (_event(name, data) for name, data in openai_stream.stream_responses(answer))
        case _:
            usage = bool((incoming.body.get("stream_options") or {}).get("include_usage"))
            return (_event("", chunk) for chunk in openai_stream.stream_chat(answer, usage=usage))


def _event(name: str, data: Json | str) -> str:
    said = data if isinstance(data, str) else json.dumps(data)
    return (f"event: {name}\n" if name else "") + f"data: {said}\n\n"
