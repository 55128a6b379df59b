"""Small helpers for coroutines."""

import asyncio


async def gather_limited(limit, calls):
    """The results of all calls in their order, at most `limit` at the same time."""
    gate = asyncio.Semaphore(limit)
    results = []

    async def one(call):
        async with gate:
            results.append(await call())

    await asyncio.gather(*(one(call) for call in calls))
    return results


async def retry(call, times=3):
    """What the call returns, tried again after a ConnectionError."""
    for _ in range(times):
        try:
            return await call()
        except ConnectionError:
            await asyncio.sleep(0)
    return None


async def first(calls):
    """The result of the call that is done first; the others are cancelled."""
    tasks = [asyncio.ensure_future(call()) for call in calls]
    done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in rest:
        task.cancel()
    return done.pop().result()
