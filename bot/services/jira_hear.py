"""Looks at the tickets of triggers: starts a run, does what was said, or says why not."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from bot.domain import commands, jira_policy
from bot.domain.jira import (
    Asked,
    Heard,
    Letter,
    Part,
    Ticket,
    Tracker,
    Trigger,
)
from bot.domain.jira_policy import Moment, NoRepository, TicketRules
from bot.domain.messages import ticket as words
from bot.domain.runs import Actor, FrozenText, RepositoryId, Run, RunRequest, RunStatus
from bot.domain.store import Delivery, Start, Store, Touch
from bot.errors import BotError, NotFound, Transient
from bot.services.jira_admit import WAITING, permitted
from bot.services.patience import Patience, wait_s

_log = logging.getLogger(__name__)
_STARTS = frozenset({"run", "retry"})


class StillEnding(Transient):
    """A run was asked for while another one of the ticket is being cancelled."""


FindRepository = Callable[[str], Awaitable[RepositoryId]]


@dataclass(frozen=True, slots=True)
class HearTickets:
    """One tick over the triggers that are due. `repository` knows what the App is installed for.

    A trigger whose ticket cannot be read now waits, for as long as that takes, and lets the others
    go first.
    """

    store: Store
    tracker: Tracker
    repository: FindRepository
    rules: TicketRules
    patience: Patience = field(default_factory=Patience)

    async def __call__(self) -> None:
        """Deal with what waits."""
        for heard in await asyncio.to_thread(self.store.heard):
            try:
                await self._look(heard)
            except WAITING as error:
                _log.warning("%s waits: %s", heard.trigger.key, error)
                await asyncio.to_thread(self.store.hear_later, heard.id, wait_s(heard.tries))
                continue
            except BotError as error:
                # Nobody can be told on a ticket that cannot be read.
                _log.error("%s is passed over: %s", heard.trigger.key, error)
            except Exception as error:  # noqa: BLE001 - a fault of ours stops no other row
                if not self.patience.ended(f"{heard.trigger.key} ({heard.id})", error):
                    await asyncio.to_thread(self.store.hear_later, heard.id, 0.0)
                    continue
            await asyncio.to_thread(self.store.listened, heard.id)

    async def _look(self, heard: Heard) -> None:
        trigger = heard.trigger
        own = await self.tracker.me()
        ticket = await self.tracker.ticket(trigger.key)
        moment = jira_policy.moment(ticket, trigger, self.rules)
        if moment is None:
            if trigger.cause == "request" and not jira_policy.tells(ticket, self.rules):
                text = words.nobody_known(self.rules.status, self.rules.label)
                await self._say(ticket, trigger, text)
            _log.info("%s asks for nothing: what triggered is not there, or undone", ticket.key)
            return
        if moment.by.id == own.id:
            _log.info("%s asks for nothing: %s is our own account", ticket.key, own.name)
            return
        people = jira_policy.everybody(ticket, moment.by)
        may = await permitted(self.tracker, self.rules, people)
        if moment.by.id not in may:
            await self._say(ticket, trigger, words.refused(moment.by.name))
        elif trigger.cause != "command" or trigger.verb in _STARTS:
            await self._start(ticket, trigger, moment, may - {own.id})
        elif text := await self._obey(ticket, trigger, moment):
            await self._say(ticket, trigger, text)

    async def _start(
        self, ticket: Ticket, trigger: Trigger, moment: Moment, may: frozenset[str]
    ) -> None:
        where = await self._repository(ticket)
        if isinstance(where, NoRepository):
            await self._say(ticket, trigger, words.no_repository(where))
            return
        own = await self.tracker.me()
        hint = commands.again(trigger.argument)[1]
        rule = trigger.cause != "command"
        said = jira_policy.parts(ticket, moment.at, may, own=own.id, hint=hint, by_rule=rule)
        request = _request(ticket, moment, where, said, trigger.argument)
        active = await self._active(ticket)
        before = next((run for run in active if run.request.repository.id == where.id), None)
        if before and before.cancel_requested and before.request.meaning != request.meaning:
            raise StillEnding(f"run {before.id} is being cancelled; the next one begins after it")
        if await self._order(ticket, moment, Start(request)) == "active" and before:
            held = before.status is RunStatus.HELD
            await self._say(ticket, trigger, words.active(before.id, held=held))

    async def _repository(self, ticket: Ticket) -> RepositoryId | NoRepository:
        found = jira_policy.repository(ticket, self.rules)
        if isinstance(found, NoRepository):
            return found
        try:
            return await self.repository(found)
        except NotFound:
            return NoRepository("not installed", (found,))

    async def _obey(self, ticket: Ticket, trigger: Trigger, moment: Moment) -> str:
        """Do what was said to the ticket's runs; what is to be answered, or ""."""
        runs, active = await self._runs(ticket), await self._active(ticket)
        if trigger.verb not in words.VERBS:
            return words.help_text()
        if trigger.verb == "status":
            if not runs:
                return words.no_run("status")
            last = (active or runs)[0]
            held = last.status is RunStatus.HELD
            done = last.status is RunStatus.FINISHED
            return words.ended(last.id, last.outcome) if done else words.active(last.id, held=held)
        if trigger.verb == "push":
            active = [run for run in active if run.status is RunStatus.HELD]
        if not active:
            return words.no_run(trigger.verb)
        verb: Literal["push", "cancel"] = "push" if trigger.verb == "push" else "cancel"
        for run in active:
            touch = Touch(verb, run.request.repository.id, ticket.number, moment.by.name, moment.at)
            await self._order(ticket, moment, touch, run.id)
        return ""  # how each run ends, or goes on, is told by itself

    async def _runs(self, ticket: Ticket) -> list[Run]:
        """Runs of the ticket, in whatever repositories; the newest first."""
        return list(await asyncio.to_thread(self.store.runs, issue=ticket.number))

    async def _active(self, ticket: Ticket) -> list[Run]:
        return [run for run in await self._runs(ticket) if run.status is not RunStatus.FINISHED]

    async def _order(
        self, ticket: Ticket, moment: Moment, order: Start | Touch, what: str = ""
    ) -> str:
        """As a delivery of its own, so that dying here repeats nothing."""
        name = f"{ticket.id}:{moment.id}:{what or _where(order)}"
        delivery = Delivery("acp-jira", name, type(order).__name__.lower(), "")
        return (await asyncio.to_thread(self.store.receive, delivery, order)).outcome

    async def _say(self, ticket: Ticket, trigger: Trigger, text: str) -> None:
        """Say it on the ticket, the same thing once a day: nobody can make us noisy."""
        day = trigger.at[:10]
        mark = hashlib.sha256(f"{ticket.id} {day} {text}".encode()).hexdigest()[:12]
        letter = Letter(f"said:{mark}", ticket.key, f"acp {mark}", f"{text}\n\n_acp {mark}_")
        await asyncio.to_thread(self.store.post, letter)


def _where(order: Start | Touch) -> str:
    return str(order.request.repository.id) if isinstance(order, Start) else ""


def _request(
    ticket: Ticket, moment: Moment, where: RepositoryId, said: tuple[Part, ...], hint: str
) -> RunRequest:
    title, body = said[0].text, "\n\n".join(part.text for part in said[1:])
    asker = Actor(0, moment.by.name, "User")
    return RunRequest(
        origin="jira",
        repository=where,
        issue=ticket.number,
        text=FrozenText(title, body, Actor(0, ticket.creator.name, "User"), hint),
        requester=asker,
        meaning=f"jira:{ticket.id}:{moment.id}:{where.id}",
        at=moment.at,
        ticket=Asked(ticket.key, ticket.url, said, moment.by.id, moment.id),
    )
