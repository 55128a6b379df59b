"""An emulated GitHub whose every exchange is held against GitHub's own description."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest
from github import Auth, Github
from typing_extensions import override

from bot.emulators.github import GitHubEmulator
from bot.emulators.github.model import App, Installation
from tests.contract.emulator_github.description import DATA, Description

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


@pytest.fixture(scope="session")
def data_directory() -> Path:
    return DATA


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
        client = httpx2.Client(base_url=self.github.api_url, headers=headers)
        self.clients.append(client)
        return client

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
