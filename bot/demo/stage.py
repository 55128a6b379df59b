"""The demo's stage: an emulated GitHub with the small project, and models that play a script."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from bot import demo
from bot.emulators.github import GitHubEmulator
from bot.emulators.github.model import App
from bot.emulators.models.server import ModelServer
from bot.emulators.models.stage import Incoming
from pipeline.llm.scripted import load_script

REPOSITORY = "acme/timespan"
LABEL = "agentic-fix"
WRITER = "ana"
_EVENTS = ("issues", "issue_comment", "pull_request", "check_suite", "check_run")
_SECRET = "the demo's webhook secret"  # noqa: S105 - guards nothing but this demo
_PERMISSIONS = {
    "metadata": "read",
    "contents": "write",
    "issues": "write",
    "pull_requests": "write",
    "checks": "write",
}


@dataclass(frozen=True, slots=True)
class Stage:
    """`github` is where it plays; `variables` lead `acp serve` there and to the models."""

    github: GitHubEmulator
    variables: Mapping[str, str]


@contextmanager
def set_up(port: int) -> Iterator[Stage]:
    """Both servers on loopback, the repository with one writer, and the App installed on it."""
    with as_file(files("bot.demo").joinpath("script.json")) as path:
        script = load_script(path)
    with (
        tempfile.TemporaryDirectory(prefix="acp-demo-") as scratch,
        GitHubEmulator() as github,
        ModelServer(script, seats=_seat_of) as models,
    ):
        github.repository(REPOSITORY, from_directory=demo.lay_out(Path(scratch)))
        github.collaborator(REPOSITORY, WRITER, "write")
        app = github.app(
            "acp",
            permissions=_PERMISSIONS,
            events=_EVENTS,
            webhook_url=f"http://127.0.0.1:{port}/webhooks/github",
            webhook_secret=_SECRET,
        )
        github.install(app, REPOSITORY.partition("/")[0])
        yield Stage(github, {**_app_variables(app, github, port), **models.environment})


def _app_variables(app: App, github: GitHubEmulator, port: int) -> dict[str, str]:
    return {
        "ACP_PORT": str(port),
        "ACP_GITHUB_APP_ID": str(app.id),
        "ACP_GITHUB_PRIVATE_KEY": app.private_key,
        "ACP_GITHUB_WEBHOOK_SECRET": _SECRET,
        "GITHUB_API_URL": github.api_url,
    }


def _seat_of(incoming: Incoming) -> str:
    """Both Claude seats ask for one model: what they are told to be tells them apart."""
    if incoming.vendor == "anthropic":
        return "tests" if incoming.system.startswith("You write one test") else "claude"
    return {"openai": "gpt", "google": "qa"}[incoming.vendor]
