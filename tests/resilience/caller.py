"""Starts a run in a process of its own, which is killed with signal 9 around a model call.

Each line of standard input is a start, as JSON: `store` (a database URL), `run`, `repository`,
`url` (whom to ask) and `die`: "kept" right after a new reply is journalled, "lost" right before.
The answer is the status with which that process ended. It is forked off, which spares the imports.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from typing_extensions import override

from bot.adapters.store.sql import SqlStore
from bot.services.run_book import RunBook, StoredJournal
from pipeline import NoSandbox
from pipeline.agents import CodingAgent, FormattingAgent, QAAgent
from pipeline.journal import Entry
from pipeline.llm.base import LLMRequest
from pipeline.llm.codec import request_digest
from pipeline.llm.scripted import FunctionClient
from pipeline.orchestrator import AgenticCodingPipeline


class Deadly(StoredJournal):
    """The store's journal, around whose writing the power fails, once for each call."""

    die = ""
    loaded: Mapping[str, Entry]

    @override
    async def load(self) -> Mapping[str, Entry]:
        self.loaded = await super().load()
        return self.loaded

    @override
    async def record(self, key: str, digest: str, reply: Mapping[str, Any]) -> None:
        new = ".model." in key and key not in self.loaded
        if new and self.die == "lost":
            os.kill(os.getpid(), signal.SIGKILL)
        await super().record(key, digest, reply)
        if ".model." in key and self.die == "kept":
            os.kill(os.getpid(), signal.SIGKILL)


def asking(url: str, seat: str) -> FunctionClient:
    """A model behind a socket that is paid by the call."""

    async def ask(request: LLMRequest) -> dict[str, Any]:
        to = urlsplit(url)
        reader, writer = await asyncio.open_connection(to.hostname, to.port)
        line = f"POST /{seat}/{request_digest(request)} HTTP/1.0\r\nContent-Length: 0\r\n\r\n"
        writer.write(line.encode())
        answer = await reader.read()
        writer.close()
        turn: dict[str, Any] = json.loads(answer.partition(b"\r\n\r\n")[2])
        return turn

    return FunctionClient(ask)


async def work(told: Mapping[str, str]) -> None:
    store = SqlStore.open(told["store"])
    book = await RunBook.open(store, told["run"], "w")
    journal = Deadly(store, book)
    journal.die = told["die"]
    gpt, qa = asking(told["url"], "gpt"), asking(told["url"], "qa")
    pipeline = AgenticCodingPipeline(
        [CodingAgent("gpt", gpt)], [FormattingAgent()], [], [QAAgent("qa", qa)], sandbox=NoSandbox()
    )
    kept = await book.checkpoints()
    state = kept[-1].state if kept else pipeline.start("Write it down.", told["repository"])
    cursor = kept[-1].cursor if kept else None
    async for checkpoint in pipeline.steps(state, cursor, journal=journal):
        await book.keep(checkpoint)
    store.close()


def in_a_process(told: Mapping[str, str]) -> int:
    child = os.fork()
    if child == 0:
        asyncio.run(work(told))
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(f"{in_a_process(json.loads(line))}\n")
        sys.stdout.flush()
