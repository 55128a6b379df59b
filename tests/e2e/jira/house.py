"""The whole bot with a Jira beside its GitHub: tests act on tickets, and read what is said."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Mapping
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route
from typing_extensions import override

from bot.adapters.jira.client import JiraSite
from bot.adapters.jira.tracker import JiraTracker
from bot.adapters.jira.webhooks import Keys, Names, has_signature, has_token, read
from bot.adapters.store.memory import MemoryStore
from bot.domain.jira import Stage, Tracker
from bot.domain.jira_policy import TicketRules
from bot.domain.store import Delivery, Order
from bot.emulators.github import GitHubEmulator
from bot.emulators.jira import JiraEmulator
from bot.emulators.jira.model import Issue
from bot.entrypoints.http.inbox import Inbox
from bot.entrypoints.http.jira_door import JiraDoor, JiraLock
from bot.services.jira_admit import TicketsNow
from bot.services.jira_hear import HearTickets
from bot.services.jira_post import PostLetters
from tests.e2e.bot import scripts
from tests.e2e.bot.house import LABEL, SHOP, House

READY = "Ready for ACP"
TOKEN, OLD_TOKEN = "the-token-of-the-rule", "the-token-of-last-month"
SECRET, OLD_SECRET = "the-secret-of-the-webhook", "the-secret-of-last-month"
PAT, EMAIL = "api-token-of-the-bot", "bot@acme.example"
_LETTERS = 4  # at most so many wait for a ticket, and one of them is brought at a time
BODY = (
    "{{total([1, 2])}} is 2.\r\n\r\nThe total of a basket must hold every price.\r\n\r\n"
    "h2. Seen in\r\n* the till"
)


class Receiver:
    """The real door over the house's store, served on loopback."""

    def __init__(self, house: JiraHouse) -> None:
        keys = Keys((TOKEN.encode(), OLD_TOKEN.encode()), (SECRET.encode(), OLD_SECRET.encode()))
        names = Names(READY, LABEL)

        def taken(body: bytes, identifier: str, now: float, signed: bool) -> tuple[Delivery, Order]:
            return read(body, names, identifier=identifier, now=now, signed=signed)

        lock = JiraLock(
            lambda given: has_token(keys, given),
            lambda body, given: has_signature(keys, body, given),
            taken,
        )
        self.inbox = Inbox(lambda: house.store)
        app = Starlette(routes=[Route("/webhooks/jira", JiraDoor(self.inbox, lock))])
        self.bound = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_config=None, lifespan="off", loop="asyncio", ws="none")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, args=([self.bound],), daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)
        self.url = f"http://127.0.0.1:{self.bound.getsockname()[1]}/webhooks/jira"

    def close(self) -> None:
        self.server.should_exit = True
        self.thread.join(10)
        self.inbox.close()
        self.bound.close()


class JiraHouse(House):
    """acme/shop, and the project SHOP: `ana` may start runs, `dev` by her group, `eve` may not."""

    def __init__(self, github: GitHubEmulator, *, cloud: bool = True) -> None:
        self.mail = MemoryStore(github.clock.now)
        self.store_clock = github.clock
        super().__init__(github, self.mail)
        self.jira = JiraEmulator(cloud=cloud)
        self.ana = self.jira.account("Ana")
        self.dev = self.jira.account("Dev", "developers")
        self.eve = self.jira.account("Eve")
        self.bot = self.jira.account("Bot", token=f"{EMAIL}:{PAT}" if cloud else PAT)
        self.site = (
            JiraSite(self.jira.url, EMAIL, PAT, "cloud")
            if cloud
            else JiraSite(self.jira.url, "", PAT, "dc")
        )
        self.jira_naps: list[float] = []
        self.tracker: Tracker = JiraTracker(self.site, sleep=self._jira_nap)
        self.ticket_rules = TicketRules(
            repositories=("acme/*",),
            projects={"SHOP": SHOP},
            people=frozenset({self.ana.id}),
            groups=frozenset({"developers"}),
            status=READY,
            label=LABEL,
        )
        self.moves: Mapping[Stage, str] = {"started": "In Progress", "opened": "In Review"}
        self.receiver = Receiver(self)
        self.jira.hooks.url = self.receiver.url
        self.jira.hooks.secret = SECRET

    @override
    async def close(self) -> None:
        await super().close()
        self.receiver.close()
        self.jira.close()

    async def _jira_nap(self, seconds: float) -> None:
        self.jira_naps.append(seconds)

    def ticket(
        self, title: str = scripts.TITLE, text: Any = BODY, *, by: Any = None, **more: Any
    ) -> Issue:
        return self.jira.ticket(title, text, by=by or self.ana, **more)

    async def ready(self, ticket: Issue, *, by: Any = None) -> None:
        """Somebody moves the ticket to where runs start."""
        await asyncio.to_thread(self.jira.move, ticket, READY, by or self.ana)
        await self.settle()

    async def comment(self, ticket: Issue, text: Any, *, by: Any = None) -> None:
        await asyncio.to_thread(self.jira.say, ticket, text, by or self.ana)
        await self.settle()

    @override
    async def settle(self) -> None:
        """Let everything that was heard be looked at, every run end, every letter arrive."""
        await self.hear()
        await super().settle()
        await self.post()

    @override
    def tickets(self) -> TicketsNow:
        return TicketsNow(self.tracker, self.ticket_rules)

    async def hear(self) -> None:
        work = HearTickets(
            self.store,
            self.tracker,
            self.app.repository,
            self.ticket_rules,
        )
        await work()

    async def post(self) -> None:
        work = PostLetters(self.store, self.tracker, self.moves)
        for _ in range(_LETTERS):
            await work()

    def waiting(self) -> bool:
        """Whether a letter is still on its way."""
        return any(not one.done for one in self.mail._letters.values())

    def said(self, ticket: Issue) -> list[str]:
        """What the bot has said on a ticket."""
        return self.jira.comments(ticket, self.bot)
