"""One run's bench: the checkout, the environment and the meter, and how an agent is seated at it.

The host, never an agent, turns the checkout into `proposed_code` and `proposed_tests`, and checks
after every seat that only what belongs to its role has changed.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import facts, opening, torn
from pipeline.agents.base import Agent, Seat, act, takes
from pipeline.agents.seated import ModelAgent
from pipeline.environment.supply import Supply
from pipeline.errors import SecretFound, StateOwnershipError
from pipeline.journal import Diverged, Journal, Notebook, OutOfStep, Recorder
from pipeline.limits import Limits
from pipeline.llm.fallback import Fallback
from pipeline.llm.pricing import Prices
from pipeline.meter import Clock, Meter, refuse_unpriced
from pipeline.progress import Kind, Watch
from pipeline.redaction import Redactor, marks
from pipeline.sandbox.base import Sandbox
from pipeline.sandbox.select import strongest
from pipeline.scratch import scratch
from pipeline.state import PipelineState, Role, check_ownership, copy_of
from pipeline.transitions import Cursor, Rules
from pipeline.verification.kept import Kept
from pipeline.verification.verifier import Bounds, Verifier
from pipeline.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is made with: the line-up and what the caller chose, nothing of the run itself."""

    agents: tuple[Agent, ...]
    sandbox: Sandbox | None
    python: Path | None
    supply: Supply | None
    kept: Path | None
    limits: Limits
    clock: Clock
    prices: Prices
    rules: Rules
    redact: Redactor
    bounds: Bounds

    @property
    def models(self) -> tuple[ModelAgent, ...]:
        """The agents that ask a model."""
        return tuple(agent for agent in self.agents if isinstance(agent, ModelAgent))


@asynccontextmanager
async def open_bench(
    plan: Plan,
    state: PipelineState,
    journal: Journal | None,
    auth_env: Mapping[str, str] | None,
    *,
    watch: Watch,
) -> AsyncIterator[tuple[Bench, PipelineState]]:
    """Clone, find sandbox and environment, and fix in the state what stays for the run.

    The model clients are opened in a thread while the clone runs. Leaving gives everything
    back.
    """
    async with AsyncExitStack() as cleanup:
        place = await cleanup.enter_async_context(scratch())
        for agent in plan.models:
            cleanup.push_async_callback(agent.aclose)
        warming = asyncio.ensure_future(asyncio.to_thread(_open_models, plan))
        cleanup.push_async_callback(asyncio.wait, [warming])
        sandbox = plan.sandbox or await strongest()
        repository = await opening.repository_of(state, journal, auth_env, place, plan.kept)
        cleanup.push_async_callback(repository.close)
        await warming
        refuse_unpriced(plan.limits, plan.prices, _asked(plan))
        found = opening.environment_of(plan, sandbox, repository, state, journal)
        environment = await cleanup.enter_async_context(found)
        base, open_session = repository.base_tree, opening.sessions(sandbox, environment)
        workspace = await Workspace.open(repository, base, open_session, scratch=place)
        cleanup.push_async_callback(workspace.close)
        notebook = await Notebook.open(journal) if journal else None
        workspace.recorder = Recorder(notebook, plan.redact)
        state = await opening.settled(state, repository, plan.redact, environment)
        meter = Meter(state["usage"], plan.limits, clock=plan.clock, prices=plan.prices)
        kept = await _kept(plan.kept, sandbox) if plan.kept else None
        verifier = Verifier(
            workspace, environment, task=state["task"], bounds=plan.bounds, kept=kept
        )
        if notebook:
            await facts.write(notebook, plan, state, repository, environment)
        yield Bench(plan, workspace, verifier, meter, watch), state


async def _kept(home: Path, sandbox: Sandbox) -> Kept:
    return Kept(home / "tests", (await sandbox.probe()).describe())


class Bench:
    """Everything of a run that is not in its state."""

    def __init__(
        self, plan: Plan, workspace: Workspace, verifier: Verifier, meter: Meter, watch: Watch
    ) -> None:
        self._plan = plan
        self._workspace = workspace
        self._repository = workspace.repository
        self._verifier = verifier
        self._meter = meter
        self._watch = watch
        self._recorder = workspace.recorder
        self._anew: list[str] = []

    async def seat(
        self, agent: Agent, role: Role, cursor: Cursor, state: PipelineState
    ) -> PipelineState:
        """Let `agent` act on `state`; returns the state after it, its diffs made by the host.

        Where the journal holds other questions than the agent asks now, the seat begins anew once.
        """
        prefix = f"{cursor.iteration}.{cursor.stage.value}.{agent.name}."
        seat = Seat(
            agent=agent.name,
            stage=cursor.stage,
            iteration=cursor.iteration,
            meter=self._meter,
            verifier=self._verifier,
            watch=self._watch,
            recorder=self._recorder,
            effort=agent.effort if isinstance(agent, ModelAgent) else None,
        )
        self._recorder.sit(prefix)
        before = torn.remember(self._recorder, prefix, self._meter, agent.name)
        self._anew = []
        seat.report(Kind.SEATED, role.value)
        try:
            return await self._work(agent, role, seat, state)
        except OutOfStep as error:
            if self._recorder.replaying:
                raise Diverged(
                    f"the replay differs from the run: {error}", error.difference
                ) from error
            await torn.begin_anew(self._recorder, prefix, self._meter, agent.name, before)
            self._anew = [f"{agent.name} worked anew in iteration {cursor.iteration}: {error}"]
            seat.report(Kind.NOTE, self._anew[0])
            return await self._work(agent, role, seat, state)

    async def _work(
        self, agent: Agent, role: Role, seat: Seat, state: PipelineState
    ) -> PipelineState:
        code = await self._code_tree(state)
        before = code
        if role is Role.TESTER:
            before = await self._repository.apply(code, state.get("proposed_tests", ""))
        if await self._workspace.snapshot() != before:
            await self._workspace.reset(before)
        after = await act(agent, copy_of(state), self._workspace, seat)
        check_ownership(role, agent.name, state, after)
        after = copy_of(after)
        if takes(agent) > 1:
            await self._harvest(agent, role, code, before, after)
        elif role in (Role.CODER, Role.FORMATTER):
            await self._normalise(after)
        self._refuse_secrets(agent, after)
        return after

    async def account(
        self, state: PipelineState, seconds: float, *, ended: bool
    ) -> tuple[PipelineState, float]:
        """The state with what has been used so far and what the reader must know.

        `seconds` is what the seat took; of a replay both come from the journal, and are returned.
        """

        async def work() -> Mapping[str, Any]:
            return {"usage": self._meter.table(), "seconds": seconds, "notes": self._anew}

        done = await self._recorder.once("seat", "", work)
        state["usage"] = copy.deepcopy(done["usage"])
        notes = [*state.get("notes", []), *done["notes"]]
        if ended:
            notes += self._warnings(state)
        if notes or ended:
            state["notes"] = notes
        return state, done["seconds"]

    def _refuse_secrets(self, agent: Agent, after: PipelineState) -> None:
        """A change may not carry what the redactor takes out of everything else."""
        for diff in (after.get("proposed_code", ""), after.get("proposed_tests", "")):
            if self._recorder.redact.holds(diff):
                named = marks(self._recorder.redact(diff))[0]
                raise SecretFound(
                    f"the change of agent {agent.name!r} holds a secret of this installation "
                    f"({named}); take it out of the repository, and replace it"
                )

    async def _harvest(
        self, agent: Agent, role: Role, code: str, before: str, after: PipelineState
    ) -> None:
        """Turn what the agent left in the checkout into the diff that its role owns."""
        now = await self._workspace.snapshot()
        repository = self._repository
        changes = await repository.changes(before, now)
        touched = {path for change in changes for path in (change.path, change.old_path) if path}
        own = {path for path in touched if _is_below(path, after.get("test_paths", ()))}
        if role is Role.REVIEWER and touched:
            raise StateOwnershipError(
                f"agent {agent.name!r} is a reviewer and changed {_some(touched)}"
            )
        if role is Role.TESTER:
            if touched - own:
                raise StateOwnershipError(
                    f"agent {agent.name!r} is a tester and changed {_some(touched - own)}; "
                    f"its paths are {', '.join(after.get('test_paths', ()))}"
                )
            after["proposed_tests"] = await repository.diff(code, now)
        elif role in (Role.CODER, Role.FORMATTER):
            if own:
                raise StateOwnershipError(
                    f"agent {agent.name!r} changed {_some(own)}, the tester's"
                )
            after["proposed_code"] = await repository.diff(repository.base_tree, now)

    async def _normalise(self, after: PipelineState) -> None:
        """A coder without a workspace wrote the diff itself: it must apply to the base."""
        tree = await self._code_tree(after)
        after["proposed_code"] = await self._repository.diff(self._repository.base_tree, tree)

    async def _code_tree(self, state: PipelineState) -> str:
        base = self._repository.base_tree
        return await self._repository.apply(base, state.get("proposed_code", ""))

    def _warnings(self, state: PipelineState) -> list[str]:
        """What every face must say beside the result."""
        said: list[str] = []
        used = state["usage"]["agents"]
        seats = [agent for agent in self._plan.models if agent.name in used]
        makers = {used[a.name]["provider"] for a in seats if a.role == "coder"}
        judges = {used[a.name]["provider"] for a in seats if a.role == "reviewer"}
        if shared := sorted(makers & judges):
            said.append(f"author and reviewer share one vendor ({', '.join(shared)})")
        if "tests_passed" in state and state["tests_passed"] is None:
            said.append("tests: not checked (no tester)")
        if "qa_passed" in state and state["qa_passed"] is None:
            said.append("review: not checked (no reviewer)")
        return said


def _open_models(plan: Plan) -> None:
    """Import the SDKs, which takes seconds, and find out now if a key is missing."""
    for agent in plan.models:
        _ = agent.client


def _asked(plan: Plan) -> list[tuple[str, str]]:
    """Provider and model of every client that an agent may ask."""
    seated = [agent.client for agent in plan.models]
    chains = [c.clients if isinstance(c, Fallback) else (c,) for c in seated]
    return [(client.provider, client.model) for chain in chains for client in chain]


def _is_below(path: str, own: Sequence[str]) -> bool:
    return any(path == prefix or path.startswith(f"{prefix.rstrip('/')}/") for prefix in own)


def _some(paths: set[str]) -> str:
    return ", ".join(sorted(paths)[:5])
