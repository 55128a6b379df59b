"""The real web process's application on loopback, with Jira set up."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from pydantic import SecretStr

from bot.adapters.store.sql import SqlStore
from bot.domain.jira import Trigger
from bot.entrypoints.http.application import application
from bot.entrypoints.http.service import Service
from bot.settings import Settings
from tests.contract.receiver.sender import note_identity, settings_in, signature

TOKEN, OLD_TOKEN = "the-token-of-the-rule", "the-token-of-last-month"
SECRET, OLD_SECRET = "the-secret-of-the-webhook", "the-secret-of-last-month"
READY = "Ready for ACP"


@dataclass
class Jira:
    """Posts as Jira does."""

    url: str
    data: Path
    client: httpx2.Client = field(default_factory=lambda: httpx2.Client(timeout=30))

    def post(self, body: bytes, **headers: str) -> httpx2.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(f"{self.url}/webhooks/jira", content=body, headers=named)

    def rule(self, payload: Any, token: str = TOKEN) -> httpx2.Response:
        """Automation's "Send web request"."""
        return self.post(json.dumps(payload).encode(), x_acp_token=token)

    def webhook(self, payload: Any, identifier: str = "", secret: str = SECRET) -> httpx2.Response:
        """An administrator's webhook."""
        body = json.dumps(payload).encode()
        more = {"x_atlassian_webhook_identifier": identifier} if identifier else {}
        return self.post(body, x_hub_signature=signature(body, secret), **more)

    def heard(self) -> list[Trigger]:
        store = SqlStore.open(f"sqlite:///{self.data / 'acp.db'}")
        found = [one.trigger for one in store.heard()]
        store.close()
        return found


def served(settings: Settings) -> Iterator[Jira]:
    note_identity(settings)
    bound = socket.create_server(("127.0.0.1", 0))
    app = application(Service(settings))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on"))
    thread = threading.Thread(target=server.run, args=([bound],))
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    opened = Jira(f"http://127.0.0.1:{bound.getsockname()[1]}", settings.data_dir)
    yield opened
    opened.client.close()
    server.should_exit = True
    thread.join(timeout=30)
    bound.close()
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def jira(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jira]:
    secrets = {
        "jira_token": TOKEN,
        "jira_token_previous": OLD_TOKEN,
        "jira_webhook_secret": SECRET,
        "jira_webhook_secret_previous": OLD_SECRET,
    }
    hidden = {name: SecretStr(value) for name, value in secrets.items()}
    yield from served(settings_in(tmp_path_factory.mktemp("jira"), jira_status=READY, **hidden))


@pytest.fixture
def without_jira(tmp_path: Path) -> Iterator[Jira]:
    yield from served(settings_in(tmp_path))
