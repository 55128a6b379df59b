"""Puts the worker's parts together: what executes runs and answers commands."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.bootstrap import (
    Choices,
    github_app,
    learn_identity,
    open_sandbox,
    operator_rules,
    pipeline_of,
)
from bot.bootstrap.jira import ticket_work, tickets_now
from bot.bootstrap.journals import bases, redactor_of
from bot.bootstrap.supplies import supply_of
from bot.services.answer import AnswerCommands
from bot.services.execute_run import ExecuteRun
from pipeline.errors import SandboxUnavailable
from pipeline.sandbox.refused import Refused

if TYPE_CHECKING:
    from bot.adapters.github.client import GitHubApp
    from bot.domain.forge import Forge
    from bot.domain.guards import SecretScan
    from bot.domain.policy import Rules
    from bot.domain.runs import RunRequest
    from bot.domain.store import Store
    from bot.settings import Settings
    from pipeline import AgenticCodingPipeline
    from pipeline.redaction import Redactor
    from pipeline.sandbox.base import Caps, Sandbox

_log = logging.getLogger(__name__)


class GitHubWorkshop:
    """Makes a run's forge and pipeline from the settings."""

    def __init__(
        self, settings: Settings, app: GitHubApp, sandbox: tuple[Sandbox, Caps], known: Redactor
    ) -> None:
        self._settings = settings
        self._app = app
        self._sandbox, caps = sandbox
        self._known = known
        self.sandbox = caps.describe()

    async def forge(self, request: RunRequest) -> Forge:
        """The run's repository, seen with a token of its own."""
        return await self._app.forge(request.repository)

    def pipeline(self, request: RunRequest, rules: Rules, usd: float) -> AgenticCodingPipeline:
        """The default line-up within the rules."""
        choices = choices_within(self._settings, request, rules, usd)
        return pipeline_of(self._settings, choices, self._sandbox, redact=self._known)

    def scrub(self, text: str) -> str:
        """The text without any secret that this process knows."""
        return self._known(text)

    @property
    def scan(self) -> SecretScan:
        """Shapes of credentials, in what a change adds."""
        from bot.adapters.secrets import scan

        return scan


def choices_within(settings: Settings, request: RunRequest, rules: Rules, usd: float) -> Choices:
    """What the rules leave open for one run, and what its repository has chosen."""
    return Choices(
        max_iterations=rules.max_iterations,
        max_seconds=min(settings.max_seconds, rules.max_minutes * 60.0),
        max_usd=usd,
        recipes=rules.recipes,
        repository_models=rules.models,
        repository=request.repository.full_name,
    )


@dataclass(frozen=True, slots=True)
class WorkerParts:
    """What a worker process runs; `others` are done again and again like `answer`.

    `close` gives connections back.
    """

    execute: Callable[[str], Awaitable[None]]
    answer: Callable[[], Awaitable[None]]
    close: Callable[[], Awaitable[None]]
    others: tuple[Callable[[], Awaitable[None]], ...] = ()


async def build_worker(settings: Settings, store: Store, worker: str) -> WorkerParts:
    """The worker's parts over `store`; `worker` is the name under which runs are begun.

    Asks GitHub who the App is and tries the sandbox: where none works, every run is refused with
    words. Raises Misconfigured, ForgeUnavailable.
    """
    supply_of(settings, ())  # what is set wrong about registries is said now, not in a run
    known = redactor_of(settings)
    app = github_app(settings, lambda token: known.add("github-token", token))
    me = await learn_identity(settings, app)
    workshop = GitHubWorkshop(settings, app, await _sandbox(settings), known)
    rules = operator_rules(settings)

    def page(run_id: str) -> str:
        """The run's page; "" until the service has one to show."""
        del run_id
        return ""

    execute = ExecuteRun(
        store,
        workshop,
        rules,
        me.bot_id,
        worker,
        page,
        shelf=bases(settings),
        tickets=tickets_now(settings),
    )
    answer = AnswerCommands(store, app.forge, rules, me.bot_id, page)
    return WorkerParts(execute, answer, app.aclose, ticket_work(settings, store, app))


async def _sandbox(settings: Settings) -> tuple[Sandbox, Caps]:
    try:
        return await open_sandbox("auto", settings)
    except SandboxUnavailable as error:
        _log.critical("every run will be refused: %s", error)
        refused = Refused()
        return refused, await refused.probe()
