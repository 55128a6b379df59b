"""The formatter: Ruff on the touched Python files, with the repository's own configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pipeline.agents.base import Seat
from pipeline.progress import Kind
from pipeline.state import PipelineState
from pipeline.tools import ruff
from pipeline.workspace.workspace import Workspace


@dataclass(frozen=True)
class FormattingAgent:
    """Fixes and formats only what the change touches, and only where Ruff had the say before.

    A file that was not tidy in Ruff's eyes is left as its authors keep it: the diff shows the
    change, and nothing else.
    """

    name: str = "formatter"
    role: ClassVar[str] = "formatter"

    async def run(self, state: PipelineState, workspace: Workspace, seat: Seat) -> PipelineState:
        """Format in place; a configuration that Ruff cannot read is reported."""
        repository = workspace.repository
        changes = await repository.changes(repository.base_tree, await workspace.snapshot())
        python = [c for c in changes if c.status != "D" and c.path.endswith((".py", ".pyi"))]
        with seat.meter.timed("tools"):
            foreign = await _untidy_before(workspace, [c.old_path or c.path for c in python])
            ours = [c.path for c in python if (c.old_path or c.path) not in foreign]
            outcome = await ruff.format_paths(workspace, ours)
        seat.report(Kind.NOTE, outcome.describe())
        if foreign:
            kept = ", ".join(sorted(foreign))
            seat.report(Kind.NOTE, f"left in the style they had: {kept}")
        return state


async def _untidy_before(workspace: Workspace, paths: Sequence[str]) -> frozenset[str]:
    """The files that Ruff would have changed already in the base."""
    repository = workspace.repository
    known = set(await repository.paths(repository.base_tree)) & set(paths)
    if not known:
        return frozenset()
    async with await workspace.fork(repository.base_tree) as base:
        return await ruff.untidy(base, sorted(known))
