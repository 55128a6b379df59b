"""The web process measures its sandbox once, for everybody who asks."""

from __future__ import annotations

import asyncio

import pytest

from bot.entrypoints.banner import banner
from bot.entrypoints.http.service import Service
from bot.settings import Settings
from pipeline.errors import SandboxUnavailable


async def test_banner_and_health_tell_of_one_measurement() -> None:
    served = Service(Settings.load())
    try:
        first, second = await asyncio.gather(served.sandbox(), served.sandbox())
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    assert first is second
    assert first.describe() in await banner(served.settings, "", served.sandbox())
    assert (await served.measured_sandbox()).startswith(first.describe())
