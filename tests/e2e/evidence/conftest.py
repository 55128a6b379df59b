"""The house that all rows of the table share."""

from __future__ import annotations

import asyncio

import pytest

from pipeline.sandbox.select import strongest
from tests.e2e.evidence.harness import House


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    sandbox = asyncio.run(strongest())
    return House(sandbox, tmp_path_factory.mktemp("kept"))
