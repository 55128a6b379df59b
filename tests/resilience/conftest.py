"""A place where worker processes can be started, killed and frozen while somebody counts calls."""

from __future__ import annotations

import itertools
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typing_extensions import override

from bot.adapters.store.sql import SqlStore
from bot.domain.runs import Actor, FrozenText, RepositoryId, Run, RunRequest
from bot.domain.store import Delivery, Start

PATIENCE_S = 60.0
ANN = Actor(7, "ann", "User")
Hook = Callable[[str, int], None]


class Till:
    """Counts paid calls. `before` runs once a call is counted, before it is answered."""

    def __init__(self) -> None:
        self.calls: Counter[tuple[str, int]] = Counter()
        self.by: Counter[str] = Counter()
        self.before: Hook = lambda run_id, call: None
        self._lock = threading.Lock()
        till = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                path, _, name = self.path.partition("?")
                run_id, call = path.strip("/").split("/")
                till.count(run_id, int(call), name)
                self.send_response(200)
                self.end_headers()
                try:
                    self.wfile.write(json.dumps({"paid": till.calls.total()}).encode())
                except OSError:
                    return  # whoever asked is dead

            @override
            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def count(self, run_id: str, call: int, name: str) -> None:
        with self._lock:
            self.calls[run_id, call] += 1
            self.by[name] += 1
        self.before(run_id, call)

    def of(self, run_id: str) -> dict[int, int]:
        return {call: number for (run, call), number in self.calls.items() if run == run_id}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Place:
    """A store, a till, and worker processes over them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.till = Till()
        self.store_url = f"sqlite:///{folder / 'acp.db'}"
        self.store = SqlStore.open(self.store_url)
        self.workers: list[subprocess.Popen[bytes]] = []
        self._issues = itertools.count(1)

    def worker(
        self, *, calls: int = 12, name: str = "w", job: str = "calls", file_kb: int = 0
    ) -> subprocess.Popen[bytes]:
        told = {
            "folder": str(self.folder),
            "store": self.store_url,
            "engine": f"sqlite:///{self.folder / f'engine-{name}.db'}",
            "url": self.till.url,
            "calls": calls,
            "name": name,
            "job": job,
            "file_kb": file_kb,
        }
        program = Path(__file__).with_name("worker.py")
        with (self.folder / "worker.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-W", "error", str(program), json.dumps(told)],
                stdout=subprocess.PIPE,
                stderr=log,
            )
        self.workers.append(process)
        assert process.stdout is not None
        process.stdout.readline()
        return process

    def start(self) -> str:
        """A run of its own repository, so that all may run at once."""
        number = next(self._issues)
        request = RunRequest(
            "label",
            RepositoryId(number, f"acme/r{number}", 1),
            number,
            FrozenText("", "", ANN),
            ANN,
            f"m{number}",
            "2026-11-22T10:00:00Z",
        )
        return self.store.receive(
            Delivery("github", f"g{number}", "issues.labeled", ""), Start(request)
        ).run_id

    def run(self, run_id: str) -> Run:
        run = self.store.run(run_id)
        assert run is not None
        return run

    def finished(self, *run_ids: str) -> bool:
        return all(self.run(one).status == "finished" for one in run_ids)

    def until(self, happened: Callable[[], bool]) -> float:
        """Seconds until it has happened; fails where it does not within `PATIENCE_S`."""
        began = time.monotonic()
        while not happened():
            assert time.monotonic() < began + PATIENCE_S, self.log()
            time.sleep(0.02)
        return time.monotonic() - began

    def freeze(self, process: subprocess.Popen[bytes]) -> None:
        """Stop a worker between two transactions: within one, it alone could write for ever."""
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        while not self._writable():
            process.send_signal(signal.SIGCONT)
            time.sleep(0.01)
            process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)

    def _writable(self) -> bool:
        with closing(sqlite3.connect(self.folder / "acp.db", timeout=0.1)) as database:
            try:
                database.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
        return True

    def log(self) -> str:
        path = self.folder / "worker.log"
        return path.read_text()[-4000:] if path.exists() else ""

    def close(self) -> None:
        for process in self.workers:
            if process.poll() is None:
                os.kill(process.pid, signal.SIGCONT)
                process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        self.till.close()
        self.store.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    built = Place(tmp_path)
    yield built
    built.close()
