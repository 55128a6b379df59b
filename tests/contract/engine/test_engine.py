"""What every engine promises: each run executed, one at a time, cancelled once, never lost."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

import pytest

from bot.domain.store import Fenced, StoreUnavailable

if TYPE_CHECKING:
    from bot.domain.engine import Engine
    from tests.contract.engine.conftest import House


async def test_a_submitted_run_is_executed(house: House, engine: Engine) -> None:
    house.work.gate("a").set()
    await engine.submit("a")
    await house.until(lambda: house.work.finished["a"] == 1)
    assert house.work.started["a"] == 1


async def test_a_run_under_way_is_not_started_again(house: House, engine: Engine) -> None:
    await engine.submit("a")
    await engine.submit("a")
    await house.until(lambda: "a" in house.work.running)
    await engine.submit("a")
    house.work.gate("b").set()
    await engine.submit("b")
    await house.until(lambda: house.work.finished["b"] == 1)
    assert house.work.started["a"] == 1


async def test_a_run_that_ended_can_be_executed_again(house: House, engine: Engine) -> None:
    house.work.gate("a").set()
    # Until the engine has noted the end, a submission means the execution that just ended.
    await house.submit_until(engine, "a", lambda: house.work.finished["a"] == 2)


async def test_no_more_runs_than_there_are_places(house: House, engine: Engine) -> None:
    names = ["a", "b", "c", "d"]
    for name in names:
        await engine.submit(name)
    await house.until(lambda: len(house.work.running) == 2)
    for name in names:
        house.work.gate(name).set()
    await house.until(lambda: house.work.finished.total() == 4)
    assert house.work.most == 2


async def test_a_cancel_is_felt_once_and_leaves_time_to_clean_up(
    house: House, engine: Engine
) -> None:
    house.work.cleanup.clear()
    await engine.submit("a")
    await house.until(lambda: "a" in house.work.running)
    await engine.cancel("a")
    await engine.cancel("a")
    await asyncio.sleep(1.5)  # DBOS itself looks once a second for cancelled workflows
    assert "a" in house.work.running
    house.work.cleanup.set()
    await house.until(lambda: "a" not in house.work.running)
    assert (house.work.cancelled["a"], house.work.finished["a"]) == (1, 0)


async def test_a_cancelled_run_can_be_executed_once_more_to_close_it(
    house: House, engine: Engine
) -> None:
    await engine.submit("a")
    await house.until(lambda: "a" in house.work.running)
    await engine.cancel("a")
    await house.until(lambda: house.work.cancelled["a"] == 1)
    house.work.gate("a").set()
    await house.submit_until(engine, "a", lambda: house.work.finished["a"] == 1)
    assert house.work.started["a"] == 2


async def test_a_waiting_run_that_is_cancelled_never_starts(house: House, engine: Engine) -> None:
    for name in ("a", "b", "c", "d"):
        await engine.submit(name)
    await house.until(lambda: len(house.work.running) == 2)
    waiting = {"a", "b", "c", "d"} - house.work.running
    for name in waiting:
        await engine.cancel(name)
    for name in set(house.work.running):
        house.work.gate(name).set()
    house.work.gate("e").set()
    await engine.submit("e")
    await house.until(lambda: house.work.finished.total() == 3)
    assert not waiting & set(house.work.started)


async def test_cancelling_what_is_not_there_does_nothing(house: House, engine: Engine) -> None:
    await engine.cancel("nobody")
    assert not house.work.started


async def test_an_unusable_store_ends_the_process(house: House, engine: Engine) -> None:
    house.work.errors["a"] = StoreUnavailable("the disk is full")
    house.work.gate("a").set()
    await engine.submit("a")
    await house.until(lambda: bool(house.work.deaths))
    assert house.work.deaths == ["run a could not be recorded: the disk is full"]


@pytest.mark.parametrize("error", [Fenced("overtaken"), KeyError("a bug")], ids=["fenced", "bug"])
async def test_one_run_that_fails_leaves_the_others_alone(
    house: House, engine: Engine, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    house.work.errors["a"] = error
    for name in ("a", "b"):
        house.work.gate(name).set()
        await engine.submit(name)
    await house.until(lambda: house.work.finished["b"] == 1 and not house.work.running)
    await house.until(lambda: bool(caplog.records) or isinstance(error, Fenced))
    told = [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR]
    expected = [] if isinstance(error, Fenced) else ["the execution of run a ended in an error"]
    assert (told, house.work.deaths) == (expected, [])


async def test_closing_leaves_what_is_under_way_to_the_next_start(
    house: House, engine: Engine
) -> None:
    await engine.submit("a")
    await house.until(lambda: "a" in house.work.running)
    await engine.close()
    await engine.close()
    assert (house.work.running, house.work.cancelled["a"]) == (set(), 1)
    assert await asyncio.to_thread(len, "threads still work") == 18
    house.work.gate("a").set()
    again = await house.start()
    await again.submit("a")
    await house.until(lambda: house.work.finished["a"] == 1)
    await asyncio.sleep(0.6)
    assert house.work.started["a"] == 2


async def test_an_ordinary_life_leaves_no_word_in_the_log(
    house: House, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    await engine.submit("a")
    await house.until(lambda: "a" in house.work.running)
    await engine.cancel("a")
    await house.until(lambda: not house.work.running)
    house.work.gate("b").set()
    await engine.submit("b")
    await engine.submit("b")
    await house.until(lambda: house.work.finished["b"] == 1)
    await engine.submit("c")
    await house.until(lambda: "c" in house.work.running)
    await asyncio.sleep(1.2)
    await engine.close()
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING] == []


async def test_what_ended_is_forgotten_and_what_waits_is_not(house: House, engine: Engine) -> None:
    house.work.gate("a").set()
    await engine.submit("a")
    await house.until(lambda: house.work.finished["a"] == 1)
    await engine.submit("b")
    await house.until(lambda: "b" in house.work.running)
    assert house.remembered() <= {"a", "b"}

    async with asyncio.timeout(20):
        while "a" in house.remembered():  # until the engine has noted the end
            await engine.prune(time.time() + 3600)
            await asyncio.sleep(0.05)
    house.work.gate("b").set()
    await house.until(lambda: house.work.finished["b"] == 1)
    assert house.work.started["b"] == 1
