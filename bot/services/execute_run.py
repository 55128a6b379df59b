"""Executes one run from wherever it stands: admit, work, publish; each step once, whatever dies."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Protocol

from bot.domain.forge import Forge
from bot.domain.guards import SecretScan
from bot.domain.policy import Rules
from bot.domain.repo_config import WrongConfig
from bot.domain.result import Result
from bot.domain.runs import MAX_STARTS, RunRequest, RunStatus
from bot.domain.scrub import each_text
from bot.domain.store import Ending, Fenced, Store
from bot.domain.task import Task
from bot.errors import (
    BotError,
    ForgeUnavailable,
    GivenUp,
    OperatorError,
    RateLimited,
    Transient,
    UserError,
)
from bot.services.admit import Admission, Admitted, TurnedAway, pushed_before
from bot.services.branch import Branches
from bot.services.jira_admit import TicketsNow
from bot.services.jira_tell import TicketTeller, unreached
from bot.services.publish import Publication
from bot.services.run_book import RunBook, Shelf, StoredJournal
from bot.services.tell import Teller
from pipeline.checkpoint import Checkpoint
from pipeline.errors import PipelineError, SourceAway
from pipeline.orchestrator import AgenticCodingPipeline

_log = logging.getLogger(__name__)
_WAITS_S = (60.0, 120.0, 300.0, 900.0, 1800.0)


class Workshop(Protocol):
    """Makes what a run works with. Implemented where adapters are named."""

    async def forge(self, request: RunRequest) -> Forge:
        """The run's repository, seen with a token of its own."""

    def pipeline(self, request: RunRequest, rules: Rules, usd: float) -> AgenticCodingPipeline:
        """A line-up within the rules, which may cost `usd`."""

    @property
    def sandbox(self) -> str:
        """What the sandbox was measured to do, in a line."""

    def scrub(self, text: str) -> str:
        """The text without any secret that this process knows."""

    @property
    def scan(self) -> SecretScan:
        """Looks for secrets in what is about to be pushed."""


@dataclass(frozen=True, slots=True)
class ExecuteRun:
    """The engine's work. `own_id` is the id of our bot account, `rules` are the operator's.

    `shelf` keeps what a replay begins with; without one no run can be replayed. `tickets` asks the
    tracker again, where there is one. A run that was begun more than `most_starts` times without a
    last word is given up.
    """

    store: Store
    workshop: Workshop
    rules: Rules
    own_id: int
    worker: str
    page: Callable[[str], str]
    clock: Callable[[], float] = time.time
    shelf: Shelf | None = None
    tickets: TicketsNow | None = None
    most_starts: int = MAX_STARTS + 2

    async def __call__(self, run_id: str) -> None:
        """Execute the run; returns when it is held, finished, or somebody else's.

        Where the forge asks to wait, or does not answer, the run is parked: it gives its place to
        others until the next try. Raises StoreUnavailable, and CancelledError where the engine
        stops it.
        """
        try:
            book = await RunBook.open(self.store, run_id, self.worker)
            tried = book.run.parked
            try:
                await self._with_forge(book, last=tried >= len(_WAITS_S))
            except Transient as error:
                await book.park(_until(error, self.clock() + _WAITS_S[tried]))
        except Fenced as error:
            _log.info("run %s is not ours: %s", run_id, error)

    async def _with_forge(self, book: RunBook, *, last: bool) -> None:
        """One try. Raises Transient, unless it is the `last`: then the run fails."""
        try:
            forge = await self.workshop.forge(book.run.request)
        except BotError as error:
            cancelled = await book.cancelled_by() is not None
            if isinstance(error, Transient) and not (last or cancelled):
                raise
            _log.warning("run %s: no forge: %s", book.run.id, error)
            if book.run.request.ticket:
                await book.post(unreached(book.run, error, cancelled=cancelled))
            outcome = Ending("cancelled") if cancelled else Ending("failed", str(error))
            await book.move(RunStatus.FINISHED, outcome)
            return
        page, sandbox = self.page(book.run.id), self.workshop.sandbox
        kind = TicketTeller if book.run.request.ticket else Teller
        teller = kind(forge, book, page, sandbox, scrub=self.workshop.scrub)
        try:
            await self._stoppable(book, forge, teller)
        except Transient as error:
            if not last:
                _log.warning("run %s waits: %s", book.run.id, error)
                await teller.parked(_until(error, 0.0))
                raise
            await self._broke_off(book, teller, error)
        except (UserError, OperatorError, PipelineError) as error:
            _log.warning("run %s failed: %s", book.run.id, error)
            await self._broke_off(book, teller, error)
        finally:
            await forge.aclose()

    async def _broke_off(
        self, book: RunBook, teller: Teller, error: BotError | PipelineError
    ) -> None:
        ending = replace(_spent(book, teller), outcome="failed", reason=str(error))
        await _ended(book, teller.broken(error), ending)

    async def _stoppable(self, book: RunBook, forge: Forge, teller: Teller) -> None:
        """Execute, and end the run where somebody has asked for that; else pass the stop on.

        Raises Transient, also where git was not answered.
        """
        try:
            await _stop_if_cancelled(book)
            self._stop_if_hopeless(book)
            await self._execute(book, forge, teller)
        except SourceAway as error:
            raise ForgeUnavailable(str(error)) from error
        except asyncio.CancelledError:
            by = await book.cancelled_by()
            if by is None:
                raise
            ending = replace(_spent(book, teller), outcome="cancelled")
            await _ended(book, teller.cancelled(by), ending)

    def _stop_if_hopeless(self, book: RunBook) -> None:
        """Whoever took every worker down so far is told of, and not tried once more."""
        if book.run.ill_starts > self.most_starts:
            raise GivenUp(
                f"The run was begun {book.run.ill_starts - 1} times and never came to an end; "
                "the operator's log says why."
            )

    async def _execute(self, book: RunBook, forge: Forge, teller: Teller) -> None:
        admission = Admission(self.store, self.rules, own_id=self.own_id, tickets=self.tickets)
        admitted = await self._admit(book, forge, teller, admission)
        if admitted is None:
            return
        last = await self._work(book, forge, teller, admitted, admission)
        await _stop_if_cancelled(book)
        task = _task(book.run.request, admitted)
        result = Result.of(last.state, task, iterations=last.iteration)
        pushed = await asyncio.to_thread(pushed_before, self.store, book.run.request)
        branches = Branches(book, forge, admitted, pushed)
        scan = self.workshop.scan
        now = await self._now(book, forge, admission)
        turned = now if isinstance(now, TurnedAway) else None
        rules = self.rules if isinstance(now, TurnedAway) else now
        known = (admitted, turned, admission.notes)
        publication = Publication(book, forge, teller, branches, scan, rules, *known)
        await publication.publish(result, last.state)

    async def _now(self, book: RunBook, forge: Forge, admission: Admission) -> Rules | TurnedAway:
        """The rules of now. What has begun to be published is brought to its end in any case."""
        if not await book.made("push"):
            return await admission.once_more(forge, book.run)
        try:
            return await admission.rules(forge)
        except WrongConfig:
            return self.rules

    async def _admit(
        self, book: RunBook, forge: Forge, teller: Teller, admission: Admission
    ) -> Admitted | None:
        """The admission, decided once; None where the run is turned away."""
        turned: list[TurnedAway] = []

        async def decide() -> dict[str, object]:
            decision = await admission.decide(forge, book.run)
            if isinstance(decision, TurnedAway):
                turned.append(decision)
                return {"turned": decision.why}
            return {"admitted": each_text(decision.to_json(), self.workshop.scrub)}

        known = await book.once("admission", decide)
        if "turned" in known:
            if turned:
                await book.once("turned away", lambda: teller.turned_away(turned[0]))
            await book.move(RunStatus.FINISHED, Ending("refused", str(known["turned"])))
            return None
        admitted = Admitted.from_json(known["admitted"])
        await book.once("acknowledged", lambda: teller.accepted(admitted))
        return admitted

    async def _work(
        self,
        book: RunBook,
        forge: Forge,
        teller: Teller,
        admitted: Admitted,
        admission: Admission,
    ) -> Checkpoint:
        """The loop, from the last checkpoint and the journal on; returns the final checkpoint."""
        kept = await book.checkpoints()
        teller.resume(admitted, kept)
        last = kept[-1] if kept else None
        if last is not None and last.final:
            return last
        rules = await admission.rules(forge)
        pipeline = self.workshop.pipeline(book.run.request, rules, admitted.usd)
        state = last.state if last else pipeline.start(admitted.task, forge.clone_url())
        state.setdefault("base_sha", admitted.base_sha)
        steps = pipeline.steps(
            state,
            last.cursor if last else None,
            watch=teller.hear,
            journal=StoredJournal(self.store, book, self.shelf),
            auth_env=await forge.clone_env(),
        )
        async with aclosing(steps) as checkpoints:
            async for checkpoint in checkpoints:
                await book.keep(checkpoint)
                await book.spend(teller.cost_usd, teller.spent.lost_usd)
                await teller.stepped(checkpoint)
                last = checkpoint
        if last is None:
            raise PipelineError("the loop ended before its first step")
        return last


async def _stop_if_cancelled(book: RunBook) -> None:
    """Whoever was away while somebody cancelled finds out here."""
    if await book.cancelled_by() is not None:
        raise asyncio.CancelledError


def _spent(book: RunBook, teller: Teller) -> Ending:
    """What the run has cost: an earlier start may have written more than this one has seen."""
    seen = teller.ending
    return Ending() if (seen.cost_usd or 0.0) < (book.run.cost_usd or 0.0) else seen


def _until(error: Transient, otherwise: float) -> float:
    """When another try is worth it, in seconds since the epoch."""
    known = error.reset_at if isinstance(error, RateLimited) else None
    return otherwise if known is None else float(known)


def _task(request: RunRequest, admitted: Admitted) -> Task:
    title, _, body = admitted.task.partition("\n\n")
    source = f"{request.repository.full_name}#{request.issue}"
    if request.ticket:
        return Task(title, body, request.ticket.key, request.ticket.url)
    return Task(title, body, source=source)


async def _ended(book: RunBook, said: Awaitable[object], ending: Ending) -> None:
    """Say the last word, if the forge still listens, and close the run in any case."""
    try:
        await said
    except BotError as error:
        _log.warning("run %s: the last word could not be said: %s", book.run.id, error)
    await book.move(RunStatus.FINISHED, ending)
