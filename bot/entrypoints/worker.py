"""The worker process: executes runs, answers commands, asks for lost deliveries.

It ends rather than go on in doubt: with status 75 where the database fails, and whoever
supervises it starts it again.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

from bot.bootstrap import github_app, open_engine, open_store
from bot.domain.engine import EXIT_STORAGE
from bot.domain.store import Store, StoreUnavailable
from bot.errors import BotError, Misconfigured, OperatorError, Transient
from bot.services.dispatch import Dispatcher, Pace
from bot.services.reconcile import Reconciler
from bot.settings import Settings
from pipeline.errors import PipelineError

OK, FAILED, NOT_RUN = 0, 1, 2
_ANSWER_S = 0.5
_PAUSE_S = 5.0
_log = logging.getLogger(__name__)


class Parts(Protocol):
    """What a worker runs."""

    @property
    def execute(self) -> Callable[[str], Awaitable[None]]:
        """Execute one run to its end."""

    @property
    def answer(self) -> Callable[[], Awaitable[None]]:
        """Answer the commands that wait."""

    @property
    def others(self) -> tuple[Callable[[], Awaitable[None]], ...]:
        """What else is done again and again, each by itself."""

    @property
    def close(self) -> Callable[[], Awaitable[None]]:
        """Give connections back."""


Build = Callable[[Settings, Store, str], Coroutine[Any, Any, Parts]]


def main(settings: Settings, build: Build | None = None, *, attached: bool = False) -> int:
    """Work until told to stop; returns the exit status.

    `attached`: also stop when standard input ends, which is when whoever started us has died.
    """
    try:
        return asyncio.run(_work(settings, build or _real_parts, attached=attached))
    except (StoreUnavailable, Transient) as error:
        return _end(error, EXIT_STORAGE)
    except (OperatorError, PipelineError) as error:
        return _end(error, NOT_RUN)


async def _real_parts(settings: Settings, store: Store, worker: str) -> Parts:
    from bot.bootstrap_worker import build_worker

    return await build_worker(settings, store, worker)


async def _work(settings: Settings, build: Build, *, attached: bool) -> int:
    if not settings.workers:
        raise Misconfigured("ACP_WORKERS is 0: this process was told to leave runs to others")
    stop = _listening(attached=attached)
    store = await asyncio.to_thread(open_store, settings)
    name = f"{socket.gethostname()}:{os.getpid()}"
    try:
        parts = await build(settings, store, name)
        engine = open_engine(settings, parts.execute, _die)
        pace = Pace(
            total=settings.workers,
            tick_s=0.2,
            beat_ticks=25,
            sweep_ticks=150,
            prune_ticks=18_000,
            keep_days=settings.retention_days,
        )
        dispatcher = Dispatcher(store, engine, _die, worker=name, pace=pace)
        try:
            _log.info("worker %s is up: %d runs at once", name, settings.workers)
            ticks = [_answering(tick) for tick in (parts.answer, *parts.others)]
            return await _until(stop, dispatcher.run(), *ticks, _sweeping(settings))
        finally:
            await parts.close()
    finally:
        await asyncio.to_thread(store.close)


async def _until(stop: asyncio.Event, *jobs: Coroutine[Any, Any, None]) -> int:
    """Run the jobs until told to stop, or until one of them ends, which none should."""
    tasks = [asyncio.create_task(job) for job in (_wait(stop), *jobs)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in done:
        error = None if task.cancelled() else task.exception()
        if isinstance(error, BotError):
            raise error
        if error is not None:
            _log.error("the worker fell over and ends", exc_info=error)
            return FAILED
    _log.info("the worker ends; what it was at goes on at the next start")
    return OK


async def _wait(stop: asyncio.Event) -> None:
    await stop.wait()


async def _answering(answer: Callable[[], Awaitable[None]]) -> None:
    """Look for commands twice a second. What a command meets must not end the runs."""
    while True:
        turn = asyncio.ensure_future(answer())
        try:
            await asyncio.wait({turn})
        except asyncio.CancelledError:
            turn.cancel()
            await asyncio.wait({turn})
            raise
        error = turn.exception()
        if isinstance(error, StoreUnavailable):
            _die(str(error))
        elif isinstance(error, BotError):
            _log.warning("commands are not answered for now: %s", error)
        elif error is not None:
            _log.error("answering a command failed", exc_info=error)
        await asyncio.sleep(_PAUSE_S if error else _ANSWER_S)


async def _sweeping(settings: Settings) -> None:
    if settings.missing_for_app():
        await asyncio.Event().wait()
    app = github_app(settings, lambda _: None)
    try:
        await Reconciler(app.deliveries).keep_sweeping()
    finally:
        await app.aclose()


def _listening(*, attached: bool) -> asyncio.Event:
    """An event that SIGTERM, SIGINT or the end of standard input sets."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if attached:
        threading.Thread(target=_watch_input, args=(loop, stop), daemon=True).start()
    return stop


def _watch_input(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    if not loop.is_closed():
        loop.call_soon_threadsafe(stop.set)


def _die(reason: str) -> None:
    _log.critical("%s; the worker ends, and what it was at goes on at the next start", reason)
    sys.stderr.flush()
    os._exit(EXIT_STORAGE)


def _end(error: Exception, status: int) -> int:
    _log.error("the worker cannot go on: %s", error)
    return status
