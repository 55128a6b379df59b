"""The journal's first entry: what a run was made of, so that the journal alone makes it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Protocol

from pipeline.agents.base import Agent
from pipeline.agents.seated import ModelAgent
from pipeline.environment import Environment
from pipeline.journal import FACTS, Notebook, digest_of
from pipeline.llm.windows import window_of
from pipeline.redaction import Redactor
from pipeline.state import PipelineState
from pipeline.transitions import Rules
from pipeline.workspace.repository import Repository

VERSION = 1
PACK_BYTES = 32 * 2**20
"""A base whose files take more than this in git does not travel with the journal."""


# What decides how a test run is read, or is shown; nothing of this machine's paths.
_TOLD = (
    *("label", "order", "roots", "test", "report", "lint", "folder"),
    *("inputs", "notes", "problem"),
)


class Made(Protocol):
    """As much of a plan as the facts tell."""

    @property
    def agents(self) -> Sequence[Agent]:
        """The line-up."""

    @property
    def rules(self) -> Rules:
        """What the state diagram depends on."""

    @property
    def redact(self) -> Redactor:
        """Takes secrets out of what is told."""


def environment_of(facts: Mapping[str, Any]) -> Environment:
    """The environment as the facts tell it: enough to read its test runs, not to make any."""
    return _environment(facts["environment"])


def _environment(raw: Mapping[str, Any]) -> Environment:
    told: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list | tuple) else value
        for name, value in raw.items()
        if name in _TOLD
    }
    parts = tuple(_environment(part) for part in raw.get("parts", ()))
    return Environment(python="", launcher="", **told, parts=parts)


def described(environment: Environment) -> dict[str, Any]:
    """What `environment_of` reads back."""
    told = {name: getattr(environment, name) for name in _TOLD}
    return {**told, "parts": [described(part) for part in environment.parts]}


async def write(
    notebook: Notebook,
    plan: Made,
    state: PipelineState,
    repository: Repository,
    environment: Environment,
) -> None:
    """Write the facts, once, and keep the files that the run starts from."""

    async def told() -> Mapping[str, Any]:
        return plan.redact.plain(
            {
                "v": VERSION,
                "task": state["task"],
                "repo": state.get("repo"),
                "base_sha": repository.base_sha,
                "base_tree": repository.base_tree,
                "environment": described(environment),
                "rules": asdict(plan.rules),
                "lineup": [_agent(agent) for agent in plan.agents],
            }
        )

    async def pack() -> bytes | None:
        return await repository.pack(repository.base_tree, PACK_BYTES)

    await notebook.shared(FACTS, "", told)
    await notebook.journal.keep_base(repository.base_tree, pack)


def _agent(agent: Agent) -> dict[str, Any]:
    """One seat: its kind and, where it asks a model, whose and with which words."""
    made = {"name": agent.name, "kind": type(agent).__name__}
    if not isinstance(agent, ModelAgent):
        return made
    return {
        **made,
        "provider": agent.client.provider,
        "model": agent.client.model,
        "window": window_of(agent.client),
        "max_turns": agent.max_turns,
        "prompt": agent.prompt,
        "prompt_version": digest_of(agent.system)[:12],
    }
