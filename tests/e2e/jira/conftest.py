"""A house with an emulated Jira and an emulated GitHub."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from bot.emulators.github import GitHubEmulator
from tests.e2e.jira.house import JiraHouse


@pytest.fixture
def github() -> Iterator[GitHubEmulator]:
    with GitHubEmulator() as github:
        yield github


@pytest.fixture
async def house(github: GitHubEmulator) -> AsyncIterator[JiraHouse]:
    house = JiraHouse(github)
    await house.open()
    yield house
    await house.close()
