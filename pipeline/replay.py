"""Makes a recorded run again from its journal: offline, without keys, and asking nobody."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from pipeline.agents import CodingAgent, FormattingAgent, QAAgent, TestingAgent
from pipeline.agents.seated import ModelAgent
from pipeline.checkpoint import Checkpoint
from pipeline.errors import InvalidState
from pipeline.facts import PACK_BYTES, VERSION
from pipeline.journal import Diverged, Entry, ReplayJournal
from pipeline.limits import Limits
from pipeline.llm.base import LLMRequest, LLMResponse
from pipeline.orchestrator import AgenticCodingPipeline
from pipeline.progress import Watch, nobody
from pipeline.sandbox.files_only import FilesOnly
from pipeline.state import PipelineState

_MODELS: Mapping[str, type[ModelAgent]] = {
    kind.__name__: kind for kind in (CodingAgent, TestingAgent, QAAgent)
}


@dataclass(frozen=True, slots=True)
class Recorded:
    """A model that has answered before. It is never asked again. `window` is as it was then."""

    provider: str
    model: str
    window: int | None = None

    async def complete(self, request: LLMRequest) -> LLMResponse:
        """Refuse. Raises Diverged."""
        del request
        raise Diverged(f"a replay asks no model, and {self.model} was asked")

    async def aclose(self) -> None:
        """Nothing is open."""


async def replay(
    entries: Mapping[str, Entry], base: bytes | None, *, watch: Watch = nobody
) -> AsyncGenerator[Checkpoint, None]:
    """Every checkpoint of the recorded run, equal to what it was byte for byte.

    `base` is the pack of the files that it began with; None for a run that began with none. Only
    agents of the default line-up can be made again. Raises Diverged where the journal does not
    lead, with the difference; InvalidState where it is not one of ours.
    """
    journal = ReplayJournal(entries, base)
    facts = journal.facts
    pipeline = _pipeline(facts)
    if facts.get("repo") is not None and base is None:
        raise InvalidState(
            "the files that the run began with did not come with the journal (they take more than "
            f"{PACK_BYTES // 2**20} MiB, or were dropped since): it cannot be replayed here"
        )
    state = PipelineState(task=facts["task"], repo=facts["repo"])
    if facts["base_sha"]:
        state["base_sha"] = facts["base_sha"]
    async with aclosing(pipeline.steps(state, watch=watch, journal=journal)) as checkpoints:
        async for checkpoint in checkpoints:
            yield checkpoint


def _pipeline(facts: Mapping[str, Any]) -> AgenticCodingPipeline:
    """The line-up of the facts, without keys, limits or a sandbox: all of that has happened."""
    if facts.get("v") != VERSION:
        raise InvalidState(f"a journal of version {facts.get('v')}; this release reads {VERSION}")
    try:
        agents = [_agent(raw) for raw in facts["lineup"]]
        rules = facts["rules"]
        return AgenticCodingPipeline(
            coders=[agent for agent in agents if isinstance(agent, CodingAgent)],
            formatters=[agent for agent in agents if isinstance(agent, FormattingAgent)],
            testers=[agent for agent in agents if isinstance(agent, TestingAgent)],
            reviewers=[agent for agent in agents if isinstance(agent, QAAgent)],
            max_iterations=rules["max_iterations"],
            limits=Limits(wall_s=None, calls=None, same_feedback=rules["same_feedback"]),
            sandbox=FilesOnly(),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidState(f"not the facts of a run: {error!r}") from error


def _agent(raw: Mapping[str, Any]) -> ModelAgent | FormattingAgent:
    if raw["kind"] == FormattingAgent.__name__:
        return FormattingAgent(raw["name"])
    if raw["kind"] not in _MODELS:
        raise InvalidState(
            f"agent {raw['name']!r} is a {raw['kind']}, which is not one of ours: replay the run "
            "in code, with the same agents and a ReplayJournal"
        )
    return _MODELS[raw["kind"]](
        raw["name"],
        llm=Recorded(raw["provider"], raw["model"], raw.get("window")),
        prompt=raw["prompt"],
        max_turns=raw["max_turns"],
    )
