"""What an agent is, and what it gets at its seat.

An agent has a `name` and a `run`, sync or async, that takes what it needs and returns the state:

    run(state)                    reads and writes keys of the state only
    run(state, workspace)         may also read, edit and run things in the checkout
    run(state, workspace, seat)   may also ask models on the run's budget and report progress

An agent that edits the workspace never writes a diff: the host makes it from what it finds there.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar, runtime_checkable

from pipeline.errors import (
    AgentError,
    BudgetExceeded,
    LLMError,
    LLMMisconfigured,
    PipelineError,
)
from pipeline.journal import OutOfStep, Recorder
from pipeline.llm.asked import difference, lengthen, shorten
from pipeline.llm.base import Effort, LLMClient, LLMRequest, LLMResponse
from pipeline.llm.codec import (
    digest_of_asked,
    redacted,
    request_to_json,
    response_from_json,
    response_to_json,
)
from pipeline.llm.outcome import error_from_json, error_to_json
from pipeline.meter import Meter, Ticket
from pipeline.progress import Kind, Progress, Watch
from pipeline.sandbox.base import ExecResult
from pipeline.state import PipelineState
from pipeline.transitions import Stage
from pipeline.verification.verifier import Verifier
from pipeline.workspace.workspace import Workspace

T = TypeVar("T")


@runtime_checkable
class Agent(Protocol):
    """One seat's worth of work. See the module's docstring for the shapes of `run`."""

    @property
    def name(self) -> str:
        """Unique in a line-up; usage and progress are kept under it."""

    @property
    def run(self) -> Callable[..., PipelineState | Awaitable[PipelineState]]:
        """The work itself."""


@dataclass(frozen=True, slots=True)
class Seat:
    """One agent's place in a stage: its budget, its verifier, its watcher and its journal."""

    agent: str
    stage: Stage
    iteration: int
    meter: Meter
    verifier: Verifier
    watch: Watch = field(repr=False)
    recorder: Recorder = field(default_factory=Recorder, repr=False)
    effort: Effort | None = None

    async def ask(self, client: LLMClient, request: LLMRequest) -> LLMResponse:
        """Ask a model, or the journal if it knows the answer.

        Raises BudgetExceeded before the call, LLMError during it, OutOfStep where the journal holds
        another question.
        """
        if self.effort is not None:
            request = replace(request, effort=self.effort)
        request = redacted(request, self.recorder.redact)
        try:
            return await self._paid(client, request)
        finally:
            self.report(Kind.MODEL, client.model)

    async def _paid(self, client: LLMClient, request: LLMRequest) -> LLMResponse:
        """The journal's answer, or one that is paid for now and then journalled, as errors are."""
        pen = self.recorder.pen
        if pen is None:
            return await self._call(client, self.meter.ticket(self.agent, client, request))
        live, lost, before = False, pen.lost, pen.asked
        asked = request_to_json(request)

        async def work() -> Mapping[str, Any]:
            nonlocal live
            live = True
            cut_off = pen.lost - lost
            self.meter.lost(self.agent, client, request, cut_off)
            outcome = await self._outcome(client, request)
            return {"asked": shorten(asked, before), "lost": cut_off, **outcome}

        def differs(reply: Mapping[str, Any]) -> str:
            return difference(lengthen(reply["asked"], before), asked)

        try:
            reply = await pen.once("model", digest_of_asked(asked), work, differs=differs)
        except OutOfStep:
            self.meter.lost(self.agent, client, request, pen.lost - lost)
            raise
        pen.asked = lengthen(reply["asked"], before)
        if not live:
            self.meter.lost(self.agent, client, request, reply["lost"])
        if not live and "bill" in reply:
            self.meter.known(self.agent, request, reply["bill"])
        if "error" in reply:
            raise error_from_json(reply["error"])
        return response_from_json(reply)

    async def _outcome(self, client: LLMClient, request: LLMRequest) -> Mapping[str, Any]:
        """The answer or the error in its place, and the bill of all tries, JSON-ready."""
        ticket = self.meter.ticket(self.agent, client, request)
        try:
            found = response_to_json(await self._call(client, ticket))
        except LLMMisconfigured:
            raise
        except (BudgetExceeded, LLMError) as error:
            found = {"error": error_to_json(error)}
        return {**found, "bill": ticket.bill.seat(*ticket.asked)}

    async def _call(self, client: LLMClient, ticket: Ticket) -> LLMResponse:
        """One call on the budget; the ticket then holds its bill."""
        with self.meter.timed("model"), ticket:
            response = await client.complete(ticket.request)
            ticket.settle(response)
        return response

    def report(self, kind: Kind, text: str) -> None:
        """Tell the watcher; never affects the run."""
        line = Progress(
            kind=kind,
            agent=self.agent,
            stage=self.stage,
            iteration=self.iteration,
            text=text,
            tokens=self.meter.tokens,
            usd=self.meter.usd,
            lost_usd=self.meter.lost_usd,
        )
        self.watch(line)


class SyncWorkspace:
    """The workspace as a synchronous agent sees it: the same verbs, blocking."""

    def __init__(self, workspace: Workspace, loop: asyncio.AbstractEventLoop) -> None:
        self._workspace = workspace
        self._loop = loop
        self.root = workspace.root

    def read(self, path: str) -> str:
        """A file's text."""
        return self._wait(self._workspace.read(path))

    def write(self, path: str, content: str | bytes) -> None:
        """Create or replace a file."""
        self._wait(self._workspace.write(path, content))

    def delete(self, path: str) -> None:
        """Remove a file."""
        self._wait(self._workspace.delete(path))

    def files(self) -> Sequence[str]:
        """Every path of the tree, sorted."""
        return self._wait(self._workspace.files())

    def exec(self, argv: Sequence[str], *, cwd: str = ".") -> ExecResult:
        """Run a command in the sandbox."""
        return self._wait(self._workspace.exec(argv, cwd=cwd))

    def _wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()


def takes(agent: Agent) -> int:
    """How many positional arguments `agent.run` wants: 1, 2 or 3."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    found = inspect.signature(agent.run).parameters.values()
    return min(3, sum(parameter.kind in kinds for parameter in found))


async def act(
    agent: Agent, state: PipelineState, workspace: Workspace | None, seat: Seat
) -> PipelineState:
    """Run an agent of any shape. Raises PipelineError as it is, anything else as AgentError.

    A synchronous agent works in a daemon thread of its own: it cannot hold up a cancel or the exit.
    """
    is_async = inspect.iscoroutinefunction(agent.run)
    shown: Any = workspace
    if workspace is not None and not is_async:
        shown = SyncWorkspace(workspace, asyncio.get_running_loop())
    arguments: tuple[Any, ...] = (state, shown, seat)[: takes(agent)]
    try:
        result = agent.run(*arguments) if is_async else await _in_thread(agent.run, arguments)
        return await result if inspect.isawaitable(result) else result
    except PipelineError:
        raise
    except Exception as error:
        raise AgentError(f"agent {agent.name!r} failed: {type(error).__name__}: {error}") from error


async def _in_thread(work: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def settle(result: Any, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)

    def body() -> None:
        try:
            outcome: tuple[Any, BaseException | None] = (work(*arguments), None)
        except BaseException as error:  # noqa: BLE001 - carried over to the awaiting side
            outcome = (None, error)
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, *outcome)

    threading.Thread(target=body, name="acp-agent", daemon=True).start()
    return await future
