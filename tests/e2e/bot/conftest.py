"""A house with an emulated GitHub in front of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.emulators.github import GitHubEmulator
from tests.e2e.bot.house import House


@pytest.fixture
async def house() -> AsyncIterator[House]:
    with GitHubEmulator() as github:
        house = await House(github).open()
        yield house
        await house.close()
