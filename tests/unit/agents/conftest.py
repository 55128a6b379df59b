"""A small checkout without a sandbox, and a seat in front of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pipeline.agents.base import Seat
from pipeline.limits import Limits
from pipeline.meter import Meter
from pipeline.progress import Progress
from pipeline.sandbox.base import Spec
from pipeline.sandbox.none import NoSandbox
from pipeline.state import usage_table
from pipeline.transitions import Stage
from pipeline.workspace.repository import Repository
from pipeline.workspace.workspace import Workspace


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    repository = await Repository.open(None, scratch=tmp_path)
    tree = repository.base_tree
    for path, text in {"a.py": "x = 1\ny = 2\n", "pkg/b.py": "x = 3\n"}.items():
        tree = await repository.write(tree, path, text.encode())
    repository.base_tree = tree
    sandbox = NoSandbox()
    opened = await Workspace.open(
        repository, tree, lambda root: sandbox.open(Spec(root)), scratch=tmp_path
    )
    yield opened
    await opened.close()
    await repository.close()


@pytest.fixture
def told() -> list[Progress]:
    return []


@pytest.fixture
def seat(told: list[Progress]) -> Seat:
    meter = Meter(usage_table(), Limits(), clock=lambda: 0.0)
    nothing = cast("Any", SimpleNamespace())
    return Seat("gpt", Stage.DRAFTING, 1, meter, nothing, told.append)
