from __future__ import annotations

import asyncio
import threading

import pytest

from pipeline.llm.gate import Gate, gate_of


class Crowd:
    """Workers that stay inside until they are let go, and the most that were inside at once."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.inside = self.most = 0
        self.lock = threading.Lock()

    async def enter(self) -> None:
        async with self.gate:
            with self.lock:
                self.inside += 1
                self.most = max(self.most, self.inside)
            await asyncio.sleep(0.001)
            with self.lock:
                self.inside -= 1


async def test_no_more_than_its_places_are_inside() -> None:
    crowd = Crowd(Gate(3))
    await asyncio.gather(*(crowd.enter() for _ in range(20)))
    assert (crowd.most, crowd.inside) == (3, 0)


def test_it_holds_over_event_loops_of_several_threads() -> None:
    crowd = Crowd(Gate(2))

    async def ten() -> None:
        await asyncio.gather(*(crowd.enter() for _ in range(10)))

    threads = [threading.Thread(target=asyncio.run, args=(ten(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (crowd.most, crowd.inside) == (2, 0)


async def test_who_gives_up_waiting_takes_no_place() -> None:
    gate = Gate(1)
    async with gate:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01), gate:
                pass
    async with asyncio.timeout(1), gate:
        pass


async def test_who_is_cancelled_just_as_he_is_let_in_gives_the_place_back() -> None:
    gate = Gate(1)
    await gate.__aenter__()
    waiting = asyncio.create_task(gate.__aenter__())
    await asyncio.sleep(0)
    await gate.__aexit__()  # lets the other one in, who is cancelled before he can run
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    async with asyncio.timeout(1), gate:
        pass


async def test_room_can_be_made() -> None:
    crowd = Crowd(Gate(1))
    crowd.gate.resize(4)
    await asyncio.gather(*(crowd.enter() for _ in range(8)))
    assert crowd.most == 4


def test_each_provider_has_one_gate() -> None:
    assert gate_of("a") is gate_of("a")
    assert gate_of("a") is not gate_of("b")
