"""`kill -9` around every single model call of a run, one after the other, counted by the model."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from bot.services.run_book import checkpoints_of
from tests.resilience.conftest import Place

CALLS = 13


def say(name: str, **args: Any) -> dict[str, Any]:
    return {"tools": [{"name": name, "args": args}]}


def verdict(word: str, **finding: Any) -> dict[str, Any]:
    well = {"criterion": "Write it down.", "verdict": "PASS", "why": "it is", "file": "a.py"}
    blocking = [{"severity": "blocking", "message": "not so", "file": "a.py", "line": 1}]
    findings = [] if word == "PASS" else blocking
    return {"json": {"criteria": [{**well, "line": 1}], "findings": findings, "verdict": word}}


SCRIPT = {
    "gpt": [
        say("list"),
        say("run", command="echo $RANDOM > made.txt; cat made.txt"),
        say("read", path="made.txt"),
        say("create", path="a.py", content="written   =  1\n"),
        say("search", pattern="written"),
        say("run", command="rm made.txt"),
        say("finish", summary="written"),
        say("read", path="a.py"),
        say("edit", path="a.py", old="written = 1", new="written = 2"),
        say("run", command="date >> a.py; tail -n 1 a.py; git -C / status; sed -i '$ d' a.py"),
        say("finish", summary="written twice"),
    ],
    "qa": [verdict("FAIL"), verdict("PASS")],
}


class Vendor:
    """Answers a question it has heard before as it did then, and counts how often it is paid."""

    def __init__(self) -> None:
        self.paid: Counter[str] = Counter()
        self._said: dict[str, dict[str, Any]] = {}
        self._left = {seat: iter(turns) for seat, turns in SCRIPT.items()}
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.dumps(vendor.answer(self.path)).encode()
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)

            @override
            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, path: str) -> dict[str, Any]:
        self.paid[path] += 1
        if path not in self._said:
            self._said[path] = next(self._left[path.split("/")[1]])
        return self._said[path]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    built = Vendor()
    yield built
    built.close()


class Starter:
    """Starts the run in one process after the other."""

    def __init__(self, **told: str) -> None:
        self._told = told
        program = str(Path(__file__).with_name("caller.py"))
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            [sys.executable, program], stdin=pipe, stdout=pipe, text=True
        )

    def start(self) -> int:
        """One process to its end; returns its status."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(self._told) + "\n")
        self._process.stdin.flush()
        status = int(self._process.stdout.readline())
        assert status in {0, -signal.SIGKILL}
        return status

    def close(self) -> None:
        self._process.communicate()


def started(place: Place) -> str:
    for words in (["init", "-q", "repository"], ["-C", "repository", *COMMIT]):
        subprocess.run(["git", *words], cwd=place.folder, check=True)
    return place.start()


COMMIT = ["-c", "user.name=T", "-c", "user.email=t@x", "commit", "-q", "--allow-empty", "-m", "b"]


@pytest.mark.slow
@pytest.mark.parametrize(("die", "paid", "lost"), [("kept", 1, 0), ("lost", 2, CALLS)])
def test_a_run_killed_around_every_call_pays_each_journalled_call_once(
    place: Place, vendor: Vendor, die: str, paid: int, lost: int
) -> None:
    run = started(place)
    repository = str(place.folder / "repository")
    starter = Starter(
        store=place.store_url, run=run, repository=repository, url=vendor.url, die=die
    )
    deaths = 0
    while starter.start():
        deaths += 1
        assert deaths <= CALLS
    starter.close()

    assert deaths == CALLS
    assert set(vendor.paid.values()) == {paid}
    assert len(vendor.paid) == CALLS
    last = checkpoints_of(place.store, run)[-1].state
    assert last["status"] == "completed"
    assert "+written = 2" in last["proposed_code"]
    agents = last["usage"]["agents"].values()
    assert sum(seat["calls"] for seat in agents) == CALLS
    assert sum(seat["lost"] for seat in agents) == lost
