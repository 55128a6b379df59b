"""The routes of the web process, put together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from bot.entrypoints.http.github_door import GitHubDoor
from bot.entrypoints.http.headers import SecurityHeaders
from bot.entrypoints.http.health import Health, Readiness
from bot.entrypoints.http.jira_door import JiraDoor
from bot.entrypoints.http.service import Service


def application(service: Service) -> Starlette:
    """The ASGI application; its lifespan starts and ends the service."""
    health = Health(service.measured_sandbox)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await service.start()
        health.start()
        try:
            yield
        finally:
            await health.stop()
            await service.stop()

    ready = Readiness(service.inbox, service.settings.data_dir, service.app_missing)
    door = GitHubDoor(service.inbox, service.lock)
    return Starlette(
        routes=[
            Route("/webhooks/github", door),
            Route("/webhooks/jira", JiraDoor(service.inbox, service.jira_lock())),
            Route("/healthz", health.answer),
            Route("/readyz", ready.answer),
            Route("/setup", service.setup.start),
            Route("/setup/callback", service.setup.callback),
        ],
        middleware=[Middleware(SecurityHeaders)],
        lifespan=lifespan,
    )


def setup_application(service: Service) -> Starlette:
    """The set-up alone."""
    return Starlette(
        routes=[
            Route("/setup", service.setup.start),
            Route("/setup/callback", service.setup.callback),
        ],
        middleware=[Middleware(SecurityHeaders)],
    )
