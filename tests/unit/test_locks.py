"""Locks between processes."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.locks import locked, locked_if_free, take


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "x.lock"


async def test_sharers_hold_a_lock_together_and_keep_out_who_wants_it_alone(file: Path) -> None:
    first, second = await take(file, shared=True), await take(file, shared=True)
    first.release()
    with locked_if_free(file) as held:
        assert held is None
    second.release()
    with locked_if_free(file) as held:
        assert held is not None


async def test_who_holds_a_lock_alone_keeps_out_the_others(file: Path) -> None:
    async with locked(file):
        waiting = asyncio.ensure_future(take(file, shared=True))
        await asyncio.sleep(0.2)
        assert not waiting.done()
    (await waiting).release()


async def test_a_cancel_ends_the_waiting(file: Path) -> None:
    async with locked(file):
        waiting = asyncio.ensure_future(take(file))
        await asyncio.sleep(0.1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting


async def test_who_waited_for_a_file_that_was_removed_holds_the_one_that_is_there(
    file: Path,
) -> None:
    async with locked(file) as held:
        waiting = asyncio.ensure_future(take(file))
        await asyncio.sleep(0.1)
        held.drop()
    mine = await waiting
    with locked_if_free(file) as other:
        assert other is None
    mine.release()


def test_no_two_ever_hold_a_lock_whose_file_comes_and_goes(file: Path) -> None:
    marker = file.with_suffix(".held")
    together: list[int] = []

    def hold_and_drop(number: int) -> None:
        for _ in range(1500):
            with locked_if_free(file) as held:
                if held is None:
                    continue
                try:
                    os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
                except FileExistsError:
                    together.append(number)
                    continue
                marker.unlink()
                held.drop()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(hold_and_drop, range(4)))
    assert together == []
