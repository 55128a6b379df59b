"""A run tells what happens and ends in a result, also when it is cut short."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from bot.domain.events import Event, LinedUp, Progressed, Stepped
from bot.domain.task import Task
from bot.entrypoints.summary import summary
from bot.services.run_task import RunTask
from pipeline.checkpoint import Checkpoint
from pipeline.errors import CheckoutError, SandboxError
from pipeline.journal import Journal
from pipeline.progress import Kind, Progress, Watch
from pipeline.state import PipelineState
from pipeline.transitions import Cursor, Stage

Step = Checkpoint | BaseException


def step(iteration: int, **state: object) -> Checkpoint:
    known = PipelineState(task="t", base_sha="a" * 40, **state)  # type: ignore[typeddict-item]
    return Checkpoint("gpt", Stage.DRAFTING, iteration, known, Cursor(iteration, Stage.TESTING, 0))


class Scripted:
    def __init__(self, *steps: Step) -> None:
        self._steps: Sequence[Step] = steps
        self.closed = False

    def start(self, task: str, repo: str | None = None) -> PipelineState:
        return PipelineState(task=task, repo=repo)

    async def steps(
        self, state: PipelineState, *, watch: Watch, journal: Journal | None = None
    ) -> AsyncIterator[Checkpoint]:
        assert journal is None
        try:
            for one in self._steps:
                watch(Progress(Kind.SEATED, "gpt", Stage.DRAFTING, 1, "coder", 70, 0.5))
                if isinstance(one, BaseException):
                    raise one
                yield one
            await asyncio.sleep(0)
        finally:
            self.closed = True


def a_run(pipeline: Scripted, events: list[Event]) -> RunTask:
    return RunTask(
        pipeline,
        Task("Totals", "are wrong"),
        "/repo",
        sink=events.append,
        models=lambda: (("gpt", "openai:x"),),
    )


async def test_the_models_are_told_once_and_before_anything_else() -> None:
    events: list[Event] = []
    result = await a_run(Scripted(step(1), step(2, status="completed")), events)()
    kinds = [type(event) for event in events]
    assert kinds == [LinedUp, Progressed, Stepped, Progressed, Stepped]
    assert (result.status, result.iterations, result.base_sha) == ("completed", 2, "a" * 40)


async def test_an_error_before_the_first_step_is_raised() -> None:
    pipeline = Scripted(CheckoutError("no such repository"))
    with pytest.raises(CheckoutError):
        await a_run(pipeline, [])()
    assert pipeline.closed


async def test_an_error_later_ends_in_a_result_that_keeps_the_draft() -> None:
    result = await a_run(Scripted(step(1, proposed_code="diff"), SandboxError("it died")), [])()
    assert (result.status, result.reason, result.diff) == ("failed", "it died", "diff")


async def test_a_cancelled_run_keeps_the_last_draft_and_is_closed() -> None:
    pipeline = Scripted(step(1, proposed_code="diff"), asyncio.CancelledError())
    run = a_run(pipeline, [])
    with pytest.raises(asyncio.CancelledError):
        await run()
    result = run.cancelled()
    assert (result.status, result.diff, pipeline.closed) == ("cancelled", "diff", True)
    assert result.cut_off == (70, 0.5)
    assert "70 tokens · $0.50" in summary(result)
