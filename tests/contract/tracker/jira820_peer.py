"""jira820, a stateful Jira Data Center that none of us wrote, behind a proxy with a lock."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import uvicorn
from jira820 import Config, Store, make_app
from starlette.types import ASGIApp, Receive, Scope, Send

PAT = "personal-access-token-of-the-bot"
BOT, ADMIN = "acp-bot", "admin"


class Guard:
    """Lets nobody in without the token: jira820 itself lets everybody."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.refusals: list[int] = []  # answered to the next requests in turn
        self.asked: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        self.asked.append(f"{scope['method']} {scope['path']}")
        status = 0 if headers.get(b"authorization") == f"Bearer {PAT}".encode() else 401
        if self.refusals and not status:
            status = self.refusals.pop(0)
        if not status:
            await self.app(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})


class Jira820:
    """The server, and its people: what they do goes past the proxy, as in a browser."""

    def __init__(self) -> None:
        statuses = [["To Do", "todo", "1"], ["Ready for ACP", "todo", "2"],
                    ["In Progress", "inprogress", "3"], ["In Review", "inprogress", "4"],
                    ["Done", "done", "5"]]  # fmt: skip
        screens = {"Done": ["resolution"]}
        config = Config(
            project_key="SHOP", current_user=BOT, statuses=statuses, transition_screens=screens
        )
        self.store: Any = Store(config, seed=False)
        for name in (BOT, ADMIN):
            self.store.users[name] = {"name": name, "displayName": name.title()}
        self.guard = Guard(make_app(self.store))
        bound = socket.create_server(("127.0.0.1", 0))
        self.server = uvicorn.Server(
            uvicorn.Config(self.guard, log_config=None, lifespan="off", loop="asyncio", ws="none")
        )
        self.thread = threading.Thread(target=self.server.run, args=([bound],), daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)
        self.bound = bound
        self.url = f"http://127.0.0.1:{bound.getsockname()[1]}"

    def ticket(self, summary: str, description: Any = "", **fields: Any) -> str:
        made = self.store.create_issue(
            {"summary": summary, "description": description, "issuetype": {"name": "Bug"},
             "project": {"key": "SHOP"}, **fields}
        )  # fmt: skip
        return str(made["key"])

    def move(self, key: str, status: str) -> None:
        """By `admin`, as everything is there."""
        self.store.transition_issue(key, self.store.workflow._tid[status])

    def label(self, key: str, label: str) -> None:
        """By `admin`; noted in the history, as Jira does and jira820 does not."""
        issue = self.store.issues[key]
        before = " ".join(issue["labels"])
        issue["labels"].append(label)
        item = {"field": "labels", "fromString": before, "toString": " ".join(issue["labels"])}
        entry = {"author": ADMIN, "date": self.store.now, "time": "09:00", "items": [item]}
        issue["changelog"].append(entry)

    def raw(self, key: str) -> Any:
        return self.store.issues[key]

    def close(self) -> None:
        self.server.should_exit = True
        self.thread.join(10)
        self.bound.close()
