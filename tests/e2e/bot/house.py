"""The whole bot in one process, to which tests talk as people talk to the bot.

GitHub is emulated, with webhooks and git; adapters, store and services are the real ones; models
speak from a script.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import override

from bot.adapters.engine.in_process import InProcessEngine
from bot.adapters.github import webhooks
from bot.adapters.github.client import GitHubApp
from bot.adapters.github.tokens import RUN_PERMISSIONS
from bot.adapters.github.webhooks import AppIdentity
from bot.adapters.store.memory import MemoryStore
from bot.domain.policy import Rules
from bot.domain.runs import MAX_STARTS, Run, RunStatus
from bot.domain.store import Ending, Store, StoreUnavailable
from bot.emulators.github import GitHubEmulator
from bot.emulators.github.model import Pull
from bot.services.answer import AnswerCommands
from bot.services.dispatch import Dispatcher, Pace
from bot.services.execute_run import ExecuteRun
from bot.services.jira_admit import TicketsNow
from tests.e2e.bot import scripts
from tests.e2e.bot.workshop import Workshop

SHOP = "acme/shop"
LABEL = "agentic-fix"
SECRET = "webhook-secret"
EVENTS = ("issues", "issue_comment", "pull_request", "check_suite", "check_run")


class Door:
    """Takes the emulator's deliveries in, as the receiver does."""

    def __init__(self, take: Callable[[str, str, str, bytes], int]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                event, guid = self.headers["X-GitHub-Event"], self.headers["X-GitHub-Delivery"]
                self.send_response(take(event, guid, self.headers["X-Hub-Signature-256"], body))
                self.send_header("Content-Length", "0")
                self.end_headers()

            @override
            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class House:
    """acme/shop with its bug, `ana` who may write, `tri` who may triage, `out` who may not."""

    def __init__(
        self,
        github: GitHubEmulator,
        store: Store | None = None,
        permissions: Mapping[str, str] = RUN_PERMISSIONS,
        skew: float = 0.0,
        **repository: Any,
    ) -> None:
        self.github = github
        self.naps: list[float] = []
        self._me: AppIdentity | None = None
        self.secrets = [SECRET]
        self.store: Store = store or MemoryStore(github.clock.now)
        self.rules = Rules()
        self.most_starts = MAX_STARTS + 2
        content = {} if "from_directory" in repository else {"files": scripts.FILES}
        self.repository_id = github.repository(SHOP, **{**content, **repository}).id
        for login, role in (("ana", "write"), ("tri", "triage")):
            github.collaborator(SHOP, login, role)
        github.account("out")
        self.door = Door(self.take)
        self.record = github.app(
            "acp",
            permissions=permissions,
            events=EVENTS,
            webhook_url=self.door.url,
            webhook_secret=SECRET,
        )
        self.installation = github.install(self.record, "acme", [SHOP])
        self.app = GitHubApp(
            app_id=str(self.record.id),
            private_key=self.record.private_key,
            on_secret=self.secrets.append,
            api_url=github.api_url,
            clock=lambda: github.clock.now() + skew,
        )
        self.workshop = Workshop(self.app, self.secrets)

    async def open(self) -> House:
        found = await self.app.identity()
        self._me = AppIdentity(found.app_id, found.me.id, found.me.login)
        return self

    async def close(self) -> None:
        await self.app.aclose()
        self.door.close()

    @property
    def me(self) -> AppIdentity:
        assert self._me is not None
        return self._me

    def issue(
        self, title: str = scripts.TITLE, body: str = scripts.BODY, *, by: str = "ana"
    ) -> Any:
        return self.github.open_issue(SHOP, title, body.strip(), by=by)

    async def label(self, issue: Any, name: str = LABEL, *, by: str = "ana") -> None:
        self.github.label(issue, name, by=by)
        await self.settle()

    async def say(self, issue: Any, text: str, *, by: str = "ana") -> Any:
        comment = self.github.comment(issue, text, by=by)
        await self.settle()
        return comment

    async def settle(self) -> None:
        """Let every delivery arrive, every command be answered and every run end."""
        await self.arrive()
        for _ in range(20):
            await self.answer()
            waiting = self.store.next_runs(per_repository=1, total=4)
            if not waiting and not self.store.asked() and not await self._nap():
                return
            for run in waiting:
                await self.execute(run.id)
            await self.arrive()
        raise AssertionError("the house does not come to rest")

    async def answer(self) -> None:
        """Answer the commands that wait."""
        answer = AnswerCommands(self.store, self.app.forge, self.rules, self.me.bot_id, self.page)
        await answer()

    async def arrive(self) -> None:
        """Wait until the emulator has delivered everything."""
        assert await asyncio.to_thread(self.github.hooks.drain)

    async def execute(self, run_id: str) -> None:
        run = self.store.run(run_id)
        if run is not None and run.epoch == run.parked:  # nothing was said yet, or all is kept
            self.workshop.begin()
        work = ExecuteRun(
            self.store,
            self.workshop,
            self.rules,
            self.me.bot_id,
            "worker",
            self.page,
            clock=self.github.clock.now,
            tickets=self.tickets(),
            most_starts=self.most_starts,
        )
        await work(run_id)

    def tickets(self) -> TicketsNow | None:
        """What asks the tracker again, where there is one."""
        return None

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Worker and dispatcher run meanwhile, as in the real process."""
        died: list[str] = []
        engine = InProcessEngine(self.execute, died.append)
        pace = Pace(tick_s=0.05)
        dispatcher = Dispatcher(self.store, engine, died.append, worker="worker", pace=pace)
        task = asyncio.create_task(dispatcher.run())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert not died

    async def until(self, holds: Callable[[], bool], timeout_s: float = 30.0) -> bool:
        """Answer commands until something holds; False if that takes too long."""
        async with asyncio.timeout(timeout_s):
            while not holds():
                await self.answer()
                await asyncio.sleep(0.05)
        return True

    def finish(self, run_id: str, epoch: int) -> None:
        """End a run without having worked on it."""
        self.store.move(run_id, epoch, RunStatus.FINISHED, Ending("no_change"))

    async def _nap(self) -> bool:
        """Waiting takes no time here, but the forge's clock moves; False if no run is parked."""
        due = [run.not_before for run in self.store.runs(status=RunStatus.QUEUED) if run.not_before]
        if not due:
            return False
        until = datetime.fromisoformat(min(due)).timestamp()
        self.naps.append(until - self.github.clock.now())
        self.github.clock.advance(self.naps[-1] + 0.001)
        return True

    def page(self, run_id: str) -> str:
        return f"https://acp.example/runs/{run_id}"

    @property
    def runs(self) -> list[Run]:
        """Oldest first."""
        return list(reversed(self.store.runs()))

    def admitted(self, run: Run) -> Mapping[str, Any]:
        """What was written down when a run was let in."""
        effect = self.store.effect(run.id, "admission")
        assert effect is not None
        found: Mapping[str, Any] = effect["admitted"]
        return found

    def task_text(self, run: Run) -> str:
        """What the models of a run were given to do."""
        return str(self.admitted(run)["task"])

    def digest(self, run: Run) -> str:
        """The SHA-256 of that text."""
        return str(self.admitted(run)["digest"])

    def pull(self) -> Pull:
        """The only pull request, as git sees it."""
        found = self.github.pull(SHOP).pull
        assert found is not None
        return found

    def told(self, issue: Any) -> list[str]:
        """What the bot has said on an issue or pull request."""
        login = self.me.bot_login
        return [text for by, text in self.github.comments(issue) if by == login]

    def allow(self, **changes: Any) -> None:
        """Change the operator's rules."""
        self.rules = replace(self.rules, **changes)

    def take(self, event: str, guid: str, signature: str, body: bytes) -> int:
        if not webhooks.verify([SECRET.encode()], body, signature):
            return 401
        if self._me is None:  # the App's own installation, before the house has opened
            return 202
        delivery, order = webhooks.read(event, guid, body, app=self.me, label=LABEL)
        try:
            self.store.receive(delivery, order)
        except StoreUnavailable:
            return 503
        return 202
