"""A worker that dies is started again, with pauses that grow."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.entrypoints.http.supervisor import Supervisor

BRIEF = "import sys; open(sys.argv[1], 'a').write('x'); sys.exit(75)"
STUBBORN = (
    "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); "
    "open(sys.argv[1], 'a').write('x'); time.sleep(600)"
)


async def until(happened: Callable[[], bool]) -> None:
    for _ in range(1500):
        if happened():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not happen")


def times(path: Path) -> int:
    return len(path.read_text()) if path.exists() else 0


async def test_it_is_started_again_with_growing_pauses(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    supervisor = Supervisor((sys.executable, "-c", BRIEF, str(tmp_path / "n")), first_s=0.1)
    supervisor.start()
    supervisor.start()
    await until(lambda: times(tmp_path / "n") == 3)
    await supervisor.stop()
    said = [record.getMessage() for record in caplog.records]
    assert said[:2] == [
        "the worker ended with status 75; starting it in 0.1 s",
        "the worker ended with status 75; starting it in 0.2 s",
    ]


async def test_a_stop_asks_first_and_may_come_twice(tmp_path: Path) -> None:
    supervisor = Supervisor((sys.executable, "-c", STUBBORN, str(tmp_path / "n")))
    supervisor.start()
    await until(lambda: times(tmp_path / "n") == 1)
    await supervisor.stop()
    await supervisor.stop()
    assert times(tmp_path / "n") == 1


async def test_a_stop_without_a_start_is_nothing() -> None:
    await Supervisor(("/no/such/program",)).stop()


async def test_a_program_that_cannot_be_started_is_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    supervisor = Supervisor(("/no/such/program",), first_s=0.05)
    supervisor.start()
    await until(lambda: len(caplog.records) >= 2)
    await supervisor.stop()
    assert "the worker could not be started" in caplog.text
