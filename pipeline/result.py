"""What a finished state holds as files: path -> content."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from pipeline.blocking import blocking
from pipeline.state import PipelineState
from pipeline.workspace.repository import Repository


def files(state: PipelineState, *, repo: str | Path | None = None) -> Mapping[str, str]:
    """Every file that the run has made or changed, as it is after the change.

    A run without a repository holds all it takes; otherwise the base commit is fetched again from
    `state["repo"]`, or from `repo` if it has moved. Files that are not text are left out. Raises
    CheckoutError where the base commit is not to be had.
    """
    return blocking(lambda: _files(state, repo))


async def _files(state: PipelineState, repo: str | Path | None) -> dict[str, str]:
    source = str(repo) if repo is not None else state.get("repo")
    found: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="acp-") as scratch:
        repository = await Repository.open(
            source, base_sha=state.get("base_sha") or None, scratch=Path(scratch)
        )
        try:
            tree = await repository.apply(repository.base_tree, state.get("proposed_code", ""))
            for change in await repository.changes(repository.base_tree, tree):
                if change.status == "D":
                    continue
                data = await repository.read(tree, change.path)
                try:
                    found[change.path] = data.decode("utf-8")
                except UnicodeDecodeError:
                    continue
        finally:
            await repository.close()
    return found
