"""An engine of each kind, over work that can be watched and held up."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot.adapters.engine.dbos_engine import DbosEngine
from bot.adapters.engine.in_process import InProcessEngine
from bot.domain.engine import Engine

PATIENCE_S = 20.0


class Work:
    """What the engine executes: each run waits for its gate, and everything is written down."""

    def __init__(self) -> None:
        self.started: Counter[str] = Counter()
        self.cancelled: Counter[str] = Counter()
        self.finished: Counter[str] = Counter()
        self.running: set[str] = set()
        self.most = 0
        self.errors: dict[str, Exception] = {}
        self.cleanup = asyncio.Event()
        self.cleanup.set()
        self.deaths: list[str] = []
        self._gates: dict[str, asyncio.Event] = {}

    async def __call__(self, run_id: str) -> None:
        self.started[run_id] += 1
        self.running.add(run_id)
        self.most = max(self.most, len(self.running))
        try:
            await self.gate(run_id).wait()
            if run_id in self.errors:
                raise self.errors[run_id]
            self.finished[run_id] += 1
        except asyncio.CancelledError:
            await self.cleanup.wait()
            self.cancelled[run_id] += 1
            raise
        finally:
            self.running.discard(run_id)

    def gate(self, run_id: str) -> asyncio.Event:
        return self._gates.setdefault(run_id, asyncio.Event())

    def die(self, reason: str) -> None:
        self.deaths.append(reason)


async def wait_until(happened: Callable[[], bool]) -> None:
    """Wait until it has happened; fails where it does not within `PATIENCE_S` seconds."""
    async with asyncio.timeout(PATIENCE_S):
        while not happened():  # noqa: ASYNC110 (what is waited for has no event to set)
            await asyncio.sleep(0.01)


class House:
    """Starts engines over the same work and the same memory, one after another."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.work = Work()
        self.until = wait_until
        self._kind = kind
        self._folder = folder
        self._engines: list[Engine] = []

    async def start(self) -> Engine:
        engine: Engine
        if self._kind == "in process":
            engine = InProcessEngine(self.work, self.work.die, concurrency=2)
        else:
            url = f"sqlite:///{self._folder / 'engine.db'}"
            engine = DbosEngine(self.work, self.work.die, url=url, concurrency=2)
        self._engines.append(engine)
        await engine.start()
        return engine

    async def submit_until(self, engine: Engine, run_id: str, happened: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not happened():
                await engine.submit(run_id)
                await asyncio.sleep(0.05)

    def remembered(self) -> set[str]:
        """The runs of which the engine's database knows an execution."""
        if self._kind == "in process":
            return set()
        with closing(sqlite3.connect(self._folder / "engine.db")) as database:
            rows = database.execute("SELECT workflow_uuid FROM workflow_status").fetchall()
        return {str(row[0]).partition(":")[0] for row in rows}

    async def close(self) -> None:
        self.work.cleanup.set()
        for engine in self._engines:
            await engine.close()


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    return wait_until


@pytest.fixture(params=["in process", "dbos on sqlite"])
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    built = House(request.param, tmp_path)
    yield built
    await built.close()


@pytest.fixture
async def engine(house: House) -> Engine:
    return await house.start()
