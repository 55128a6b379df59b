"""An emulated GitHub whose every exchange is held against GitHub's own description."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import jsonschema_rs
import jwt
import pytest
from github import Auth, Github
from typing_extensions import override

from bot.emulators.github import GitHubEmulator
from bot.emulators.github.api import Exchange
from bot.emulators.github.model import App, Installation

DATA = Path(__file__).parents[2] / "data" / "github"
RIGHTS = {
    "contents": "write",
    "issues": "write",
    "pull_requests": "write",
    "checks": "write",
    "statuses": "write",
}
EVENTS = (
    "issues", "issue_comment", "pull_request", "pull_request_review", "push", "check_run",
    "check_suite", "status",
)  # fmt: skip
FILES = {"shop.py": "def total(prices):\n    return sum(prices)\n", "README.md": "# Shop\n"}


class Description:
    """GitHub's OpenAPI description, as a judge of exchanges."""

    def __init__(self) -> None:
        self.data = json.loads((DATA / "openapi.json").read_text("utf-8"))
        self.errata = json.loads((DATA / "errata.json").read_text("utf-8"))["errata"]
        self._compiled = cache(self._compile)

    def complaints(self, one: Exchange) -> list[str]:
        """What is wrong with an exchange, one line each."""
        operation = self.data["operations"].get(one.operation)
        if operation is None:
            return [] if not one.operation or one.status >= 400 else [f"unknown {one.operation}"]
        found = []
        if one.status < 400:
            unknown = set(one.incoming.query) - set(operation["query"])
            found += [f"{one.operation}: query {name}" for name in sorted(unknown)]
            if one.body is not None and operation["request"] is not None:
                found += self._errors(one.operation, "request", one.body)
        if not one.fault and one.status != 304:
            found += self._response(one, operation["responses"])
        return found

    def _response(self, one: Exchange, known: dict[str, Any]) -> list[str]:
        code = str(one.status)
        if code not in known:
            if one.status < 300:
                return [f"{one.operation}: {code} is not documented"]
            return self._errors("basic-error", "error", one.data)
        if known[code] is None:
            return []
        if isinstance(one.data, bytes):
            return []
        return self._errors(one.operation, code, one.data)

    def _errors(self, operation: str, side: str, data: Any) -> list[str]:
        found = []
        for error in self._compiled(operation, side).iter_errors(data):
            path = "/".join(str(part) for part in error.instance_path)
            message = error.message if len(error.message) < 300 else error.message[-300:]
            if not self._known(operation, side, path, message):
                found.append(f"{operation} {side} at {path or '.'}: {message}")
        return found

    def _known(self, operation: str, side: str, path: str, message: str) -> bool:
        side = side if side == "request" else "response"
        return any(
            one["operation"] in ("*", operation)
            and one["side"] == side
            and path.startswith(one["path"])
            and one["says"] in message
            for one in self.errata
        )

    def _compile(self, operation: str, side: str) -> Any:
        if side == "error":
            schema = {"$ref": "#/components/schemas/basic-error"}
        elif side == "request":
            schema = self.data["operations"][operation]["request"]
        else:
            schema = self.data["operations"][operation]["responses"][side]
        whole = schema | {"components": self.data["components"]}
        return jsonschema_rs.validator_for(whole, validate_formats=True)


@pytest.fixture(scope="session")
def description() -> Description:
    return Description()


@pytest.fixture
def github(description: Description) -> Iterator[GitHubEmulator]:
    with GitHubEmulator() as emulator:
        yield emulator
        exchanges = emulator.exchanges
    wrong = {line for one in exchanges for line in description.complaints(one)}
    assert not wrong, "\n".join(sorted(wrong))


@dataclass
class Scene:
    """A repository acme/shop, ana who may write, eve who is a stranger, and an App installed."""

    github: GitHubEmulator
    app: App
    installation: Installation
    clients: list[Any] = field(default_factory=list)

    def rest(self, token: str = "") -> httpx2.Client:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.clients.append(httpx2.Client(base_url=self.github.api_url, headers=headers))
        return self.clients[-1]

    def as_app(self, **claims: Any) -> httpx2.Client:
        return self.rest(self.jwt(**claims))

    def jwt(self, key: str = "", **claims: Any) -> str:
        now = int(self.github.clock.now())
        whole = {"iat": now - 60, "exp": now + 540, "iss": str(self.app.id)} | claims
        return jwt.encode(whole, key or self.app.private_key, "RS256")

    def token(self, **more: Any) -> str:
        return self.github.installation_token(self.installation, **more)

    def as_bot(self, **more: Any) -> httpx2.Client:
        return self.rest(self.token(**more))

    def pygithub(self, token: str = "") -> Github:
        auth = Auth.Token(token or self.token())
        client = Github(
            auth=auth,
            base_url=self.github.api_url,
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=None,
        )
        self.clients.append(client)
        return client


@pytest.fixture
def scene(github: GitHubEmulator) -> Iterator[Scene]:
    github.account("eve")
    github.repository("acme/shop", files=FILES)
    github.collaborator("acme/shop", "ana", "write")
    app = github.app(permissions=RIGHTS, events=EVENTS, webhook_secret="s3cret")
    scene = Scene(github, app, github.install(app, "acme"))
    yield scene
    for client in scene.clients:
        client.close()


@dataclass
class Receiver:
    """Takes webhooks; `status` is what it answers."""

    url: str
    status: int = 202
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def events(self) -> list[str]:
        """ "event.action" of all that came, in order."""
        return [f"{h['x-github-event']}.{json.loads(b).get('action')}" for h, b in self.got]

    def payload(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.got[self.events.index(name)][1])
        return found


@pytest.fixture
def receiver(scene: Scene) -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            taken.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(taken.status)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        @override
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    taken = Receiver(f"http://127.0.0.1:{server.server_address[1]}/webhooks/github")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    scene.app.webhook_url = taken.url
    yield taken
    scene.github.hooks.drain()
    server.shutdown()
    server.server_close()
    thread.join()
