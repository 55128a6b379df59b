"""Makes a recorded run again for people to watch, and says whether it came out the same."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from bot.domain.events import Sink, Started
from bot.domain.result import Result
from bot.domain.task import Task
from bot.services.run_task import RunTask
from pipeline.checkpoint import Checkpoint
from pipeline.journal import Journal
from pipeline.progress import Watch
from pipeline.recording import Recording
from pipeline.replay import replay
from pipeline.state import PipelineState


class ReplayRun:
    """One replay. It asks no model, runs no command, and can publish nothing."""

    def __init__(self, recording: Recording, sink: Sink) -> None:
        facts = recording.facts
        self._recording = recording
        self._sink = sink
        self._facts = facts
        self._run = RunTask(
            _Again(recording),
            Task.from_text(str(facts.get("task", ""))),
            facts.get("repo"),
            sink=sink,
            models=lambda: _models(facts),
        )

    async def __call__(self) -> tuple[Result, bool]:
        """The result, and whether the last checkpoint is the recorded one, byte for byte.

        Raises Diverged, InvalidState.
        """
        said, facts = self._recording, self._facts
        self._sink(
            Started(
                title=str(facts.get("task", "")).partition("\n")[0],
                source=said.source,
                repository=facts.get("repo") or "",
                base=str(facts.get("base_sha", "")),
                sandbox="none needed: what commands did comes from the journal",
                max_iterations=int(facts.get("rules", {}).get("max_iterations", 0)),
                replay_of=said.name,
            )
        )
        result = await self._run()
        last = self._run.last
        usage = {**result.usage, "replayed": True}
        same = last is not None and last.to_json() == said.last
        return replace(result, replay_of=said.name, usage=usage), same


class _Again:
    """The recorded run in the place of a pipeline."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    def start(self, task: str, repo: str | None = None) -> PipelineState:
        return PipelineState(task=task, repo=repo)

    async def steps(
        self, state: PipelineState, *, watch: Watch, journal: Journal | None = None
    ) -> AsyncIterator[Checkpoint]:
        del state, journal
        async for checkpoint in replay(self._recording.entries, self._recording.base, watch=watch):
            yield checkpoint


def _models(facts: Any) -> tuple[tuple[str, str], ...]:
    """(seat, "vendor:model") of everybody who was asked then."""
    return tuple(
        (seat["name"], f"{seat['provider']}:{seat['model']}")
        for seat in facts.get("lineup", ())
        if "provider" in seat
    )
