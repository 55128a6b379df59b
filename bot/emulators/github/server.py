"""The HTTP server: one thread with uvicorn on loopback, and where each path goes."""

from __future__ import annotations

import socket
from threading import Event, Thread

import uvicorn
from anyio import to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.emulators.github import pages, smart_http
from bot.emulators.github.api import Api, fault_after, refusal
from bot.emulators.github.faults import Faults
from bot.emulators.github.hub import Hub
from bot.emulators.github.wire import Answer, Incoming

HOST = "127.0.0.1"
API = "/api/v3"
_GRAPHQL = "/api/graphql"
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def listening(port: int) -> socket.socket:
    """A socket on loopback; port 0 takes a free one."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((HOST, port))
    made.listen(128)
    return made


class Server:
    """Serves from construction to `close`."""

    def __init__(self, hub: Hub, api: Api, faults: Faults, bound: socket.socket) -> None:
        self._hub = hub
        self._api = api
        self._faults = faults
        self._stopped = Event()
        app = Starlette(routes=[Route("/{path:path}", self._endpoint, methods=_METHODS)])
        config = uvicorn.Config(
            app,
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        self._bound = bound
        self._uvicorn = uvicorn.Server(config)
        self._thread = Thread(
            target=self._uvicorn.run, args=([bound],), name="github-emulator", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._stopped.set()
        self._api.close()
        self._uvicorn.should_exit = True
        self._thread.join()
        self._bound.close()

    async def _endpoint(self, request: Request) -> Response:
        raw = request.scope.get("raw_path") or request.url.path.encode()
        incoming = Incoming(
            request.method,
            raw.decode("latin-1").partition("?")[0],
            dict(request.query_params),
            dict(request.headers),
            await request.body(),
        )
        answer = await to_thread.run_sync(self._answer, incoming)
        return Response(answer.payload(), answer.status, headers=answer.headers)

    def _answer(self, incoming: Incoming) -> Answer:
        if incoming.path.startswith(f"{API}/") or incoming.path == _GRAPHQL:
            path = incoming.path.removeprefix("/api" if incoming.path == _GRAPHQL else API)
            inside = Incoming(
                incoming.method, path, incoming.query, incoming.headers, incoming.body
            )
            return self._api.answer(inside)
        fault = self._faults.strike(incoming.method, incoming.path)
        refused = None if fault is None else refusal(fault, self._hub.world.clock.now())
        return refused or fault_after(fault, self._elsewhere(incoming), self._stopped)

    def _elsewhere(self, incoming: Incoming) -> Answer:
        if smart_http.PATH.fullmatch(incoming.path):
            return smart_http.serve(self._hub, incoming)
        return pages.serve(self._hub, incoming)
