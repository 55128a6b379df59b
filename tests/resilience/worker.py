"""A small worker as a real process: its runs make paid calls over HTTP and journal each of them.

Its one argument is JSON: `folder`, `store` and `engine` (database URLs), `url` (whom to pay),
`calls` (of each run), `name`, `job` ("calls" or "tree") and `file_kb` (0: files may grow freely).
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bot.adapters.engine.dbos_engine import DbosEngine
from bot.adapters.store.sql import SqlStore
from bot.domain.engine import EXIT_STORAGE
from bot.domain.runs import RunStatus
from bot.domain.store import Ending, StoreUnavailable
from bot.services.dispatch import Dispatcher, Pace
from pipeline.sandbox.base import Spec
from pipeline.sandbox.none import NoSandbox

PADDING = "x" * 4000
STUBBORN = 'trap "" TERM; (trap "" TERM; sleep 600) & echo $$ $! > pids; wait'


async def pay(url: str, name: str, run_id: str, call: int) -> dict[str, Any]:
    """One paid call: POST /RUN/CALL?NAME."""
    to = urlsplit(url)
    reader, writer = await asyncio.open_connection(to.hostname, to.port)
    writer.write(f"POST /{run_id}/{call}?{name} HTTP/1.0\r\nContent-Length: 0\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    reply: dict[str, Any] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return reply


class Worker:
    def __init__(self, told: dict[str, Any]) -> None:
        self.told = told
        self.name: str = told["name"]
        self.store = SqlStore.open(told["store"])

    async def execute(self, run_id: str) -> None:
        epoch = await asyncio.to_thread(self.store.begin, run_id, self.name)
        try:
            if self.told["job"] == "tree":
                await self.grow_tree(run_id)
            else:
                await self.make_calls(run_id, epoch)
        except asyncio.CancelledError:
            run = self.store.run(run_id)
            if run is None or not run.cancel_requested:
                raise
            self.store.move(run_id, epoch, RunStatus.FINISHED, Ending("cancelled"))
            return
        ended = Ending("completed", cost_usd=1.0)
        await asyncio.to_thread(self.store.move, run_id, epoch, RunStatus.FINISHED, ended)

    async def make_calls(self, run_id: str, epoch: int) -> None:
        journal = await asyncio.to_thread(self.store.journal, run_id)
        for call in range(self.told["calls"]):
            key = f"coding/1/{call:03}"
            if key not in journal or journal[key].reply is None:
                await asyncio.to_thread(self.store.reserve, run_id, epoch, key, "digest")
                reply = await pay(self.told["url"], self.name, run_id, call)
                reply["padding"] = PADDING
                await asyncio.to_thread(self.store.record, run_id, epoch, key, "digest", reply)
            await asyncio.to_thread(
                self.store.append, run_id, epoch, "call", {"call": call}, key=key
            )

    async def grow_tree(self, run_id: str) -> None:
        tree = Path(self.told["folder"]) / run_id
        tree.mkdir()
        session = await NoSandbox().open(Spec(tree))
        try:
            await session.exec(["sh", "-c", STUBBORN])
        finally:
            await session.close()


def die(reason: str) -> None:
    print(f"dying: {reason}", file=sys.stderr, flush=True)
    os._exit(EXIT_STORAGE)


async def main(told: dict[str, Any]) -> None:
    if told["file_kb"]:
        most = told["file_kb"] * 1024
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    try:
        worker = Worker(told)
    except StoreUnavailable as error:
        die(str(error))
        raise
    engine = DbosEngine(worker.execute, die, url=told["engine"], concurrency=8)
    pace = Pace(per_repository=1, total=8, tick_s=0.1, sweep_ticks=20)
    print("up", flush=True)
    await Dispatcher(worker.store, engine, die, worker=worker.name, pace=pace).run()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
