"""The service's commands, each as its own process: what they say when something is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.serving import acp, environment


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    return environment(tmp_path, 0)


def refusal(variables: dict[str, str], *words: str) -> str:
    code, out, err = acp(variables, *words)
    assert (code, out) == (2, "")
    return err.strip().splitlines()[-1]


def test_a_worker_without_an_app_says_what_to_run(variables: dict[str, str]) -> None:
    said = refusal(variables, "worker")
    assert said.endswith(
        "the worker cannot go on: the GitHub App is not set up: ACP_GITHUB_APP_ID, "
        "ACP_GITHUB_PRIVATE_KEY, ACP_GITHUB_WEBHOOK_SECRET missing; run `acp setup`"
    )


def test_a_worker_that_may_run_nothing_is_refused(variables: dict[str, str]) -> None:
    assert "ACP_WORKERS is 0" in refusal(variables | {"ACP_WORKERS": "0"}, "worker")


def test_a_setup_check_without_an_app_names_the_variables(variables: dict[str, str]) -> None:
    assert refusal(variables, "setup", "--check").startswith("acp: there is no GitHub App yet")


def test_a_port_that_is_taken_is_named(variables: dict[str, str]) -> None:
    said = refusal(variables | {"ACP_HOST": "192.0.2.1"}, "serve")
    assert "acp: 192.0.2.1:0 cannot be listened on" in said


def test_a_data_directory_that_cannot_be_made_is_named(
    variables: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    said = refusal(variables | {"ACP_DATA_DIR": str(tmp_path / "file/acp")}, "runs")
    assert "set ACP_DATA_DIR to one that can be written" in said


def test_no_runs_and_no_such_run(variables: dict[str, str]) -> None:
    assert acp(variables, "runs") == (0, "", "no runs yet\n")
    assert acp(variables, "runs", "--json") == (0, "", "")
    assert (
        refusal(variables, "logs", "01ABC") == "acp: there is no run 01ABC; `acp runs` lists them"
    )
    assert refusal(variables, "cancel", "01ABC").startswith("acp: there is no run 01ABC")


def test_a_delivery_is_not_replayed_before_the_app_is_known(
    variables: dict[str, str], tmp_path: Path
) -> None:
    saved = tmp_path / "saved.json"
    saved.write_text("{}")
    said = refusal(variables, "receive", str(saved), "--event", "ping")
    assert "it is not known yet who the GitHub App is" in said
    assert refusal(variables, "receive", "/no/file", "--event", "ping") == (
        "acp: /no/file cannot be read: No such file or directory"
    )


def test_a_repositorys_settings_are_checked_line_by_line(
    variables: dict[str, str], tmp_path: Path
) -> None:
    config = tmp_path / "acp.yml"
    config.write_text("hold: always\nlimits:\n  files: 10\n")
    assert acp(variables, "config", "validate", str(config)) == (0, f"{config} is fine\n", "")
    config.write_text("hold: allways\nlimit:\n  files: 10\n")
    code, out, _ = acp(variables, "config", "validate", str(config))
    assert code == 1
    assert [line.partition(": ")[2][:6] for line in out.splitlines()] == ["line 1", "line 2"]


def test_importing_the_application_loads_no_engine_no_sdk_and_no_forge(
    variables: dict[str, str],
) -> None:
    code = (
        "import sys, asyncio, bot.app as a\n"
        "from starlette.testclient import TestClient\n"
        "with TestClient(a.app) as c: assert c.get('/readyz').status_code == 503\n"
        "heavy = 'dbos github jira git openai anthropic google.genai pytest'.split()\n"
        "print(*[m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""
