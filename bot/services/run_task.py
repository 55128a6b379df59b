"""Runs the pipeline on a task, tells the sink what happens, and makes the result."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, cast

from bot.domain.events import LinedUp, Progressed, Sink, Stepped
from bot.domain.result import Result
from pipeline.errors import PipelineError
from pipeline.journal import Diverged

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bot.domain.task import Task
    from pipeline.checkpoint import Checkpoint
    from pipeline.journal import Journal
    from pipeline.progress import Progress, Watch
    from pipeline.state import PipelineState


class Pipeline(Protocol):
    """As much of `AgenticCodingPipeline` as a run needs."""

    def start(self, task: str, repo: str | None = None) -> PipelineState:
        """The first state."""

    def steps(
        self, state: PipelineState, *, watch: Watch, journal: Journal | None = None
    ) -> AsyncIterator[Checkpoint]:
        """Every checkpoint to the end, each finished thing in the journal."""


class RunTask:
    """One run. `models` is asked when the first seat is taken: by then they are open.

    `last` is the last checkpoint so far.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        task: Task,
        repo: str | None,
        *,
        sink: Sink,
        models: Callable[[], tuple[tuple[str, str], ...]],
        journal: Journal | None = None,
    ) -> None:
        self._pipeline = pipeline
        self._task = task
        self._sink = sink
        self._models: Callable[[], tuple[tuple[str, str], ...]] | None = models
        self._state = pipeline.start(task.text, repo)
        self._iterations = 0
        self._heard: Progress | None = None
        self.journal = journal
        self.last: Checkpoint | None = None

    async def __call__(self) -> Result:
        """Run to the end. Raises PipelineError only where not one seat has finished its work.

        Of a replay it raises Diverged wherever the journal does not lead on.
        """
        steps = self._pipeline.steps(self._state, watch=self._watch, journal=self.journal)
        # the protocol says iterator; a generator must be closed at once, not by the collector
        async with aclosing(cast("AsyncGenerator[Checkpoint, None]", steps)) as checkpoints:
            try:
                async for checkpoint in checkpoints:
                    self._state = checkpoint.state
                    self._iterations = checkpoint.iteration
                    self.last = checkpoint
                    self._sink(Stepped(checkpoint))
            except PipelineError as error:
                if not self._iterations or isinstance(error, Diverged):
                    raise
                return Result.of(
                    {**self._state, "status": "failed", "reason": str(error)},
                    self._task,
                    iterations=self._iterations,
                )
        return Result.of(self._state, self._task, iterations=self._iterations)

    def cancelled(self) -> Result:
        """What is left of a run that was stopped."""
        result = Result.of(self._state, self._task, iterations=self._iterations, status="cancelled")
        return (
            result
            if self._heard is None
            else replace(result, cut_off=(self._heard.tokens, self._heard.usd))
        )

    def _watch(self, progress: Progress) -> None:
        self._heard = progress
        if self._models is not None:
            self._sink(LinedUp(self._models()))
            self._models = None
        self._sink(Progressed(progress))
