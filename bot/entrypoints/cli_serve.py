"""`acp serve`, `acp worker`, `acp setup` and `acp doctor`."""

from __future__ import annotations

import argparse
import asyncio
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp
from typing_extensions import override

from bot.bootstrap.app import app_facts, wanted_app
from bot.bootstrap.jira import jira_lacks
from bot.domain.scrub import Scrubber, printable
from bot.entrypoints.banner import banner
from bot.entrypoints.http.application import application, setup_application
from bot.entrypoints.http.service import Service
from bot.entrypoints.http.supervisor import WORKER, Supervisor
from bot.entrypoints.logs import set_up_logs
from bot.errors import BotError, Misconfigured
from bot.services.check_setup import shortcomings, unreachable
from bot.settings import Settings
from pipeline.errors import PipelineError

OK, FAILED, NOT_RUN = 0, 1, 2
_GRACE_S = 10


def service(args: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    scrub = Scrubber()
    try:
        settings = Settings.load()
        scrub = Scrubber(settings.secrets())
        set_up_logs(settings)
        if args.command == "worker":
            from bot.entrypoints.worker import main

            return main(settings, attached=args.attached)
        if args.command == "doctor":
            from bot.entrypoints.cli_doctor import doctor

            return doctor(settings, as_json=args.json)
        if args.command == "setup":
            return asyncio.run(_setup(settings, only_check=args.check))
        return serve(settings)
    except (BotError, PipelineError) as error:
        sys.stderr.write(f"acp: {scrub(printable(str(error)))}\n")
        return NOT_RUN


def serve(settings: Settings, worker: Sequence[str] = WORKER) -> int:
    """Serve until told to stop; `worker` is the command that executes runs."""
    return asyncio.run(_serve(settings, worker))


async def _serve(settings: Settings, worker: Sequence[str]) -> int:
    listening, settings = _listen(settings)
    served = Service(settings, Supervisor(worker))
    server = _server(application(served))
    running = asyncio.create_task(server.serve([listening]))
    said = asyncio.create_task(_say(served, server))
    await running
    said.cancel()
    return OK if server.started else FAILED


async def _say(served: Service, server: _Server) -> None:
    await server.up.wait()
    sys.stdout.write(await banner(served.settings, served.setup_link, served.sandbox()))
    sys.stdout.flush()


async def _setup(settings: Settings, *, only_check: bool) -> int:
    if not only_check and settings.missing_for_app():
        settings = await _make(settings)
    if missing := settings.missing_for_app():
        raise Misconfigured(f"there is no GitHub App yet: {', '.join(missing)} missing")
    lacks = shortcomings(await app_facts(settings), wanted_app(settings))
    lacks += tuple(filter(None, [unreachable(settings.reached_at())]))
    lacks += tuple(f"Jira: {lack}" for lack in await jira_lacks(settings))
    lacks += () if settings.vendors() else ("no model key is set; one vendor's is enough",)
    for lack in lacks:
        sys.stdout.write(f"missing: {lack}\n")
    sys.stdout.write("Everything is in place.\n" if not lacks else "")
    return FAILED if lacks else OK


async def _make(settings: Settings) -> Settings:
    listening, settings = _listen(settings)
    served = Service(settings)
    server = _server(setup_application(served))
    sys.stdout.write(
        f"Open this link to make the GitHub App; it works once:\n  {served.setup_link}\n"
    )
    sys.stdout.flush()
    running = asyncio.create_task(server.serve([listening]))
    while not running.done() and served.settings.missing_for_app():
        await asyncio.wait({running}, timeout=0.2)
    server.should_exit = True
    await running
    return served.settings


class _Server(uvicorn.Server):
    """Says when it is up. Ends with status 0 when asked to end: uvicorn would die of the signal."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        self.up.set()

    @override
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Listen to SIGINT and SIGTERM while serving; a second one does not wait."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)


def _server(app: ASGIApp) -> _Server:
    return _Server(
        uvicorn.Config(
            app,
            lifespan="on",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
    )


def _listen(settings: Settings) -> tuple[socket.socket, Settings]:
    """A socket on the address of the settings, and settings that name the port it got."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listening = socket.create_server(
            (settings.host, settings.port), family=family, backlog=2048
        )
    except OSError as error:
        raise Misconfigured(
            f"{settings.host}:{settings.port} cannot be listened on ({error.strerror}); "
            "set ACP_HOST or ACP_PORT"
        ) from None
    # Inherited by connections: an answer's head must not wait 40 ms for its body.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    port = listening.getsockname()[1]
    return listening, settings.model_copy(update={"port": port})
