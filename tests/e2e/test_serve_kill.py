"""`kill -9` of the real worker of the real `acp serve`; the models count what they are asked."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from bot import demo
from bot.emulators.github import GitHubEmulator
from bot.emulators.models.server import ModelServer
from bot.emulators.models.stage import Incoming
from pipeline.llm.scripted import Turn, load_script
from tests.e2e.serving import ACP, LABEL, SHOP, Serving, environment, free_port, kill, shop

pytestmark = [pytest.mark.slow, pytest.mark.needs_bubblewrap]
SCRIPT = Path(demo.__file__).parent / "script.json"
CALLS = 21
FIRST = {
    "gpt": 5,
    "claude": 2,
}  # turns of the first iteration; the tester and the reviewer have one


def seat_of(incoming: Incoming) -> str:
    """A seat for every position of the talk: whoever asks again is answered the same again."""
    seat = {"openai": "gpt", "google": "qa", "anthropic": "claude"}[incoming.vendor]
    if incoming.system.startswith("You write one test"):
        seat = "tests"
    body = json.dumps(incoming.body)
    spoken = body.count('"type": "function_call"') + body.count('"role": "assistant"')
    later = FIRST.get(seat, 0) if "The last attempt did not pass" in body else 0
    return f"{seat}.{spoken + later}"


def positions() -> dict[str, list[Turn]]:
    return {
        f"{seat}.{number}": [turn] * 9
        for seat, turns in load_script(SCRIPT).items()
        for number, turn in enumerate(turns)
    }


@pytest.mark.parametrize("after", [2, 9, 16, CALLS])
def test_59_a_worker_killed_after_any_call_ends_in_exactly_one_of_each(
    tmp_path: Path, after: int
) -> None:
    port = free_port()
    with GitHubEmulator() as github, ModelServer(positions(), seats=seat_of) as models:
        github.repository(SHOP, from_directory=demo.lay_out(tmp_path))
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
            title, _, body = demo.issue().partition("\n")
            issue = github.open_issue(SHOP, title, body.strip(), by="ana")
            github.label(issue, LABEL, by="ana")
            while len(models.requests) < after:
                time.sleep(0.002)
            kill(serving.workers[-1])
            serving.until(serving.finished)

            (run,) = serving.runs()
            assert (run.outcome, run.reason) == ("completed", ""), serving.log
            assert run.epoch == 2
            assert CALLS <= len(models.requests) <= CALLS + 1
            assert len(github.pulls(SHOP)) == 1
            assert len([name for name in github.branches(SHOP) if name.startswith("acp/")]) == 1
            said = [text.splitlines()[0] for _, text in github.comments(github.pull(SHOP))]
            assert sorted(line.split()[1] for line in said) == ["acp:qa_output", "acp:test_output"]
            assert len(github.comments(issue)) == 1
