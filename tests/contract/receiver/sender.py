"""Somebody who sends deliveries to the web process, as GitHub does."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from pydantic import SecretStr

from bot.adapters.store.sql import SqlStore
from bot.domain.runs import Run
from bot.entrypoints.http.service import Service
from bot.settings import Settings

SECRET = "It's a Secret to Everybody"
APP_ID, BOT_ID = 1, 99
_guids = itertools.count(1)


def labeled(issue: int = 7, **more: Any) -> dict[str, Any]:
    return {
        "action": "labeled",
        "label": {"name": "agentic-fix"},
        "issue": {
            "number": issue,
            "title": "Totals are wrong … „really“ 💥",
            "body": "They are off by one.",
            "state": "open",
            "updated_at": "2026-11-22T10:00:00Z",
            "user": {"id": 5, "login": "rita", "type": "User"},
        },
        "repository": {"id": 4711, "full_name": "acme/shop", "default_branch": "main"},
        "installation": {"id": 11},
        "sender": {"id": 6, "login": "wanda", "type": "User"},
        **more,
    }


def signature(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@dataclass
class Sender:
    """Posts as GitHub does."""

    url: str
    data: Path
    settings: Settings
    service: Service
    client: httpx2.Client = field(default_factory=lambda: httpx2.Client(timeout=30))

    def headers(self, body: bytes, event: str = "issues", guid: str = "") -> dict[str, str]:
        return {
            "content-type": "application/json",
            "x-github-event": event,
            "x-github-delivery": guid or f"guid-{next(_guids)}",
            "x-hub-signature-256": signature(body),
        }

    def send(self, payload: Any, event: str = "issues", guid: str = "") -> httpx2.Response:
        body = json.dumps(payload, ensure_ascii=False).encode()
        return self.post(body, self.headers(body, event, guid))

    def post(self, body: Any, headers: dict[str, str]) -> httpx2.Response:
        return self.client.post(f"{self.url}/webhooks/github", content=body, headers=headers)

    def at_once(self, sent: Sequence[tuple[bytes, dict[str, str]]]) -> list[httpx2.Response]:
        """All of them over connections of their own, at the same time."""

        async def everything() -> list[httpx2.Response]:
            limits = httpx2.Limits(max_connections=len(sent))
            async with httpx2.AsyncClient(timeout=30, limits=limits) as client:
                door = f"{self.url}/webhooks/github"
                posts = (client.post(door, content=b, headers=h) for b, h in sent)
                return list(await asyncio.gather(*posts))

        return asyncio.run(everything())

    def rows(self) -> int:
        with sqlite3.connect(self.data / "acp.db") as connection:
            count = connection.execute("SELECT count(*) FROM deliveries").fetchone()[0]
        connection.close()
        return int(count)

    def runs(self) -> Sequence[Run]:
        store = SqlStore.open(f"sqlite:///{self.data / 'acp.db'}")
        found = store.runs()
        store.close()
        return found


def settings_in(data: Path, **more: Any) -> Settings:
    given = {
        "data_dir": data,
        "github_app_id": str(APP_ID),
        "github_private_key": SecretStr("not used by the web process"),
        "github_webhook_secret": SecretStr(SECRET),
        "github_webhook_secret_previous": None,
        "label": "agentic-fix",
        "public_url": None,
        "port": 0,
        **more,
    }
    return Settings.load().model_copy(update=given)


def note_identity(settings: Settings) -> None:
    """As the worker notes it."""
    noted = {
        "for": [settings.github_api_url, settings.github_app_id],
        "app_id": APP_ID,
        "bot_id": BOT_ID,
        "bot_login": "acp[bot]",
    }
    (settings.data_dir / "github-app.json").write_text(json.dumps(noted))
