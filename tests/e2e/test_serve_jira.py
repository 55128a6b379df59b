"""`kill -9` of the real worker while it tells a ticket: afterwards everything is there once."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.store.sql import SqlStore
from bot.emulators.github import GitHubEmulator
from bot.emulators.jira import JiraEmulator
from bot.emulators.models.server import ModelServer
from tests.e2e.bot import scripts
from tests.e2e.serving import ACP, SHOP, Serving, environment, free_port, kill, shop
from tests.e2e.test_serve_label import seat_of

pytestmark = [pytest.mark.slow, pytest.mark.needs_bubblewrap]
EMAIL, TOKEN, SECRET = "bot@acme.example", "api-token-of-the-bot", "the-secret-of-the-webhook"


def end_leases(path: Path) -> None:
    """As if the minutes had passed for which a dead worker's letters are left alone."""
    ahead = SqlStore.open(f"sqlite:///{path}", clock=lambda: time.time() + 1000)
    for posting in ahead.due(0.0):
        ahead.put_off(posting.id, -1001)
    ahead.close()


def undelivered(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT count(*) FROM letters WHERE done_at = ''").fetchone()
    return int(found[0])


def settings(port: int, app: Any, github: GitHubEmulator, jira: JiraEmulator) -> dict[str, str]:
    """What `acp serve` is told; `Ana` may start runs."""
    ana = jira.account("Ana")
    return {
        "ACP_GITHUB_APP_ID": str(app.id),
        "ACP_GITHUB_PRIVATE_KEY": app.private_key,
        "ACP_GITHUB_WEBHOOK_SECRET": "webhook-secret",
        "GITHUB_API_URL": github.api_url,
        "JIRA_BASE_URL": jira.url,
        "JIRA_FLAVOR": "cloud",
        "JIRA_EMAIL": EMAIL,
        "JIRA_API_TOKEN": TOKEN,
        "ACP_JIRA_WEBHOOK_SECRET": SECRET,
        "ACP_JIRA_REPOSITORIES": "acme/*",
        "ACP_JIRA_PROJECTS": f"SHOP={SHOP}",
        "ACP_JIRA_PEOPLE": ana.id,
        "ACP_JIRA_STATUS": "Ready for ACP",
        "ACP_JIRA_OPENED": "In Review",
    }


def test_72_a_worker_killed_while_it_tells_a_ticket_tells_it_once(tmp_path: Path) -> None:
    port = free_port()
    with (
        GitHubEmulator() as github,
        JiraEmulator() as jira,
        ModelServer(scripts.mended(), seats=seat_of) as models,
    ):
        app: Any = shop(github, f"http://127.0.0.1:{port}/webhooks/github")
        told = {**settings(port, app, github, jira), **models.environment}
        bot = jira.account("Bot", token=f"{EMAIL}:{TOKEN}")
        jira.hooks.url, jira.hooks.secret = f"http://127.0.0.1:{port}/webhooks/jira", SECRET
        variables = environment(tmp_path, port, **told)
        with Serving((*ACP, "serve"), variables, tmp_path) as serving:
            serving.until(serving.ready)
            ticket = jira.ticket(scripts.TITLE, scripts.BODY, by=jira.account("Ana"))
            jira.move(ticket, "Ready for ACP", ticket.creator)
            comment = f"POST /rest/api/2/issue/{ticket.key}/comment"
            while sum(one == comment for one in jira.asked) < 2:
                time.sleep(0.002)  # the second is made, and its answer never read
            kill(serving.workers[-1])
            serving.until(lambda: len(serving.workers) > 1)
            end_leases(tmp_path / "acp/acp.db")
            serving.until(lambda: not undelivered(tmp_path / "acp/acp.db"))

            assert [run.outcome for run in serving.runs()] == ["completed"], serving.log
            started, opened = jira.comments(ticket, bot)
            assert "At work" in started
            assert "A pull request is open" in opened
            assert (len(ticket.links), len(ticket.uploads)) == (1, 1)
            assert ticket.status == "In Review"
            assert len(github.pulls(SHOP)) == 1
            assert TOKEN not in serving.log


def test_72_a_service_killed_at_work_and_told_again_ends_in_one_of_each(tmp_path: Path) -> None:
    port = free_port()
    with (
        GitHubEmulator() as github,
        JiraEmulator() as jira,
        ModelServer(scripts.mended(), seats=seat_of) as models,
    ):
        app: Any = shop(github, f"http://127.0.0.1:{port}/webhooks/github")
        told = {**settings(port, app, github, jira), **models.environment}
        bot = jira.account("Bot", token=f"{EMAIL}:{TOKEN}")
        jira.hooks.url, jira.hooks.secret = f"http://127.0.0.1:{port}/webhooks/jira", SECRET
        variables = environment(tmp_path, port, **told)
        with Serving((*ACP, "serve"), variables, tmp_path) as serving:
            serving.until(serving.ready)
            ticket = jira.ticket(scripts.TITLE, scripts.BODY, by=jira.account("Ana"))
            jira.say(ticket, "/acp run", ticket.creator)
            while not github.pulls(SHOP):
                time.sleep(0.002)
            kill(serving.process.pid)
            kill(serving.workers[-1])
            serving.process.wait(30)
            assert jira.hooks.again() == 0  # nobody is there, so Jira will try once more
        with Serving((*ACP, "serve"), variables, tmp_path) as serving:
            end_leases(tmp_path / "acp/acp.db")
            assert (jira.hooks.again(), jira.hooks.anew()) == (202, 202)
            serving.until(serving.finished)
            serving.until(lambda: not undelivered(tmp_path / "acp/acp.db"))

            assert [run.outcome for run in serving.runs()] == ["completed"], serving.log
            started, opened = jira.comments(ticket, bot)
            assert "At work" in started
            assert "A pull request is open" in opened
            assert (len(ticket.links), len(ticket.uploads)) == (1, 1)
            assert (ticket.status, len(github.pulls(SHOP))) == ("In Review", 1)
