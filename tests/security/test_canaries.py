"""Our secrets, planted wherever they lie and echoed wherever text comes in, are found nowhere.

The real service with its real worker and sandbox runs between an emulated GitHub and emulated
models; then everything that it has sent, written or logged is searched.
"""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from bot.adapters.store.sql import SqlStore
from bot.emulators.github import GitHubEmulator
from bot.emulators.models.server import ModelServer
from bot.emulators.models.stage import Incoming
from pipeline.workspace.recorded import unpacked
from tests.e2e.bot import scripts
from tests.e2e.serving import (
    ACP,
    LABEL,
    PATIENCE_S,
    SHOP,
    Serving,
    acp,
    environment,
    free_port,
    shop,
)

pytestmark = [pytest.mark.slow, pytest.mark.needs_bubblewrap]
CANARIES = {
    "OPENAI_API_KEY": "sk-canary-openai/Q8+w==one",
    "ANTHROPIC_API_KEY": "sk-canary-anthropic-two-Zz91",
    "GOOGLE_API_KEY": "canary-google-three-Kk42",
    "GITHUB_TOKEN": "canary-github-four-Ll53",
    "JIRA_API_TOKEN": "canary-jira-five-Mm64",
    "ACP_GITHUB_WEBHOOK_SECRET": "canary-webhook-six-Nn75",
}
LOUD = '[tool.pytest.ini_options]\npythonpath = ["."]\naddopts = "-s"\n'


def backwards(secrets: list[str]) -> str:
    """Python that says the secrets, and does not hold them."""
    return f"print(*[one[::-1] for one in {[one[::-1] for one in secrets]!r}], sep='\\n')"


def seat_of(incoming: Incoming) -> str:
    if incoming.vendor == "anthropic":
        return "tests" if incoming.system.startswith("You write one test") else "claude"
    return {"openai": "gpt", "google": "qa"}[incoming.vendor]


def forms(secret: str) -> list[str]:
    plain = [secret, quote(secret, safe=""), json.dumps(secret)[1:-1]]
    return [*plain, base64.b64encode(secret.encode()).decode()]


class Told:
    """A finished run, and everything that it left behind."""

    def __init__(self, tmp_path: Path, github: GitHubEmulator, models: ModelServer) -> None:
        self.folder = tmp_path
        self._github = github
        self._models = models
        self._port = free_port()
        self.app: Any = shop(
            github,
            f"http://127.0.0.1:{self._port}/webhooks/github",
            CANARIES["ACP_GITHUB_WEBHOOK_SECRET"],
        )
        key = tmp_path / "outside.pem"
        key.write_text(self.app.private_key)
        pem = [line for line in self.app.private_key.splitlines() if "-----" not in line]
        self.secrets = [*CANARIES.values(), *(line for line in pem if len(line) > 20)]
        self.variables = environment(
            tmp_path,
            self._port,
            ACP_GITHUB_APP_ID=str(self.app.id),
            ACP_GITHUB_PRIVATE_KEY_FILE=str(key),
            GITHUB_API_URL=github.api_url,
            **{**models.environment, **CANARIES},
        )

    def run(self) -> None:
        """From the label to the pull request; the issue and the tests say every secret."""
        self._github.commit(SHOP, "main", "pyproject.toml", LOUD, by="ana")
        said = backwards(self.secrets)
        self._github.commit(SHOP, "main", "conftest.py", f"{said}\n", by="ana")
        echoed = "\n".join(form for secret in self.secrets for form in forms(secret))
        body = f"{scripts.BODY}\n\n{echoed}\n\n{self.app.private_key}"
        title = f"{scripts.TITLE} {CANARIES['JIRA_API_TOKEN']}"
        with Serving((*ACP, "serve"), self.variables, self.folder) as serving:
            serving.until(serving.ready)
            issue = self._github.open_issue(SHOP, title, body, by="ana")
            self._github.label(issue, LABEL, by="ana")
            serving.until(serving.finished, 3 * PATIENCE_S)
            (run,) = serving.runs()
            assert run.outcome == "completed", serving.log
            self.issue, self.name = issue, run.id

    def artefacts(self) -> Iterator[tuple[str, bytes]]:
        """Name and bytes of all that left the service or was written by it."""
        for number, incoming in enumerate(self._models.requests):
            yield f"prompt {number}", json.dumps(incoming.body).encode()
        yield "log", (self.folder / "serve.log").read_bytes()
        data = self.folder / "acp"
        for path in data.rglob("*"):
            if path.is_file():
                yield str(path.relative_to(data)), path.read_bytes()
        yield from self._journal(data)
        yield from self._forge()
        code, name, said = acp(self.variables, "export", self.name, "-o", str(self.folder / "out"))
        assert code == 0, said
        yield "export", gzip.decompress(Path(name.strip()).read_bytes())
        code, shown, said = acp(self.variables, "replay", name.strip())
        assert code == 0, said  # of a service's run, too: its base was kept beside the store
        yield "replay", f"{shown}{said}".encode()

    def _journal(self, data: Path) -> Iterator[tuple[str, bytes]]:
        store = SqlStore.open(f"sqlite:///{data / 'acp.db'}")
        for key, entry in store.journal(self.name).items():
            reply: Mapping[str, Any] = entry.reply or {}
            yield key, json.dumps(reply).encode()
            if "output" in reply and ".command." in key:
                yield f"output of {key}", unpacked(reply["output"])
        store.close()

    def _forge(self) -> Iterator[tuple[str, bytes]]:
        pull = self._github.pull(SHOP)
        yield "pull request", f"{pull.title}\n{pull.body}".encode()
        for place in (self.issue, pull):
            for by, text in self._github.comments(place):
                if by != "ana":
                    yield f"comment on {place.number}", text.encode()
        for check in self._github.check_runs(SHOP):
            yield "check", repr(check).encode()
        log = ["git", "log", "-p", "--all", "--format=%B%an%ae", "--branches=acp/*"]
        where = self._github.store(SHOP).path
        yield "git", subprocess.run(log, cwd=where, capture_output=True, check=True).stdout


def test_no_artefact_holds_a_secret_of_ours(tmp_path: Path) -> None:
    echo = scripts.call("run", command=f'python -c "{backwards(list(CANARIES.values()))}"')
    script = scripts.mended(echo)
    with GitHubEmulator() as github, ModelServer(script, seats=seat_of) as models:
        told = Told(tmp_path, github, models)
        told.run()
        artefacts = list(told.artefacts())
        found = [
            (name, form)
            for name, data in artefacts
            for secret in told.secrets
            for form in forms(secret)
            if form.encode() in data
        ]
        names = [name for name, _ in artefacts]

    assert not found
    prompts = b"".join(json.dumps(incoming.body).encode() for incoming in models.requests)
    for name in CANARIES:  # they had come in, and were seen
        assert f"[redacted:{name.lower().replace('_', '-')}]".encode() in prompts or "ACP_" in name
    assert {"log", "export", "replay", "pull request", "git"} <= set(names)
    assert sum("comment on" in name for name in names) >= 2
    assert any("output of" in name for name in names)
