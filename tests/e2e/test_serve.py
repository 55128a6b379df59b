"""`acp serve` as processes: up, killed, restarted, stopped; its worker executes plain steps."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.emulators.github import GitHubEmulator
from tests.e2e.serving import (
    LABEL,
    SHOP,
    STAND_IN,
    Serving,
    acp,
    alive,
    environment,
    free_port,
    json_lines,
    kill,
    memory_mb,
    shop,
)

pytestmark = pytest.mark.slow


@dataclass
class Place:
    github: GitHubEmulator
    variables: dict[str, str]
    directory: Path

    def serve(self) -> Serving:
        return Serving(STAND_IN, self.variables, self.directory)

    def label(self, title: str = "Fix it") -> None:
        issue = self.github.open_issue(SHOP, title, "It is broken.", by="ana")
        self.github.label(issue, LABEL, by="ana")
        assert self.github.hooks.drain()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    port = free_port()
    with GitHubEmulator() as github:
        app: Any = shop(github, f"http://127.0.0.1:{port}/webhooks/github")
        variables = environment(
            tmp_path,
            port,
            ACP_GITHUB_APP_ID=str(app.id),
            ACP_GITHUB_PRIVATE_KEY=app.private_key,
            ACP_GITHUB_WEBHOOK_SECRET="webhook-secret",
            GITHUB_API_URL=github.api_url,
        )
        yield Place(github, variables, tmp_path)


def test_a_worker_that_is_killed_goes_on_where_it_was(place: Place) -> None:
    with place.serve() as serving:
        serving.until(serving.ready)
        place.label()
        serving.until(lambda: serving.runs() and serving.runs()[0].epoch == 1)
        (first,) = serving.workers
        kill(first)
        serving.until(serving.finished)
        (run,) = serving.runs()
        assert (run.outcome, run.epoch) == ("completed", 2)
        _, out, _ = acp(place.variables, "logs", run.id, "--json")
        assert [line["data"]["step"] for line in json_lines(out)] == list(range(10))
        assert len(serving.workers) == 2
        assert "the worker ended with status -9; starting it in" in serving.log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_is_clean_and_the_next_start_goes_on(place: Place, number: signal.Signals) -> None:
    with place.serve() as serving:
        serving.until(serving.ready)
        place.label()
        serving.until(lambda: serving.runs() and serving.runs()[0].status == "running")
        serving.process.send_signal(number)
        assert serving.process.wait(30) == 0, serving.log
        assert not alive(serving.workers[-1])
        assert "Traceback" not in serving.log
        assert serving.runs()[0].status == "running"
    with place.serve() as serving:
        serving.until(serving.finished)
        assert serving.runs()[0].outcome == "completed"


def test_the_worker_ends_with_the_web_process(place: Place) -> None:
    with place.serve() as serving:
        serving.until(serving.ready)
        (worker,) = serving.workers
        kill(serving.process.pid)
        serving.process.wait()
        serving.until(lambda: not alive(worker))


def test_23_what_came_while_we_were_down_is_asked_for_once(place: Place) -> None:
    for title in ("one", "two", "three"):
        place.label(title)
    lost = [one for one in place.github.hooks.deliveries if one.event == "issues"]
    assert {one.ok for one in lost} == {False}
    with place.serve() as serving:
        serving.until(serving.finished)
        serving.until(lambda: len(serving.runs()) == 3)
        place.github.hooks.drain()
    taken = [one for one in place.github.hooks.deliveries if one.redelivery and one.ok]
    again = [one for one in taken if one.event == "issues"]
    assert sorted(one.guid for one in again) == sorted({one.guid for one in lost})


def test_19_endless_bodies_do_not_fill_the_memory(place: Place) -> None:
    with place.serve() as serving:
        serving.until(serving.ready)
        before = memory_mb(serving.process.pid, "VmHWM")
        signed = {
            "x-github-event": "issues",
            "x-github-delivery": "one",
            "x-hub-signature-256": "sha256=" + "0" * 64,
        }
        for _ in range(3):
            body = (bytes(2**20) for _ in range(60))
            answer = serving.client.post("/webhooks/github", content=body, headers=signed)
            assert answer.status_code == 413
        assert memory_mb(serving.process.pid, "VmHWM") < before + 64


def test_the_web_process_loads_no_engine_and_no_sdk(place: Place) -> None:
    with place.serve() as serving:
        serving.until(serving.ready)
        maps = Path(f"/proc/{serving.process.pid}/maps").read_text()
        assert "pydantic_core" in maps
        assert memory_mb(serving.process.pid) < 120


def test_runs_are_listed_shown_cancelled_and_replayed_by_hand(place: Place) -> None:
    with place.serve() as serving:
        serving.until(serving.ready)
        place.label("\x1b[31mRed, and a long way to go")
        serving.until(serving.runs)
        (run,) = serving.runs()
        code, out, _ = acp(place.variables, "runs")
        assert (code, run.id in out, "\x1b" in out) == (0, True, False)
        (listed,) = json_lines(acp(place.variables, "runs", "--json")[1])
        assert listed["request"]["repository"]["full_name"] == SHOP
        assert acp(place.variables, "cancel", run.id[-8:]) == (
            0,
            f"{run.id} will stop within seconds\n",
            "",
        )
        code, out, _ = acp(place.variables, "logs", run.id, "--follow")
        assert (code, serving.runs()[0].outcome) == (0, "cancelled")
        body = next(o.body for o in place.github.hooks.deliveries if o.action == "labeled")
        payload = json.loads(body) | {"action": "labeled"}
        payload["issue"]["updated_at"] = "2027-01-01T00:00:00Z"
        saved = place.directory / "saved.json"
        saved.write_text(json.dumps(payload))
        code, out, err = acp(place.variables, "receive", str(saved), "--event", "issues")
        assert (code, out.split()[0], err) == (0, "started", "")
        again = acp(place.variables, "receive", str(saved), "--event", "issues")[1]
        assert again.split()[0] == "duplicate"
