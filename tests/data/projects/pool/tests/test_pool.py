import asyncio

import pytest

from pool import first, gather_limited, retry


async def give(value, ticks=0):
    for _ in range(ticks):
        await asyncio.sleep(0)
    return value


@pytest.mark.asyncio
async def test_everything_is_gathered():
    assert await gather_limited(2, [lambda: give(1), lambda: give(2)]) == [1, 2]


@pytest.mark.asyncio
async def test_a_call_is_tried_again():
    left = [ConnectionError(), ConnectionError()]

    async def call():
        if left:
            raise left.pop()
        return "done"

    assert await retry(call) == "done"


@pytest.mark.asyncio
async def test_the_first_wins():
    assert await first([lambda: give("slow", 9), lambda: give("fast")]) == "fast"
