"""A store of each kind, and a desk that builds what goes into it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.adapters.store.memory import MemoryStore
from bot.adapters.store.sql import SqlStore
from bot.domain.runs import Actor, FrozenText, RepositoryId, Run, RunRequest
from bot.domain.store import Delivery, Order, Receipt, Say, Start, Store
from tests.contract.store.postgres import emptied, new_database, serving

KINDS = ["memory", "sqlite", "postgresql"]
ANN = Actor(7, "ann", "User")


class Clock:
    """Every look at it is a second later."""

    def __init__(self) -> None:
        self._seconds = itertools.count(1_800_000_000)

    def __call__(self) -> float:
        return float(next(self._seconds))


class Desk:
    """What the tests say to a store, in their words."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._guids = itertools.count(1)

    def delivery(self, guid: str = "") -> Delivery:
        return Delivery("github", guid or f"guid-{next(self._guids)}", "issues.labeled", "d1")

    def request(
        self, issue: int = 1, *, repository: int = 1, meaning: str = "", priority: int = 20
    ) -> RunRequest:
        return RunRequest(
            origin="label",
            repository=RepositoryId(repository, f"acme/r{repository}", 100 + repository % 2),
            issue=issue,
            text=FrozenText("Fix it", "Broken \U0001f4a5 \x7f \u2028", ANN, "mind the café"),
            requester=ANN,
            meaning=meaning or f"{repository}:{issue}:label",
            at="2026-11-22T10:00:00Z",
            priority=priority,
        )

    def say(self, verb: str = "status", meaning: str = "m1") -> Say:
        return Say(verb, RepositoryId(1, "acme/r1", 101), 1, 5, ANN, "please", meaning, "", True)

    def send(self, order: Order, guid: str = "") -> Receipt:
        return self.store.receive(self.delivery(guid), order)

    def start(
        self, issue: int = 1, *, repository: int = 1, meaning: str = "", priority: int = 20
    ) -> str:
        asked = self.request(issue, repository=repository, meaning=meaning, priority=priority)
        receipt = self.send(Start(asked))
        assert receipt.outcome == "started"
        return receipt.run_id

    def run(self, run_id: str) -> Run:
        found = self.store.run(run_id)
        assert found is not None
        return found


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a database: on the server that `ACP_TEST_POSTGRES_URL` names, or on one that is
    started for the session where PostgreSQL's programs are installed.
    """
    with serving() as server, new_database(server) as url:
        SqlStore.open(url).close()
        yield url


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryStore(Clock())
        return
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'acp.db'}"
    else:
        url = request.getfixturevalue("postgres")
        emptied(url)
    opened = SqlStore.open(url, clock=Clock())
    yield opened
    opened.close()


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)
