"""`acp serve` with everything real but GitHub and the models: from a label to a pull request."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from bot.emulators.github import GitHubEmulator
from bot.emulators.models.server import ModelServer
from bot.emulators.models.stage import Incoming
from tests.e2e.bot import scripts
from tests.e2e.serving import ACP, LABEL, SHOP, Serving, environment, free_port, shop

pytestmark = pytest.mark.slow


def seat_of(incoming: Incoming) -> str:
    if incoming.vendor == "anthropic":
        return "tests" if incoming.system.startswith("You write one test") else "claude"
    return {"openai": "gpt", "google": "qa"}[incoming.vendor]


@pytest.mark.parametrize("by", ["label", "comment"])
def test_1_a_request_becomes_a_pull_request(tmp_path: Path, by: str) -> None:
    port = free_port()
    with GitHubEmulator() as github, ModelServer(scripts.mended(), seats=seat_of) as models:
        app: Any = shop(github, f"http://127.0.0.1:{port}/webhooks/github")
        variables = environment(
            tmp_path,
            port,
            ACP_GITHUB_APP_ID=str(app.id),
            ACP_GITHUB_PRIVATE_KEY=app.private_key,
            ACP_GITHUB_WEBHOOK_SECRET="webhook-secret",
            GITHUB_API_URL=github.api_url,
            **models.environment,
        )
        with Serving((*ACP, "serve"), variables, tmp_path) as serving:
            serving.until(serving.ready)
            issue = github.open_issue(SHOP, scripts.TITLE, scripts.BODY, by="ana")
            if by == "label":
                target: Any = issue
                github.label(issue, LABEL, by="ana")
            else:
                target = github.comment(issue, "/acp run", by="ana")
            asked = time.monotonic()
            serving.until(lambda: ("acp[bot]", "eyes") in github.reactions(target))
            print(f"reaction after {time.monotonic() - asked:.2f} s")
            serving.until(serving.finished)
            print(f"finished after {time.monotonic() - asked:.2f} s")
            (run,) = serving.runs()
            assert (run.outcome, run.reason, run.pull_request > 0) == ("completed", "", True), (
                serving.log
            )
            said = "\n".join(text for _, text in github.comments(github.pull(SHOP)))
            assert "test_output" in said
            assert "qa_output" in said
            assert app.private_key.splitlines()[1] not in serving.log
            assert "Traceback" not in serving.log
