"""What the people on the issue see of a run: one comment edited in place, and a reaction."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.domain.bill import Spent
from bot.domain.forge import Forge, PullRequest
from bot.domain.messages import answers, status
from bot.domain.messages.base import Comment, Place
from bot.domain.messages.report import Report
from bot.domain.messages.status import Stand, Step
from bot.domain.policy import ANSWERED, Cap, Refusal
from bot.domain.repo_config import WrongConfig
from bot.domain.runs import Run
from bot.domain.scrub import without_keys
from bot.domain.store import Ending
from bot.errors import BotError, UserError
from bot.services.admit import Admitted, TurnedAway
from bot.services.run_book import RunBook
from pipeline.checkpoint import Checkpoint
from pipeline.errors import PipelineError, SandboxRefused
from pipeline.progress import Progress
from pipeline.state import usage_table
from pipeline.tally import rounded, total
from pipeline.transitions import Stage

_log = logging.getLogger(__name__)
Json = Mapping[str, Any]
_EVERY_S = 3.0
_STEPS: Mapping[Stage, Step] = {
    Stage.DRAFTING: "drafting",
    Stage.FORMATTING: "formatting",
    Stage.TESTING: "testing",
    Stage.QA: "qa",
    Stage.ENDED: "publish",
}


class Teller:
    """Speaks on the issue of one run; nothing leaves without `scrub`.

    `url` is the run's page, `sandbox` its grade in words.
    """

    def __init__(
        self,
        forge: Forge,
        book: RunBook,
        url: str,
        sandbox: str,
        *,
        scrub: Callable[[str], str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        run = book.run
        request, ticket = run.request, run.request.ticket
        named = (ticket.key, ticket.url) if ticket else ("", "")
        self.place = Place(request.repository.id, request.issue, run.id, url, *named)
        self.sandbox = sandbox
        self._forge = forge
        self._run: Run = run
        self._book = book
        self._clock = clock
        self.known = scrub
        self._last = 0.0
        self._comment = 0
        self._admitted: Admitted | None = None
        self._checkpoint: Checkpoint | None = None
        self.report: Report | None = None  # the finished run, once there is one
        self._heard: Progress | None = None

    def scrub(self, text: str) -> str:
        """The text as it may leave; `known` masks our own secrets alone."""
        return without_keys(self.known(text))

    def hear(self, progress: Progress) -> None:
        """What a seat says while it works; the last of it tells what the run has used."""
        self._heard = progress

    @property
    def cost_usd(self) -> float | None:
        """What the run has cost or has perhaps cost so far; None where a price is unknown."""
        known = self.spent.cost_usd
        return None if known is None else max(known, self._run.cost_usd or 0.0)

    @property
    def spent(self) -> Spent:
        """What the run has used, as last heard."""
        now, last = self._heard, self._checkpoint
        usage = last.state["usage"] if last else usage_table()
        if now is not None:
            return Spent(now.tokens, now.usd, now.lost_usd, usage)
        if last is None:
            return Spent(0, self._run.paid_usd or 0.0, self._run.lost_usd)
        used = total(usage)
        return Spent(used.tokens, rounded(used.usd), rounded(used.lost_usd), usage)

    @property
    def ending(self) -> Ending:
        """What the store is to keep of it, without an outcome yet."""
        return Ending(cost_usd=self.cost_usd, lost_usd=self.spent.lost_usd or 0.0)

    def resume(self, admitted: Admitted, checkpoints: Sequence[Checkpoint]) -> None:
        """Go on where an earlier start of the run has stopped."""
        self._admitted = admitted
        self._checkpoint = checkpoints[-1] if checkpoints else None

    async def accepted(self, admitted: Admitted) -> Json:
        """The first words: a reaction at once, then the status comment."""
        self._admitted = admitted
        await self._react("eyes")
        await self.say(status.working(self.place, self._stand("clone")))
        return {"comment": self._comment}

    async def turned_away(self, turned: TurnedAway) -> Json:
        """Why the run does not begin, where that is anybody's business."""
        answer = self._answer(turned)
        if answer is not None:
            await self.say(answer)
        return {"comment": self._comment}

    async def stepped(self, checkpoint: Checkpoint) -> None:
        """Edit the status comment, at most every few seconds. A lost edit is no matter."""
        self._checkpoint = checkpoint
        now = self._clock()
        if now - self._last < _EVERY_S:
            return
        self._last = now
        step = _STEPS[checkpoint.cursor.stage]
        try:
            await self.say(status.working(self.place, self._stand(step)))
        except BotError as error:
            _log.warning("run %s: the status was not told: %s", self._run.id, error)

    async def parked(self, until: float) -> None:
        """The work goes on later, if possible with a word about when; 0 is nobody knows."""
        when = datetime.fromtimestamp(until, UTC).strftime("%H:%M UTC") if until else ""
        try:
            await self.say(status.parked(self.place, when))
        except BotError as error:
            _log.info("run %s waits without a word: %s", self._run.id, error)

    async def cancelled(self, by: str) -> None:
        """The last words of a run that a person has stopped."""
        await self.say(status.cancelled(self.place, by, self.spent))
        await self._react("confused")

    async def broken(self, error: BotError | PipelineError) -> None:
        """The run could not go on. Only what is written for users is told to them."""
        why = str(error) if isinstance(error, UserError | SandboxRefused) else ""
        await self.say(status.broken(self.place, why, self.spent))
        await self._react("confused")

    async def say(self, comment: Comment) -> int:
        """Put a text into the one status comment."""
        self._comment = await self._forge.upsert_comment(
            self.place.issue, comment.marker, self.scrub(comment.text), self._comment
        )
        return self._comment

    async def done(self, comment: Comment, *, well: bool) -> Json:
        """The last words, and the reaction that goes with them."""
        await self.say(comment)
        await self._react("rocket" if well else "confused")
        return {"comment": self._comment}

    async def _react(self, content: str) -> None:
        """A reaction that fails is no reason to fail."""
        request = self._run.request
        try:
            await self._forge.react(request.issue, request.comment_id, content)
        except BotError as error:
            _log.warning("run %s: no reaction: %s", self._run.id, error)

    def _stand(self, step: Step) -> Stand:
        spent = self.spent
        seconds = 0.0
        if self._checkpoint is not None:
            seconds = self._checkpoint.state["usage"]["seconds"]["total"]
        return Stand(
            step=step,
            requester=self._run.request.requester.login,
            iteration=self._checkpoint.cursor.iteration if self._checkpoint else 1,
            max_iterations=self._admitted.iterations if self._admitted else 1,
            tokens=spent.tokens or 0,
            usd=spent.usd,
            lost_usd=spent.lost_usd,
            usd_limit=self._admitted.usd if self._admitted else 0.0,
            elapsed_s=seconds,
            stripped=self._admitted.stripped if self._admitted else (),
        )

    def _answer(self, turned: TurnedAway) -> Comment | None:
        match turned.detail:
            case Refusal() as refusal:
                return answers.refused(self.place, refusal) if refusal in ANSWERED else None
            case WrongConfig() as wrong:
                return answers.wrong_config(self.place, wrong.problems)
            case Cap() as cap:
                return answers.capped(self.place, cap)
            case PullRequest(state="merged") as pull:
                return answers.merged(self.place, pull)
            case PullRequest() as pull:
                return answers.duplicate(self.place, pull)
            case None:
                return None
            case triage:
                return answers.triaged(self.place, triage)
