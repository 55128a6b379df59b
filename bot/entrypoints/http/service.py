"""What the web process knows while it lives: settings, who the App is, and the set-up if any."""

from __future__ import annotations

import asyncio
import logging
import secrets

from bot.bootstrap import open_sandbox, open_store
from bot.bootstrap.app import github_lock, making_of_app, noted_identity
from bot.bootstrap.jira import jira_lock
from bot.domain.store import Store, StoreUnavailable
from bot.entrypoints.http.github_door import Lock
from bot.entrypoints.http.inbox import Inbox
from bot.entrypoints.http.jira_door import JiraLock
from bot.entrypoints.http.setup import Making, Setup
from bot.entrypoints.http.supervisor import Supervisor
from bot.errors import Misconfigured
from bot.settings import Settings
from pipeline.errors import SandboxUnavailable
from pipeline.sandbox.base import Caps

_log = logging.getLogger(__name__)


class Service:
    """Settings change once at most: when the set-up in the browser has made the App.

    Without a supervisor no worker is started.
    """

    def __init__(self, settings: Settings, supervisor: Supervisor | None = None) -> None:
        self.settings = settings
        self.inbox = Inbox(self._open_store)
        self.supervisor = supervisor
        self.token = "" if self._has_app() else secrets.token_urlsafe(24)
        making = making_of_app(lambda: self.settings)
        self.setup = Setup(
            Making(lambda: not self._has_app(), making.manifest, making.form, self._finish),
            self.token,
        )
        self._convert = making.finish
        self._lock: Lock | None = None
        self._caps: Caps | None = None
        self._measuring = asyncio.Lock()

    async def start(self) -> None:
        """Open the store, so that the first delivery need not, and start the worker."""
        try:
            await self.inbox(lambda store: store.last_beat())
        except (StoreUnavailable, Misconfigured) as error:
            _log.error("the database cannot be opened yet: %s", error)
        self._start_worker()

    async def stop(self) -> None:
        """End the worker, finish what is being written."""
        if self.supervisor is not None:
            await self.supervisor.stop()
        await asyncio.to_thread(self.inbox.close)

    async def measured_sandbox(self) -> str:
        """What the sandbox of the worker beside us can do, in a line."""
        if not self.settings.workers:
            return "none here: ACP_WORKERS is 0"
        try:
            caps = await self.sandbox()
        except SandboxUnavailable:
            return "none works: runs are refused, see acp doctor"
        better = "" if caps.grade == "strong" else "; acp doctor says what makes it strong"
        return caps.describe() + better

    async def sandbox(self) -> Caps:
        """What the sandbox was measured to do, once in this process. Raises SandboxUnavailable.

        The worker measures for itself: it is another process, and elsewhere perhaps another user.
        """
        async with self._measuring:
            if self._caps is None:
                _, self._caps = await open_sandbox("auto", self.settings)
        return self._caps

    @property
    def url(self) -> str:
        """The address that people and GitHub are given."""
        return self.settings.reached_at()

    def announce(self) -> None:
        """Log what is missing, and where the set-up is."""
        if self.token:
            _log.warning("the GitHub App is not set up; open %s", self.setup_link)

    @property
    def setup_link(self) -> str:
        """Opens the set-up once; "" where there is an App."""
        return f"{self.url}/setup?token={self.token}" if self.token else ""

    def lock(self) -> Lock | None:
        """How deliveries are told genuine; None until the App and its account are known."""
        if self._lock is None and self._has_app():
            identity = noted_identity(self.settings)
            if identity is not None:
                self._lock = Lock(*github_lock(self.settings, identity))
        return self._lock

    def jira_lock(self) -> JiraLock | None:
        """The lock of Jira's door; None where Jira is not set up."""
        found = jira_lock(self.settings)
        return None if found is None else JiraLock(*found)

    def forget_lock(self) -> None:
        """The settings have changed: the lock is made anew for the next delivery."""
        self._lock = None

    def app_missing(self) -> str:
        """Why deliveries are not taken yet, in a sentence, or ""."""
        if missing := self.settings.missing_for_app():
            return f"not set up: {', '.join(missing)} missing"
        if self.lock() is None:
            return "the worker has not asked GitHub yet who the App is"
        return ""

    def _has_app(self) -> bool:
        return not self.settings.missing_for_app()

    def _start_worker(self) -> None:
        if self.supervisor and self._has_app() and self.settings.workers:
            self.supervisor.start()

    async def _finish(self, code: str) -> str:
        html_url = await self._convert(code)
        kept = {"port": self.settings.port}  # may be the one that was free
        self.settings = self.settings.load().model_copy(update=kept)
        self.forget_lock()
        _log.info("the GitHub App is set up: %s", html_url)
        self._start_worker()
        return html_url

    def _open_store(self) -> Store:
        try:
            return open_store(self.settings, quick=True)
        except Misconfigured as error:
            raise StoreUnavailable(str(error)) from error
