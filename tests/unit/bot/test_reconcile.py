"""Lost deliveries are asked for once for each attempt that failed, and never in a storm."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from bot.errors import ForgeUnavailable, NotFound
from bot.services.reconcile import Reconciler


@dataclass(frozen=True)
class Failed:
    guid: str
    attempts: int = 1


@dataclass
class Record:
    """A forge's record. What is in `gone` cannot be sent again."""

    lost: list[Failed]
    gone: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    down: bool = False

    async def failed(self) -> Sequence[Failed]:
        if self.down:
            raise ForgeUnavailable("GitHub is down")
        return self.lost

    async def redeliver(self, delivery: Failed) -> None:
        if delivery.guid in self.gone:
            raise NotFound("it is gone")
        self.asked.append(delivery.guid)


async def test_each_is_asked_for_once_until_it_has_failed_again() -> None:
    record = Record([Failed("a"), Failed("b")])
    reconciler = Reconciler(record)
    assert (await reconciler.sweep(), await reconciler.sweep()) == (2, 0)
    record.lost = [replace(one, attempts=2) for one in record.lost if one.guid == "b"]
    assert (await reconciler.sweep(), await reconciler.sweep()) == (1, 0)
    assert record.asked == ["a", "b", "b"]


async def test_a_sweep_is_bounded_and_the_next_goes_on() -> None:
    record = Record([Failed(str(number)) for number in range(5)])
    reconciler = Reconciler(record, most=2)
    assert [await reconciler.sweep() for _ in range(4)] == [2, 2, 1, 0]
    assert record.asked == list("01234")


async def test_what_is_gone_does_not_stop_the_others() -> None:
    record = Record([Failed("a"), Failed("b")], gone={"a"})
    reconciler = Reconciler(record)
    assert (await reconciler.sweep(), await reconciler.sweep()) == (1, 0)
    assert record.asked == ["b"]


async def test_a_forge_that_is_down_is_asked_again_later() -> None:
    record = Record([Failed("a")], down=True)
    naps: list[float] = []

    async def nap(seconds: float) -> None:
        naps.append(seconds)
        record.down = False
        if len(naps) == 2:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await Reconciler(record).keep_sweeping(600, sleep=nap)
    assert (record.asked, naps) == (["a"], [600, 600])
