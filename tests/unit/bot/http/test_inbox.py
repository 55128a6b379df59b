"""Who waits while the disk is slow goes into one transaction, and spoils it for nobody."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence

import pytest
from typing_extensions import override

from bot.adapters.store.memory import MemoryStore
from bot.domain.store import Delivery, Nothing, Order, Receipt, StoreUnavailable
from bot.entrypoints.http.inbox import Inbox


class Slow(MemoryStore):
    """A store whose first transaction lasts until it is let go; notes how large each one was."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.began = threading.Event()
        self.sizes: list[int] = []

    @override
    def receive_all(self, deliveries: Sequence[tuple[Delivery, Order]]) -> Sequence[Receipt]:
        self.sizes.append(len(deliveries))
        self.began.set()
        assert self.go.wait(30)
        if any(delivery.id == "bad" for delivery, _ in deliveries):
            raise StoreUnavailable("the database refused")
        return super().receive_all(deliveries)


def reading(guid: str) -> Callable[[], tuple[Delivery, Order]]:
    return lambda: (Delivery("github", guid, "ping", ""), Nothing("ping"))


async def waiting(inbox: Inbox, *guids: str) -> list[asyncio.Task[Receipt]]:
    tasks = [asyncio.create_task(inbox.receive(reading(guid))) for guid in guids]
    await asyncio.sleep(0)
    return tasks


async def test_what_waits_goes_together() -> None:
    store = Slow()
    inbox = Inbox(lambda: store)
    first = await waiting(inbox, "first")
    await asyncio.to_thread(store.began.wait, 30)
    rest = await waiting(inbox, *map(str, range(100)))
    store.go.set()
    assert {one.outcome for one in await asyncio.gather(*first, *rest)} == {"ignored"}
    assert store.sizes == [1, 64, 36]
    inbox.close()


async def test_one_that_is_refused_is_refused_alone() -> None:
    store = Slow()
    inbox = Inbox(lambda: store)
    first = await waiting(inbox, "first")
    await asyncio.to_thread(store.began.wait, 30)
    rest = await waiting(inbox, "good", "bad", "better")
    store.go.set()
    good, bad, better = await asyncio.gather(*rest, return_exceptions=True)
    assert (good, better) == (Receipt("ignored"), Receipt("ignored"))
    assert isinstance(bad, StoreUnavailable)
    assert store.sizes == [1, 3, 1, 1, 1]
    await first[0]
    inbox.close()


async def test_who_has_gone_is_not_missed() -> None:
    store = Slow()
    inbox = Inbox(lambda: store)
    first = await waiting(inbox, "first")
    await asyncio.to_thread(store.began.wait, 30)
    gone, stayed = await waiting(inbox, "gone", "stayed")
    gone.cancel()
    store.go.set()
    assert (await stayed).outcome == "ignored"
    assert (await first[0]).outcome == "ignored"
    inbox.close()


async def test_a_store_that_cannot_be_opened_is_tried_again() -> None:
    doors = [MemoryStore()]

    def door() -> MemoryStore:
        if len(doors) == 1:
            doors.append(doors[0])
            raise StoreUnavailable("not yet")
        return doors[0]

    inbox = Inbox(door)
    with pytest.raises(StoreUnavailable, match="not yet"):
        await inbox.receive(reading("one"))
    assert (await inbox.receive(reading("one"))).outcome == "ignored"
    inbox.close()
