"""The formatter: Ruff on the touched Python files, with the repository's own configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pipeline.agents.base import Seat
from pipeline.progress import Kind
from pipeline.state import PipelineState
from pipeline.tools import ruff
from pipeline.workspace.workspace import Workspace


@dataclass(frozen=True)
class FormattingAgent:
    """Fixes and formats only what the change touches."""

    name: str = "formatter"
    role: ClassVar[str] = "formatter"

    async def run(self, state: PipelineState, workspace: Workspace, seat: Seat) -> PipelineState:
        """Format in place; a configuration that Ruff cannot read is reported."""
        repository = workspace.repository
        changes = await repository.changes(repository.base_tree, await workspace.snapshot())
        touched = [change.path for change in changes if change.status != "D"]
        with seat.meter.timed("tools"):
            outcome = await ruff.format_paths(workspace, touched)
        seat.report(Kind.NOTE, outcome.describe())
        return state
