"""Puts the parts together: the only room that names concrete adapters."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bot.bootstrap.app import learn_identity as learn_identity
from bot.errors import Misconfigured
from bot.services.intake import TakeIn

if TYPE_CHECKING:
    from pydantic import SecretStr

    from bot.adapters.github.client import GitHubApp
    from bot.adapters.github.issues import GitHubIssues
    from bot.adapters.jira.client import JiraSite
    from bot.adapters.jira.issues import JiraTickets
    from bot.domain.engine import Die, Engine, Execute
    from bot.domain.policy import Rules
    from bot.domain.store import Store
    from bot.settings import Settings
    from pipeline import AgenticCodingPipeline
    from pipeline.environment.plan import Recipe
    from pipeline.limits import Limits
    from pipeline.llm.base import LLMClient
    from pipeline.llm.vendors import VendorOptions
    from pipeline.redaction import Redactor
    from pipeline.sandbox.base import Caps, Sandbox
    from pipeline.verification.verifier import Bounds


@dataclass(frozen=True, slots=True)
class Choices:
    """What a caller may choose for one run; None leaves it to the settings."""

    models: Mapping[str, str] = field(default_factory=dict)
    max_iterations: int | None = None
    max_seconds: float | None = None
    max_tokens: int | None = None
    max_usd: float | None = None
    repository_models: Mapping[str, str] = field(default_factory=dict)
    repository: str = ""
    python: Path | None = None
    recipes: tuple[Recipe, ...] = ()
    tests: bool = True
    review: bool = True


def take_in(settings: Settings) -> TakeIn:
    """The intake over GitHub and Jira as they are set up."""

    def issues() -> GitHubIssues:
        from bot.adapters.github.issues import GitHubIssues

        return GitHubIssues(settings.github_api_url, _plain(settings.github_token))

    def tickets() -> JiraTickets:
        from bot.adapters.jira.issues import JiraTickets

        return JiraTickets(jira_site(settings), criteria_field=settings.jira_criteria_field)

    return TakeIn(issues, tickets)


def jira_site(settings: Settings) -> JiraSite:
    """Jira as it is set up. Raises Misconfigured, naming what is missing."""
    from bot.adapters.jira.client import JiraSite

    url, token = settings.jira_base_url, _plain(settings.jira_api_token)
    site = JiraSite(url or "", settings.jira_email or "", token or "", settings.jira_flavor)
    needed = {"JIRA_BASE_URL": url, "JIRA_EMAIL": settings.jira_email, "JIRA_API_TOKEN": token}
    if settings.jira_flavor == "dc":
        del needed["JIRA_EMAIL"]  # a personal access token needs none
    if missing := [name for name, value in needed.items() if not value]:
        raise Misconfigured(f"reading from Jira needs {', '.join(missing)}; set what is missing")
    return site


async def open_sandbox(kind: Literal["auto", "none"], settings: Settings) -> tuple[Sandbox, Caps]:
    """The sandbox and what it was measured to do. Raises SandboxUnavailable."""
    from pipeline.sandbox.none import NoSandbox
    from pipeline.sandbox.select import installed, strongest

    sandbox: Sandbox = NoSandbox()
    if kind != "none":
        sandbox = await strongest(installed(settings.runner(), settings.cgroup))
    return sandbox, await sandbox.probe()


def pipeline_of(
    settings: Settings,
    choices: Choices,
    sandbox: Sandbox,
    clients: Mapping[str, LLMClient] | None = None,
    redact: Redactor | None = None,
) -> AgenticCodingPipeline:
    """The default line-up with the settings' keys, models and limits. Raises LLMMisconfigured.

    `clients` maps seats to models that take the place of those; `redact` (default: the settings'
    own) knows the secrets that no model may see.
    """
    from bot.bootstrap.journals import redactor_of
    from bot.bootstrap.models import prices_of, seated
    from bot.bootstrap.prompts import prompts_of
    from bot.bootstrap.supplies import supply_of
    from bot.settings.kept import private_directory
    from pipeline.defaults import build_pipeline

    seats = seated(settings, choices.models, choices.repository_models)
    return build_pipeline(
        models={one.seat: one.models for one in seats if one.models} | dict(choices.models),
        efforts={one.seat: one.effort for one in seats if one.effort},
        prompts=prompts_of(settings, choices.repository),
        prices=prices_of(settings),
        clients=clients,
        keys=keys_of(settings),
        sandbox=sandbox,
        python=choices.python,
        supply=supply_of(settings, choices.recipes),
        kept=private_directory(settings.data_dir).absolute() / "kept",
        max_iterations=choices.max_iterations or settings.max_iterations,
        limits=_limits(settings, choices),
        bounds=_bounds(settings),
        testers=choices.tests,
        reviewers=choices.review,
        redact=redact or redactor_of(settings),
    )


def _bounds(settings: Settings) -> Bounds:
    from pipeline.sandbox.base import Limits
    from pipeline.verification.verifier import Bounds

    seconds = settings.tests_seconds
    each = Limits(wall_s=seconds, cpu_s=math.ceil(2 * seconds))
    return Bounds(each, partial=settings.tests_partial)


def _limits(settings: Settings, choices: Choices) -> Limits:
    from pipeline.limits import Limits

    return Limits(
        wall_s=choices.max_seconds or settings.max_seconds,
        tokens=choices.max_tokens or settings.max_tokens,
        calls=settings.max_calls,
        usd=choices.max_usd,
    )


def models_of(pipeline: AgenticCodingPipeline) -> tuple[tuple[str, str], ...]:
    """(seat, "vendor:model") of every agent that asks a model, once the run has opened them."""
    from pipeline.agents.seated import ModelAgent

    seats = [agent for agent in pipeline.agents if isinstance(agent, ModelAgent)]
    return tuple((seat.name, f"{seat.client.provider}:{seat.client.model}") for seat in seats)


def open_store(settings: Settings, *, quick: bool = False) -> Store:
    """The database in the data directory. Raises StoreUnavailable, Misconfigured.

    `quick`: wait for other writers no longer than a webhook may.
    """
    from bot.adapters.store.sql import PATIENT_S, QUICK_S, SqlStore
    from bot.settings.kept import private_directory

    path = private_directory(settings.data_dir).absolute() / "acp.db"
    return SqlStore.open(f"sqlite:///{path}", wait_s=QUICK_S if quick else PATIENT_S)


def open_engine(settings: Settings, execute: Execute, die: Die) -> Engine:
    """The engine over its own file in the data directory. It is not started yet."""
    from bot.adapters.engine.dbos_engine import DbosEngine
    from bot.settings.kept import private_directory

    url = f"sqlite:///{private_directory(settings.data_dir).absolute() / 'engine.db'}"
    return DbosEngine(execute, die, url=url, concurrency=max(1, settings.workers))


def operator_rules(settings: Settings) -> Rules:
    """What the operator allows every repository."""
    from bot.domain.policy import Rules

    return Rules(
        hold=settings.hold,
        usd_per_run=settings.max_usd_run,
        usd_per_day=settings.max_usd_repository_day,
        runs_per_day=settings.max_runs_day,
        max_iterations=settings.max_iterations,
        max_minutes=max(1, int(settings.max_seconds // 60)),
        bots=settings.allowed_bots,
        open_models=settings.repository_models,
    )


def github_app(settings: Settings, on_secret: Callable[[str], None]) -> GitHubApp:
    """The App as it is set up. Raises Misconfigured, naming what is missing."""
    from bot.adapters.github.client import GitHubApp

    if missing := settings.missing_for_app():
        raise Misconfigured(
            f"the GitHub App is not set up: {', '.join(missing)} missing; run `acp setup`"
        )
    return GitHubApp(
        app_id=settings.github_app_id or "",
        private_key=settings.app_key(),
        on_secret=on_secret,
        api_url=settings.github_api_url,
    )


def keys_of(settings: Settings) -> dict[str, VendorOptions]:
    """How each vendor is reached, by its name."""
    from pipeline.llm.vendors import VendorOptions

    many = settings.model_concurrency
    return {
        "openai": VendorOptions(
            api_key=_plain(settings.openai_api_key),
            base_url=settings.openai_base_url,
            wire=settings.openai_wire,
            api_version=settings.openai_api_version,
            concurrency=many,
        ),
        "anthropic": VendorOptions(
            api_key=_plain(settings.anthropic_api_key),
            base_url=settings.anthropic_base_url,
            concurrency=many,
        ),
        "google": VendorOptions(
            api_key=_plain(settings.google_api_key),
            base_url=settings.google_base_url,
            api_version=settings.google_api_version,
            concurrency=many,
        ),
    }


def _plain(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
