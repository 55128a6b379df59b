"""Ready means: a delivery that came now would become a run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.requests import Request

from bot.adapters.store.memory import MemoryStore
from bot.domain.store import Store, StoreUnavailable
from bot.entrypoints.http.health import BEAT_S, Health, Readiness
from bot.entrypoints.http.inbox import Inbox

NOW = 1_800_000_000.0


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(lambda: NOW)


@pytest.fixture
def inbox(store: MemoryStore) -> Iterator[Inbox]:
    opened = Inbox(lambda: store)
    yield opened
    opened.close()


def readiness(
    inbox: Inbox, data: Path, *, later: float = 0.0, missing: Callable[[], str] = str
) -> Readiness:
    return Readiness(inbox, data, missing, clock=lambda: NOW + later)


async def test_all_is_well_while_a_worker_beats(
    store: MemoryStore, inbox: Inbox, tmp_path: Path
) -> None:
    store.beat("w")
    parts = await readiness(inbox, tmp_path, later=BEAT_S).parts()
    assert set(parts.values()) == {"ok"}


async def test_a_silent_worker_is_told(store: MemoryStore, inbox: Inbox, tmp_path: Path) -> None:
    assert (await readiness(inbox, tmp_path).parts())["worker"] == "no worker has started yet"
    store.beat("w")
    parts = await readiness(inbox, tmp_path, later=95).parts()
    assert parts["worker"] == "no sign of life for 95 s"


async def test_a_database_that_does_not_open_is_told_and_tried_again(tmp_path: Path) -> None:
    doors: list[Store] = []

    def door() -> Store:
        if not doors:
            raise StoreUnavailable("the path of the database and more")
        return doors[0]

    inbox = Inbox(door)
    parts = await readiness(inbox, tmp_path).parts()
    assert (parts["store"], parts["worker"]) == ("the database does not answer", "unknown")
    doors.append(MemoryStore(lambda: NOW))
    assert (await readiness(inbox, tmp_path).parts())["store"] == "ok"
    inbox.close()


async def test_a_data_directory_that_is_gone_and_an_app_that_is_missing_are_told(
    inbox: Inbox, tmp_path: Path
) -> None:
    parts = await readiness(inbox, tmp_path / "gone", missing=lambda: "not set up").parts()
    assert parts["disk"] == "the data directory cannot be read"
    assert parts["github_app"] == "not set up"


async def test_health_names_the_sandbox_once_it_is_measured() -> None:
    measured = asyncio.Event()

    async def measure() -> str:
        await measured.wait()
        return "bubblewrap (strong)"

    health = Health(measure)
    request = Request({"type": "http", "method": "GET", "headers": []})
    health.start()
    early = json.loads(bytes((await health.answer(request)).body))
    measured.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    late = json.loads(bytes((await health.answer(request)).body))
    await health.stop()
    assert early == {"status": "ok", "sandbox": "being measured"}
    assert late == {"status": "ok", "sandbox": "bubblewrap (strong)"}
