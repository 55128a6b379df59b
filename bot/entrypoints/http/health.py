"""`/healthz`: this process answers. `/readyz`: a delivery that came now would become a run."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.domain.store import StoreUnavailable
from bot.entrypoints.http.inbox import Inbox

FLOOR_BYTES = 256 * 1024 * 1024
BEAT_S = 30.0
"""A worker beats every few seconds; one that is silent for longer is dead or stuck."""


class Health:
    """Answers `/healthz`: the process is alive, and what its sandbox was measured to do.

    `measure` gives that in a line; it is asked once, beside the first answers.
    """

    def __init__(self, measure: Callable[[], Awaitable[str]]) -> None:
        self._measure = measure
        self._measured: asyncio.Task[str] | None = None

    def start(self) -> None:
        """Begin to measure."""
        self._measured = asyncio.ensure_future(self._measure())

    async def stop(self) -> None:
        """End a measurement that still runs."""
        if self._measured is not None:
            self._measured.cancel()
            await asyncio.wait({self._measured})

    async def answer(self, _request: Request) -> Response:
        """Always 200: whether runs can be taken is for `/readyz` to say."""
        done = self._measured is not None and self._measured.done()
        sandbox = self._measured.result() if self._measured and done else "being measured"
        return JSONResponse({"status": "ok", "sandbox": sandbox})


@dataclass(frozen=True, slots=True)
class Readiness:
    """Answers `/readyz` with one sentence for each part, "ok" where all is well."""

    inbox: Inbox
    data_dir: Path
    app_missing: Callable[[], str]
    clock: Callable[[], float] = time.time

    async def answer(self, _request: Request) -> Response:
        """200 if every part is well, 503 otherwise."""
        parts = await self.parts()
        ready = all(said == "ok" for said in parts.values())
        status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        return JSONResponse({"ready": ready, **parts}, status)

    async def parts(self) -> Mapping[str, str]:
        """Each part and what is wrong with it."""
        try:
            beat = await self.inbox(lambda store: store.last_beat())
            store, worker = "ok", self._worker(beat)
        except StoreUnavailable:
            store, worker = "the database does not answer", "unknown"
        return {
            "store": store,
            "worker": worker,
            "disk": await asyncio.to_thread(self._disk),
            "github_app": self.app_missing() or "ok",
        }

    def _worker(self, beat: str) -> str:
        if not beat:
            return "no worker has started yet"
        silent = self.clock() - datetime.fromisoformat(beat).timestamp()
        return "ok" if silent <= BEAT_S else f"no sign of life for {silent:.0f} s"

    def _disk(self) -> str:
        try:
            free = shutil.disk_usage(self.data_dir).free
        except OSError:
            return "the data directory cannot be read"
        return "ok" if free >= FLOOR_BYTES else f"only {free // 2**20} MB are left"
