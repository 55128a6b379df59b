"""`acp serve` as a real process, beside an emulated GitHub whose deliveries it takes."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import httpx2

from bot.adapters.github.tokens import RUN_PERMISSIONS
from bot.adapters.store.sql import SqlStore
from bot.domain.runs import Run
from bot.emulators.github import GitHubEmulator
from tests.e2e.bot import scripts

SHOP = "acme/shop"
LABEL = "agentic-fix"
EVENTS = ("issues", "issue_comment", "pull_request", "check_suite", "check_run")
PATIENCE_S = 60.0
ACP = (sys.executable, "-m", "bot")
STAND_IN = (sys.executable, str(Path(__file__).with_name("serving_stand_in.py")))
_KEPT = ("PATH", "HOME", "LANG", "SSL_CERT_FILE", "COVERAGE_PROCESS_START")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        return int(bound.getsockname()[1])


def shop(github: GitHubEmulator, hook: str, secret: str = "webhook-secret") -> Any:
    """acme/shop with its bug, `ana` who may write, and the App; returns the App."""
    github.repository(SHOP, files=scripts.FILES)
    github.collaborator(SHOP, "ana", "write")
    app = github.app(
        "acp",
        permissions=RUN_PERMISSIONS,
        events=EVENTS,
        webhook_url=hook,
        webhook_secret=secret,
    )
    github.install(app, "acme", [SHOP])
    return app


def environment(data: Path, port: int, **more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {
        **kept,
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "ACP_DATA_DIR": str(data / "acp"),
        "ACP_PORT": str(port),
        **more,
    }


class Serving:
    """One `acp serve`. `command` is the program, `variables` its whole environment."""

    def __init__(
        self, command: tuple[str, ...], variables: Mapping[str, str], directory: Path
    ) -> None:
        self.url = f"http://127.0.0.1:{variables['ACP_PORT']}"
        self._data = Path(variables["ACP_DATA_DIR"])
        self._log = directory / "serve.log"
        self.client = httpx2.Client(base_url=self.url, timeout=30, follow_redirects=False)
        began = time.monotonic()
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                command, env=dict(variables), cwd=directory, stdout=log, stderr=log
            )
        self.until(self.answers)
        self.up_s = time.monotonic() - began

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)

    def answers(self) -> bool:
        try:
            return self.client.get("/healthz").status_code == 200
        except httpx2.TransportError:
            assert self.process.poll() is None, self.log
            return False

    def ready(self) -> bool:
        return self.client.get("/readyz").status_code == 200

    def state(self) -> str:
        """What it says of itself, for people who look at a failure."""
        ready = self.client.get("/readyz").text if self.process.poll() is None else "it has ended"
        return f"{ready}\n{self.log[-6000:]}"

    @property
    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    @property
    def workers(self) -> list[int]:
        """Every worker's process id so far, as the log names them."""
        return [int(found) for found in re.findall(r"worker [^ ]+:(\d+) is up", self.log)]

    def runs(self) -> list[Run]:
        store = SqlStore.open(f"sqlite:///{self._data / 'acp.db'}")
        found = store.runs()
        store.close()
        return list(found)

    def finished(self) -> bool:
        runs = self.runs()
        return bool(runs) and all(run.status == "finished" for run in runs)

    def until(self, happened: Callable[[], object], patience_s: float = PATIENCE_S) -> float:
        """Seconds until it has happened; fails where it does not in time."""
        began = time.monotonic()
        while not happened():
            assert time.monotonic() < began + patience_s, self.state()
            time.sleep(0.05)
        return time.monotonic() - began


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def memory_mb(pid: int, field: str = "VmRSS") -> float:
    (line,) = re.findall(rf"{field}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(line) / 1024


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def acp(variables: Mapping[str, str], *words: str, stdin: bytes = b"") -> tuple[int, str, str]:
    done = subprocess.run(
        [*ACP, *words], env=dict(variables), input=stdin, capture_output=True, check=False
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def json_lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]
