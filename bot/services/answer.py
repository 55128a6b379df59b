"""Answers commands: looks up what the sender may do, acts on the run, and says so once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from bot.domain import policy
from bot.domain.bill import Spent
from bot.domain.commands import MEANINGS
from bot.domain.forge import Forge
from bot.domain.messages import answers, status
from bot.domain.messages.base import Comment, Place
from bot.domain.policy import ANSWERED, Rules
from bot.domain.repo_config import WrongConfig
from bot.domain.runs import RepositoryId, Run, RunStatus
from bot.domain.store import Asked, Delivery, Order, Receipt, Say, Start, Store
from bot.errors import BotError, Transient
from bot.services.admit import repository_rules
from bot.services.patience import Patience, wait_s

# The others have a meaning already, and nothing that carries it out yet.
_THERE = tuple(verb for verb in MEANINGS if verb not in {"plan", "fix ci", "rebase"})
_log = logging.getLogger(__name__)
_LOOKED_AT = 500  # runs of the repository, newest first
OpenForge = Callable[[RepositoryId], Awaitable[Forge]]


@dataclass(frozen=True, slots=True)
class AnswerCommands:
    """One tick over the commands that wait. `own_id` is the id of our bot account."""

    store: Store
    forge: OpenForge
    rules: Rules
    own_id: int
    page: Callable[[str], str]
    patience: Patience = field(default_factory=Patience)

    async def __call__(self) -> None:
        """Answer what is due; a command whose forge is out of reach lets the others go first."""
        for asked in await asyncio.to_thread(self.store.asked):
            if asked.say.request and await self._ending(asked.say):
                await asyncio.to_thread(self.store.answer_later, asked.id, 0.0)
                continue
            try:
                await self._answer(asked)
            except Transient as error:
                _log.warning("command %s waits: %s", asked.id, error)
                await asyncio.to_thread(self.store.answer_later, asked.id, wait_s(asked.tries))
                continue
            except BotError as error:
                _log.warning("command %s is dropped: %s", asked.id, error)
            except Exception as error:  # noqa: BLE001 - a fault of ours stops no other row
                if not self.patience.ended(f"command {asked.id}", error):
                    await asyncio.to_thread(self.store.answer_later, asked.id, 0.0)
                    continue
            await asyncio.to_thread(self.store.answered, asked.id)

    async def _answer(self, asked: Asked) -> None:
        say = asked.say
        forge = await self.forge(say.repository)
        try:
            permission = await forge.permission(say.sender.login)
            rules = await self._rules(forge)
            refusal = policy.may_command(say.sender, permission, rules, own_id=self.own_id)
            place = Place(say.repository.id, say.number)
            if refusal is not None:
                if refusal in ANSWERED:
                    await _reply(forge, say, answers.refused(place, refusal))
                return
            await forge.react(say.number, say.comment_id, "eyes")
            if reply := await self._act(say, place):
                await _reply(forge, say, reply)
        finally:
            await forge.aclose()

    async def _act(self, say: Say, place: Place) -> Comment | None:
        """Do what was asked; what is to be said, or None where the run itself will speak."""
        if say.on_pull and say.verb in {"run", "retry"}:
            return answers.on_pull(place, say.verb)
        match say.verb:
            case "run":
                return await self._again(say, place)
            case "help":
                return answers.help_text(place, _THERE)
            case "cancel" | "push":
                return await self._touch(say, place)
            case "status":
                return await self._status(say, place)
            case verb if verb in MEANINGS:
                return answers.not_here(place, verb)
            case _:
                return answers.unknown(place, say.argument or say.verb, _THERE)

    async def _touch(self, say: Say, place: Place) -> Comment | None:
        order = policy.touch(say, await self._issue(say))
        assert order is not None
        receipt = await self._order(say, order)
        if receipt.outcome not in {"applied", "duplicate"}:
            return answers.no_run(place, say.verb)
        run = await asyncio.to_thread(self.store.run, receipt.run_id)
        if run is None or run.outcome != "cancelled":
            return None
        # It was not at work, so nobody else is there to say it.
        where = replace(place, run_id=run.id, url=self.page(run.id))
        return status.cancelled(
            where, run.cancel_by, Spent(None, run.paid_usd or 0.0, run.lost_usd)
        )

    async def _ending(self, say: Say) -> bool:
        """Whether the run that a request has met is being cancelled: it is answered after that."""
        last = await self._last(say)
        return last is not None and last.cancel_requested and last.status is not RunStatus.FINISHED

    async def _again(self, say: Say, place: Place) -> Comment | None:
        """A run was asked for while one was going on; where that was cancelled, this one begins."""
        last = await self._last(say)
        if say.request and last and last.outcome == "cancelled":
            later = replace(say.request, meaning=f"{say.meaning}:later")
            delivery = Delivery("acp", later.meaning, say.verb, "")
            await asyncio.to_thread(self.store.receive, delivery, Start(later))
            return None
        return await self._status(say, place) if say.comment_id else None

    async def _rules(self, forge: Forge) -> Rules:
        """With the people whom the repository names; a file that is wrong names nobody else."""
        try:
            return await repository_rules(forge, self.rules)
        except WrongConfig:
            return self.rules

    async def _status(self, say: Say, place: Place) -> Comment | None:
        """A run at work says it itself, in its own comment; else how the last one ended."""
        last = await self._last(say)
        if last is None:
            return answers.no_run(place, say.verb)
        if last.status is not RunStatus.FINISHED:
            held = last.status is RunStatus.HELD
            return answers.active(replace(place, run_id=last.id, url=self.page(last.id)), held=held)
        return answers.ended(replace(place, run_id=last.id, url=self.page(last.id)), last)

    async def _last(self, say: Say) -> Run | None:
        issue = await self._issue(say)
        runs = await asyncio.to_thread(
            self.store.runs, repository_id=say.repository.id, issue=issue, limit=1
        )
        return runs[0] if runs else None

    async def _issue(self, say: Say) -> int:
        """The issue that is spoken of; on a pull request of ours, the one that it closes."""
        if not say.on_pull:
            return say.number
        runs = await asyncio.to_thread(
            self.store.runs, repository_id=say.repository.id, limit=_LOOKED_AT
        )
        ours = (run.request.issue for run in runs if run.pull_request == say.number)
        return next(ours, say.number)

    async def _order(self, say: Say, order: Order) -> Receipt:
        """As a delivery of its own, so that dying here repeats nothing."""
        delivery = Delivery("acp", say.meaning, say.verb, "")
        return await asyncio.to_thread(self.store.receive, delivery, order)


async def _reply(forge: Forge, say: Say, comment: Comment) -> None:
    await forge.upsert_comment(say.number, comment.marker, comment.text)
