"""A house with an emulated GitHub in front of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from bot.emulators.github import GitHubEmulator
from tests.e2e.bot.house import House


@pytest.fixture
def github() -> Iterator[GitHubEmulator]:
    with GitHubEmulator() as github:
        yield github


@pytest.fixture
async def house(github: GitHubEmulator) -> AsyncIterator[House]:
    house = await House(github).open()
    yield house
    await house.close()
