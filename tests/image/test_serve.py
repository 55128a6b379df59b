"""The service in a stock container, stopped and killed between a label and a pull request."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bot import demo
from bot.emulators.github import GitHubEmulator
from bot.emulators.models.server import ModelServer
from tests.e2e.serving import LABEL, SHOP, free_port, shop
from tests.e2e.test_serve_kill import CALLS, positions, seat_of
from tests.image.conftest import KIND, LOCKED, TAG, Image

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(KIND not in os.environ, reason="it takes minutes: make image-check"),
]
_PATIENCE_S = 300.0


@dataclass(frozen=True)
class Service:
    """One container with the service; `url` is where it listens, on the host's own loopback."""

    image: Image
    url: str

    def docker(self, *words: str) -> str:
        return self.image.docker(*words, "service").strip()

    def state(self) -> Any:
        return json.loads(self.docker("inspect"))[0]["State"]

    def answers(self, path: str) -> bool:
        try:
            return httpx2.get(f"{self.url}{path}", timeout=10).status_code == 200
        except httpx2.TransportError:
            return False

    def until(self, happened: Callable[[], object]) -> None:
        end = time.monotonic() + _PATIENCE_S
        while not happened():
            assert time.monotonic() < end, self.docker("logs")[-6000:]
            time.sleep(0.02)


@contextmanager
def started(image: Image, port: int, **variables: str) -> Iterator[Service]:
    variables |= {"ACP_HOST": "127.0.0.1", "ACP_PORT": str(port)}
    given = [word for name, value in variables.items() for word in ("-e", f"{name}={value}")]
    where = ("--name", "service", "--network", "host", "-v", "acp:/data", *LOCKED)
    image.docker("run", "-d", *where, *given, TAG)
    service = Service(image, f"http://127.0.0.1:{port}")
    try:
        yield service
    finally:
        service.docker("rm", "-f", "-v")


def test_a_service_that_is_stopped_and_killed_on_the_way_loses_no_job_and_does_none_twice(
    image: Image, tmp_path: Path
) -> None:
    port = free_port()
    with GitHubEmulator() as github, ModelServer(positions(), seats=seat_of) as models:
        github.repository(SHOP, from_directory=demo.lay_out(tmp_path))
        app: Any = shop(github, f"http://127.0.0.1:{port}/webhooks/github")
        variables = {
            "ACP_GITHUB_APP_ID": str(app.id),
            "ACP_GITHUB_PRIVATE_KEY": app.private_key,
            "ACP_GITHUB_WEBHOOK_SECRET": "webhook-secret",
            "GITHUB_API_URL": github.api_url,
            **models.environment,
        }
        with started(image, port, **variables) as service:
            service.until(lambda: service.answers("/readyz"))
            health = httpx2.get(f"{service.url}/healthz").json()
            assert health["sandbox"].startswith("landlock (degraded: no network, no local servers")
            assert health["sandbox"].endswith("; acp doctor says what makes it strong")
            title, _, body = demo.issue().partition("\n")
            issue = github.open_issue(SHOP, title, body.strip(), by="ana")
            github.label(issue, LABEL, by="ana")

            service.until(lambda: len(models.requests) >= 2)
            service.docker("stop", "-t", "30")
            assert service.state()["ExitCode"] == 0, "it had to be killed"
            assert github.pulls(SHOP) == []
            service.docker("start")
            service.until(lambda: len(models.requests) >= 9)
            service.docker("kill", "-s", "KILL")
            service.docker("start")
            service.until(lambda: ("acp[bot]", "rocket") in github.reactions(issue))

            assert CALLS <= len(models.requests) <= CALLS + 2
            assert len(github.pulls(SHOP)) == 1
            assert len([name for name in github.branches(SHOP) if name.startswith("acp/")]) == 1
            assert len(github.comments(issue)) == 1
            assert app.private_key.splitlines()[1] not in service.docker("logs")
