"""The dispatcher between a store and an engine: what may start starts, what was asked is done."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

import pytest
from typing_extensions import override

from bot.adapters.engine.in_process import InProcessEngine
from bot.adapters.store.memory import MemoryStore
from bot.domain.jira import Asked
from bot.domain.runs import (
    MAX_STARTS,
    Actor,
    FrozenText,
    Outcome,
    RepositoryId,
    Run,
    RunRequest,
    RunStatus,
)
from bot.domain.store import Delivery, Ending, Fenced, Nothing, Start, StoreUnavailable
from bot.errors import Misconfigured
from bot.services.dispatch import Dispatcher, Pace

Until = Callable[[Callable[[], bool]], Awaitable[None]]
ANN = Actor(7, "ann", "User")


class Office:
    """A worker in small: a store, an engine, and work that follows the rules of the port."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.stuck = asyncio.Event()
        self.begun: list[tuple[str, int]] = []
        self.deaths: list[str] = []
        self.pace = Pace(per_repository=1, total=2, tick_s=0.01, sweep_ticks=5)

    async def execute(self, run_id: str) -> None:
        epoch = self.store.begin(run_id, "w")
        self.begun.append((run_id, epoch))
        try:
            await self.stuck.wait()
        except asyncio.CancelledError:
            if not self.cancelled(run_id):
                raise
        outcome: Outcome = "cancelled" if self.cancelled(run_id) else "completed"
        self.store.move(run_id, epoch, RunStatus.FINISHED, Ending(outcome))

    def cancelled(self, run_id: str) -> bool:
        return self.run(run_id).cancel_requested

    def run(self, run_id: str) -> Run:
        run = self.store.run(run_id)
        assert run is not None
        return run

    def start(self, issue: int, repository: int = 1, ticket: Asked | None = None) -> str:
        request = RunRequest(
            "label",
            RepositoryId(repository, "acme/shop", 1),
            issue,
            FrozenText("", "", ANN),
            ANN,
            f"{repository}:{issue}",
            "2026-11-22T10:00:00Z",
            ticket=ticket,
        )
        delivery = Delivery("github", request.meaning, "issues.labeled", "")
        return self.store.receive(delivery, Start(request)).run_id

    def dispatcher(self) -> Dispatcher:
        engine = InProcessEngine(self.execute, self.deaths.append)
        return Dispatcher(self.store, engine, self.deaths.append, worker="w", pace=self.pace)


@pytest.fixture
async def office() -> Office:
    return Office()


@pytest.fixture
async def serving(office: Office) -> AsyncIterator[Office]:
    task = asyncio.ensure_future(office.dispatcher().run())
    yield office
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_runs_start_within_the_limits_and_all_come_to_an_end(
    serving: Office, until: Until
) -> None:
    ids = [serving.start(1), serving.start(2), serving.start(1, 2), serving.start(1, 3)]
    await until(lambda: len(serving.begun) == 2)
    await asyncio.sleep(0.1)
    assert [run_id for run_id, _ in serving.begun] == [ids[0], ids[2]]
    serving.stuck.set()
    await until(lambda: all(serving.run(one).outcome == "completed" for one in ids))
    assert sorted(serving.begun) == sorted((one, 1) for one in ids)


async def test_a_cancel_in_the_store_reaches_the_execution_once(
    serving: Office, until: Until
) -> None:
    run_id = serving.start(1)
    await until(lambda: len(serving.begun) == 1)
    serving.store.request_cancel(run_id, "ann")
    await until(lambda: serving.run(run_id).status == "finished")
    assert (serving.run(run_id).outcome, serving.begun) == ("cancelled", [(run_id, 1)])


async def test_what_a_dead_worker_left_is_taken_up(office: Office, until: Until) -> None:
    left, claimed, cancelled = office.start(1), office.start(1, 2), office.start(1, 3)
    for run_id in (left, cancelled):
        office.store.begin(run_id, "dead")
    office.store.request_cancel(cancelled, "ann")
    assert [run.id for run in office.store.next_runs(per_repository=1, total=4)] == [claimed]
    task = asyncio.ensure_future(office.dispatcher().run())
    await until(lambda: office.run(cancelled).status == "finished")
    office.stuck.set()
    ids = (left, claimed, cancelled)
    await until(lambda: all(office.run(one).status == "finished" for one in ids))
    task.cancel()
    assert sorted(office.begun) == sorted([(left, 2), (claimed, 1), (cancelled, 2)])
    assert [office.run(one).outcome for one in ids] == ["completed", "completed", "cancelled"]
    assert office.store.last_beat()


async def test_stopping_leaves_runs_as_they_are(serving: Office, until: Until) -> None:
    run_id = serving.start(1)
    await until(lambda: len(serving.begun) == 1)
    second = asyncio.ensure_future(serving.dispatcher().run())
    second.cancel()
    with suppress(asyncio.CancelledError):
        await second
    assert serving.run(run_id).status == "running"


async def test_a_run_that_never_comes_to_an_end_is_given_up(office: Office, until: Until) -> None:
    run_id = office.start(1)
    last = 0
    for _ in range(MAX_STARTS + 3):
        last = office.store.begin(run_id, "dead")
    task = asyncio.ensure_future(office.dispatcher().run())
    await until(lambda: office.run(run_id).status == "finished")
    task.cancel()
    assert office.run(run_id).outcome == "failed"
    assert "given up after 9 starts" in office.run(run_id).reason
    assert office.begun == []
    with pytest.raises(Fenced):
        office.store.append(run_id, last, "log", {})


async def test_the_ticket_of_a_run_that_is_given_up_is_told_once(
    office: Office, until: Until
) -> None:
    run_id = office.start(1, ticket=Asked("SHOP-1", "https://jira.example/browse/SHOP-1", ()))
    for _ in range(MAX_STARTS + 3):
        office.store.begin(run_id, "dead")
    task = asyncio.ensure_future(office.dispatcher().run())
    await until(lambda: office.run(run_id).status == "finished")
    task.cancel()
    (posting,) = office.store.due(60)
    assert posting.letter.key == "SHOP-1"
    assert "begun 9 times and never came to an end" in posting.letter.text


class BrokenStore(MemoryStore):
    """A store that stops to answer."""

    @override
    def beat(self, worker: str) -> None:
        raise StoreUnavailable(f"no space left for {worker}")


async def test_a_store_that_does_not_answer_ends_the_worker(office: Office) -> None:
    office.store = BrokenStore()
    with pytest.raises(StoreUnavailable):
        await office.dispatcher().run()
    assert office.deaths == ["no space left for w"]


async def test_an_engine_that_cannot_start_says_why(office: Office, until: Until) -> None:
    class Refusing(InProcessEngine):
        @override
        async def start(self) -> None:
            raise Misconfigured("another worker serves this file")

    engine = Refusing(office.execute, office.deaths.append)
    dispatcher = Dispatcher(
        office.store, engine, office.deaths.append, worker="w", pace=office.pace
    )
    with pytest.raises(Misconfigured, match="another worker"):
        await dispatcher.run()


async def test_what_was_dealt_with_a_month_ago_is_forgotten_and_runs_stay(
    office: Office, until: Until
) -> None:
    run_id = office.start(1)
    office.store.request_cancel(run_id, "ann")
    nothing = Delivery("github", "old", "ping", "")
    office.store.receive(nothing, Nothing("ping"))
    forgotten: list[float] = []

    class Memory(InProcessEngine):
        @override
        async def prune(self, before: float) -> None:
            forgotten.append(before)

    for days, outcome in ((29, "duplicate"), (31, "ignored")):
        now = time.time() + days * 86_400
        pace = replace(office.pace, clock=partial(float, now))
        engine = Memory(office.execute, office.deaths.append)
        dispatcher = Dispatcher(office.store, engine, office.deaths.append, worker="w", pace=pace)
        await dispatcher.tick()
        assert office.store.receive(nothing, Nothing("ping")).outcome == outcome
        assert forgotten[-1] == now - 30 * 86_400
    assert office.run(run_id).outcome == "cancelled"


async def test_a_run_that_was_often_parked_is_not_given_up(office: Office, until: Until) -> None:
    run_id = office.start(1)
    for _ in range(MAX_STARTS + 2):
        epoch = office.store.begin(run_id, "w")
        past = Ending(not_before="2026-01-01T00:00:00Z")
        office.store.move(run_id, epoch, RunStatus.QUEUED, past)
    office.store.begin(run_id, "dead")
    office.stuck.set()
    task = asyncio.ensure_future(office.dispatcher().run())
    await until(lambda: office.run(run_id).status == "finished")
    task.cancel()
    assert office.run(run_id).outcome == "completed"
