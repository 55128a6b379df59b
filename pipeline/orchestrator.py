"""The pipeline: one generator of checkpoints, and the folds over it."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

from pipeline.agents.base import Agent
from pipeline.bench import Bench, Plan, open_bench
from pipeline.blocking import blocking
from pipeline.checkpoint import Checkpoint
from pipeline.environment.supply import Supply
from pipeline.errors import BudgetExceeded, InvalidState, LLMError, LLMMisconfigured
from pipeline.journal import Journal
from pipeline.limits import Limits
from pipeline.llm.pricing import Prices
from pipeline.meter import Clock
from pipeline.progress import Watch, nobody
from pipeline.redaction import NOTHING, Redactor
from pipeline.sandbox.base import Sandbox
from pipeline.state import PipelineState, Reason, Role, copy_of
from pipeline.transitions import START, Cursor, Move, Rules, Stage, advance, end
from pipeline.verification.verifier import BOUNDS, Bounds

_ROLE_OF = {
    Stage.DRAFTING: Role.CODER,
    Stage.FORMATTING: Role.FORMATTER,
    Stage.TESTING: Role.TESTER,
    Stage.QA: Role.REVIEWER,
}


class AgenticCodingPipeline:
    """Coders, formatters, testers and reviewers around one checkout.

    A stage without agents is skipped and said to be "not checked". `sandbox` None takes the
    strongest that works here; `python` names the interpreter that runs the repository's tests;
    `supply` installs what they need, where no interpreter is named or at hand;
    `kept` is a directory for what later runs can use again, as test runs of the same base;
    `prices` come before the shipped price table; `redact` knows the secrets that no model may see;
    `bounds` say how long the repository's tests may take.
    The pipeline holds no run's state: one instance may run many tasks.
    """

    def __init__(  # noqa: PLR0913 - the public face: one argument a role, then keywords
        self,
        coders: Sequence[Agent],
        formatters: Sequence[Agent] = (),
        testers: Sequence[Agent] = (),
        reviewers: Sequence[Agent] = (),
        max_iterations: int = 3,
        *,
        limits: Limits | None = None,
        sandbox: Sandbox | None = None,
        python: Path | None = None,
        supply: Supply | None = None,
        kept: Path | None = None,
        clock: Clock = time.monotonic,
        prices: Prices | None = None,
        redact: Redactor | None = None,
        bounds: Bounds = BOUNDS,
    ) -> None:
        seats = (coders, formatters, testers, reviewers)
        self._seats = dict(zip(_ROLE_OF, map(tuple, seats), strict=True))
        limits = limits or Limits()
        counts = (len(coders), len(formatters), len(testers), len(reviewers))
        self._rules = Rules(*counts, max_iterations, limits.same_feedback)
        self._plan = Plan(
            agents=tuple(agent for seats in self._seats.values() for agent in seats),
            sandbox=sandbox,
            python=python,
            supply=supply,
            kept=kept,
            limits=limits,
            clock=clock,
            prices=prices or Prices(),
            rules=self._rules,
            redact=redact or NOTHING,
            bounds=bounds,
        )
        self._refuse_bad_lineup()

    @property
    def agents(self) -> tuple[Agent, ...]:
        """Every agent in the order of the stages."""
        return self._plan.agents

    @property
    def rules(self) -> Rules:
        """What the state diagram of this line-up depends on."""
        return self._rules

    @property
    def bounds(self) -> Bounds:
        """How long the repository's tests may take."""
        return self._plan.bounds

    def start(self, task: str, repo: str | Path | None = None) -> PipelineState:
        """The first state of a run. Touches nothing; raises InvalidState for an empty task."""
        if not task.strip():
            raise InvalidState("the task is empty: say what is to be done")
        return PipelineState(task=task, repo=None if repo is None else str(repo))

    async def steps(
        self,
        state: PipelineState,
        cursor: Cursor | None = None,
        *,
        watch: Watch = nobody,
        journal: Journal | None = None,
        auth_env: Mapping[str, str] | None = None,
    ) -> AsyncGenerator[Checkpoint, None]:
        """Every checkpoint from `cursor` (default: the start) to the end.

        A checkpoint's state and cursor, also after a JSON round trip, resume to the same rest; with
        a `journal` also what a seat had finished before a crash is not done again. `auth_env` is
        git's environment for the clone alone, where the repository wants a credential.
        Raises PipelineError where the run cannot go on; a failed gate, a used-up budget or a model
        that keeps failing is no error but the last checkpoint's status and reason.
        """
        cursor = cursor or START
        state = copy_of(state)
        if _is_over(cursor):
            return
        async with open_bench(self._plan, state, journal, auth_env, watch=watch) as (bench, opened):
            state = opened
            while not _is_over(cursor):
                checkpoint = await self._step(bench, cursor, state)
                cursor, state = checkpoint.cursor, checkpoint.state
                yield replace(checkpoint, state=copy_of(state))

    async def arun(
        self, task: str, repo: str | Path | None = None, *, watch: Watch = nobody
    ) -> PipelineState:
        """Run to the end and return the last state."""
        state = self.start(task, repo)
        async with aclosing(self.steps(state, watch=watch)) as checkpoints:
            async for checkpoint in checkpoints:
                state = checkpoint.state
        return state

    def run(
        self, task: str, repo: str | Path | None = None, *, watch: Watch = nobody
    ) -> PipelineState:
        """The synchronous face of `arun`; inside a running event loop it uses a thread."""
        return blocking(lambda: self.arun(task, repo, watch=watch))

    async def _step(self, bench: Bench, cursor: Cursor, state: PipelineState) -> Checkpoint:
        agent = self._seats[cursor.stage][cursor.seat]
        began = self._plan.clock()
        try:
            after = await bench.seat(agent, _ROLE_OF[cursor.stage], cursor, state)
            move = advance(cursor, after, self._rules)
        except LLMMisconfigured:
            raise
        except (BudgetExceeded, LLMError) as error:
            move = _stopped(cursor, state, error)
        next_cursor, after = move
        seconds = self._plan.clock() - began
        after, seconds = await bench.account(after, seconds, ended=_is_over(next_cursor))
        return Checkpoint(
            agent=agent.name,
            stage=cursor.stage,
            iteration=cursor.iteration,
            state=after,
            cursor=next_cursor,
            seconds=seconds,
        )

    def _refuse_bad_lineup(self) -> None:
        if not self._seats[Stage.DRAFTING]:
            raise ValueError("a pipeline needs at least one coder")
        if self._rules.max_iterations < 1:
            raise ValueError("max_iterations must be at least 1")
        names = [agent.name for agent in self.agents]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"agents need names of their own; used twice: {', '.join(twice)}")


def _is_over(cursor: Cursor) -> bool:
    return cursor.stage is Stage.ENDED


def _stopped(cursor: Cursor, state: PipelineState, error: BudgetExceeded | LLMError) -> Move:
    """The run ends with what the last checkpoint holds, and says what stopped it."""
    reason = Reason.BUDGET if isinstance(error, BudgetExceeded) else Reason.MODEL
    cursor, state = end(cursor, state, "failed", reason)
    state["notes"] = [*state.get("notes", []), f"stopped: {error}"]
    return cursor, state
