"""Busy runs do not slow an answer: the web process executes none, and asks nobody outside."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.settings import Settings
from tests.contract.receiver.sender import Sender, labeled, note_identity, settings_in

ROOT = Path(__file__).parents[3]
EXECUTES = (
    "dbos",
    "openai",
    "anthropic",
    "google.genai",
    "pipeline.orchestrator",
    "pipeline.sandbox.bubblewrap",
    "bot.adapters.engine",
    "bot.adapters.github.http",
    "bot.services.dispatch",
    "bot.services.execute_run",
)
LOADED = "import bot.entrypoints.http.application, sys; print('\\n'.join(sys.modules))"


@pytest.fixture
def forge() -> Iterator[socket.socket]:
    """Where the forge's API would be; nobody answers there."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        bound.setblocking(False)
        yield bound


@pytest.fixture
def settings(tmp_path: Path, forge: socket.socket) -> Settings:
    url = f"http://127.0.0.1:{forge.getsockname()[1]}/api/v3"
    found = settings_in(tmp_path, github_api_url=url)
    note_identity(found)
    return found


def test_22_the_web_process_holds_nothing_that_executes_runs() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = done.stdout.splitlines()
    assert "bot.entrypoints.http.github_door" in loaded
    assert not [one for one in loaded if one.startswith(EXECUTES)]


def test_22_deliveries_are_answered_without_a_worker_and_without_a_word_to_the_forge(
    sender: Sender, forge: socket.socket
) -> None:
    bodies = [json.dumps(labeled(issue=number)).encode() for number in range(1, 21)]
    answers = sender.at_once([(body, sender.headers(body)) for body in bodies])

    assert [one.status_code for one in answers] == [202] * 20
    assert {run.status for run in sender.runs()} == {"queued"}
    with pytest.raises(BlockingIOError):
        forge.accept()
