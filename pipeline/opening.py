"""What a run is opened with: the clone, the environment and the first state."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from pipeline.environment import Environment
from pipeline.environment.supply import Supply, supplied
from pipeline.facts import environment_of as environment_told
from pipeline.journal import Journal, ReplayJournal
from pipeline.redaction import Redactor
from pipeline.sandbox.base import Sandbox
from pipeline.state import PipelineState, copy_of, usage_table
from pipeline.verification.placing import test_path
from pipeline.workspace.mirrors import Mirrors
from pipeline.workspace.repository import Repository
from pipeline.workspace.workspace import OpenSession


class Means(Protocol):
    """As much of a plan as decides where tests run."""

    @property
    def python(self) -> Path | None:
        """The interpreter that the caller names."""

    @property
    def supply(self) -> Supply | None:
        """Sets environments up, where the caller wants that."""


async def repository_of(
    state: PipelineState,
    journal: Journal | None,
    auth_env: Mapping[str, str] | None,
    scratch: Path,
    kept: Path | None,
) -> Repository:
    """The clone, by its mirror below `kept`; of a replay, what came with the journal."""
    source, base_sha = state.get("repo"), state.get("base_sha")
    if isinstance(journal, ReplayJournal) and journal.base is not None:
        return await Repository.unpack(
            journal.base,
            source=source,
            base_sha=journal.facts["base_sha"],
            base_tree=journal.facts["base_tree"],
            scratch=scratch,
        )
    mirrors = Mirrors(kept / "mirrors") if kept else None
    return await Repository.open(
        source, base_sha=base_sha or None, scratch=scratch, auth_env=auth_env, mirrors=mirrors
    )


@asynccontextmanager
async def environment_of(
    plan: Means, sandbox: Sandbox, repository: Repository, state: PipelineState, journal: object
) -> AsyncIterator[Environment]:
    """Where tests run; a replay runs none, and needs no more of it than its name."""
    if isinstance(journal, ReplayJournal):
        yield environment_told(journal.facts)
        return
    repo = state.get("repo")
    async with supplied(plan.supply, sandbox, repository, repo, plan.python) as environment:
        yield environment


def sessions(sandbox: Sandbox, environment: Environment) -> OpenSession:
    """What opens a session of that sandbox over a tree."""
    return lambda tree: sandbox.open(environment.spec(tree))


async def settled(
    state: PipelineState, repository: Repository, redact: Redactor, environment: Environment
) -> PipelineState:
    """The state with what is fixed for the whole run: task, base, usage, the tester's paths."""
    state = copy_of(state)
    state["task"] = redact(state["task"])
    state["base_sha"] = repository.base_sha
    state.setdefault("usage", usage_table())
    if "test_paths" not in state:
        paths = await repository.paths(repository.base_tree)
        state["test_paths"] = [test_path(paths, state["task"], environment)]
    return state
