"""What `acp serve` says when it is up: where it is, what it works with, and what is missing."""

from __future__ import annotations

from collections.abc import Awaitable

from bot.bootstrap.jira import jira_fault
from bot.domain.scrub import printable
from bot.services.check_setup import HOOK_PATH, unreachable
from bot.settings import Settings
from pipeline.errors import PipelineError
from pipeline.sandbox.base import Caps


async def banner(settings: Settings, setup_link: str, sandbox: Awaitable[Caps]) -> str:
    """A few lines for people. `setup_link` is "" where the App is set up.

    `sandbox` gives what it was measured to do, or raises PipelineError.
    """
    lines = [
        ("listens on", f"http://{settings.host}:{settings.port}"),
        ("data", str(settings.data_dir)),
        ("GitHub App", _app(settings)),
        ("models", ", ".join(settings.vendors()) or "none"),
        ("runs at once", str(settings.workers or "none here (ACP_WORKERS=0)")),
    ]
    missing = [f"a GitHub App: open {setup_link}"] if setup_link else []
    if not settings.vendors():
        missing.append(
            "a model key: OPENAI_API_KEY, ANTHROPIC_API_KEY or GOOGLE_API_KEY; one is enough"
        )
    if fault := jira_fault(settings):
        missing.append(f"Jira: {fault}")
    if problem := unreachable(settings.reached_at()):
        missing.append(problem)
    try:
        lines.append(("sandbox", (await sandbox).describe()))
    except PipelineError as error:
        missing.append(f"a sandbox: {error}")
    shown = [f"  {name:13} {value}" for name, value in lines]
    shown += [f"  {'missing':13} {one}" for one in missing]
    return printable("\n".join(["acp serves", *shown])) + "\n"


def _app(settings: Settings) -> str:
    if settings.missing_for_app():
        return "not set up"
    return f"id {settings.github_app_id}, webhooks to {settings.reached_at()}{HOOK_PATH}"
