"""From nothing to an App that works: the link on the console, a browser, a worker that starts."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from bot.emulators.github import GitHubEmulator
from tests.e2e.serving import ACP, LABEL, SHOP, Serving, acp, environment, free_port

pytestmark = pytest.mark.slow


@pytest.fixture
def github() -> Iterator[GitHubEmulator]:
    with GitHubEmulator() as emulator:
        emulator.account("acme", "Organization")
        emulator.repository(SHOP, files={"README.md": "# Shop\n"})
        emulator.collaborator(SHOP, "ana", "write")
        yield emulator


def walk(link: str) -> str:
    """Do in a browser what a person does; the last page."""
    with httpx2.Client(follow_redirects=True) as browser:
        browser.get(link).raise_for_status()
        ours = link.partition("?")[0]
        page = browser.get(ours, params={"organization": "acme", "name": "fixer"}).text
        (action,) = re.findall(r'<form method="post" action="([^"]+)"', page)
        (manifest,) = re.findall(r'name="manifest" value="([^"]+)"', page)
        shown = browser.post(html.unescape(action), data={"manifest": html.unescape(manifest)})
        fields = dict(re.findall(r'<input[^>]*name="(\w+)" value="([^"]*)"', shown.text))
        (button,) = re.findall(r'action="(http[^"]+/settings/apps/manifest)"', shown.text)
        values = {name: html.unescape(value) for name, value in fields.items()}
        return browser.post(button, data=values).text


def test_serve_makes_the_app_and_starts_to_work(github: GitHubEmulator, tmp_path: Path) -> None:
    variables = environment(tmp_path, free_port(), GITHUB_API_URL=github.api_url)
    with Serving((*ACP, "serve"), variables, tmp_path) as serving:
        serving.until(lambda: "missing" in serving.log)
        (link,) = re.findall(r"a GitHub App: open (\S+)", serving.log)
        assert serving.client.get("/readyz").json()["github_app"].startswith("not set up")
        assert "/apps/fixer/installations/new" in walk(link).replace("/github-apps/", "/apps/")
        serving.until(serving.ready)
        app = github.find_app("fixer")
        github.install(app, "acme", [SHOP])
        assert github.hooks.drain()
        issue = github.open_issue(SHOP, "It is broken", "Mend it.", by="ana")
        github.label(issue, LABEL, by="ana")
        serving.until(serving.runs)
        code, out, _ = acp(variables, "setup", "--check")
        missing = [line.partition("missing: ")[2][:26] for line in out.splitlines()]
        assert (code, missing) == (1, ["GitHub cannot reach http:/", "no model key is set; one v"])


def test_setup_alone_makes_the_app_and_ends(github: GitHubEmulator, tmp_path: Path) -> None:
    variables = environment(tmp_path, free_port(), GITHUB_API_URL=github.api_url)
    setup = subprocess.Popen(
        [sys.executable, "-m", "bot", "setup"],
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert setup.stdout is not None
    setup.stdout.readline()
    link = setup.stdout.readline().strip()
    page = walk(link)
    out, err = setup.communicate(timeout=60)
    assert "The GitHub App is made" in page
    assert (setup.returncode, "Traceback" in err) == (1, False)
    assert "missing: the App is not installed anywhere yet: http" in out
    assert github.find_app("fixer").private_key.splitlines()[1] not in out + err
