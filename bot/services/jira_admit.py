"""Whether a ticket's run may begin, and later be pushed; and its text, settled at the trigger."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bot.domain import jira_policy
from bot.domain.jira import Asked, LoginRefused, Person, Tracker
from bot.domain.jira_policy import TicketRules
from bot.domain.jira_text import compose
from bot.domain.policy import Refusal, Rules, Voice
from bot.domain.runs import Run
from bot.errors import BotError, NotFound, OperatorError, Transient

_log = logging.getLogger(__name__)
_MOST_ASKED = 30  # people of one ticket who are looked up in groups
_PATIENCE_S = 90.0
WAITING = (Transient, OperatorError, LoginRefused)
"""What passes, or is mended by the operator: nothing is lost meanwhile."""
UNASKED = (
    "Jira did not answer before the push: whether the ticket still asks for this, and whoever "
    "asked may still do so, was last seen when the run was asked for."
)
Now = Literal["asked for", "withdrawn", "not allowed", "unknown"]


@dataclass(frozen=True, slots=True)
class TicketsNow:
    """Asks the tracker once more, before money is spent and before anything is pushed."""

    tracker: Tracker
    rules: TicketRules
    patience_s: float = _PATIENCE_S

    async def __call__(self, run: Run) -> Now:
        """How a run's ticket stands now. A tracker that is down holds nothing up: "unknown"."""
        try:
            async with asyncio.timeout(self.patience_s):
                return await self._look(run)
        except NotFound:
            return "withdrawn"
        except (BotError, TimeoutError) as error:
            _log.warning("run %s: its ticket was not asked again: %s", run.id, error)
            return "unknown"

    async def _look(self, run: Run) -> Now:
        asked = run.request.ticket
        assert asked is not None
        own = await self.tracker.me()
        ticket = await self.tracker.ticket(asked.key)
        if jira_policy.withdrawn(ticket, asked, run.request.at, self.rules, own.id):
            return "withdrawn"
        asker = Person(asked.by, run.request.requester.login)
        # Whoever released a held run is known by name alone: it was asked for the id at that time.
        people = [asker]
        if run.push_by:
            known = jira_policy.everybody(ticket, asker)
            people = [one for one in known if one.name == run.push_by]
        may = await permitted(self.tracker, self.rules, people)
        return "asked for" if may or not asked.by else "not allowed"


async def permitted(
    tracker: Tracker, rules: TicketRules, people: Sequence[Person]
) -> frozenset[str]:
    """Ids of those who may start runs, by name or by their groups. Raises what passes."""
    may = {one.id for one in people if one.id in rules.people}
    if rules.groups:
        for one in [one for one in people if one.id not in may][:_MOST_ASKED]:
            try:
                groups = await tracker.groups(one)
            except WAITING:
                raise
            except BotError as error:
                # An account that is gone, or whose groups we may not see, may do nothing.
                _log.warning("the groups of %s are not known: %s", one.name, error)
                continue
            if groups & rules.groups:
                may.add(one.id)
    return frozenset(may)


def ticket_refusal(rules: Rules) -> Refusal | None:
    """What the repository's own file says against it. People whom it names are the forge's."""
    if not rules.enabled:
        return Refusal.DISABLED
    return None if rules.people is None else Refusal.NOT_LISTED


def ticket_text(ticket: Asked) -> dict[str, Any]:
    """The frozen text, clean, with all whose words they are: what `Admitted` needs of it."""
    task, stripped = compose(ticket.parts)
    voices = (Voice(p.by, "text", "write" if p.may else "none") for p in ticket.parts)
    return {
        "task": task,
        "digest": hashlib.sha256(task.encode("utf-8", "replace")).hexdigest(),
        "voices": tuple(dict.fromkeys(voices)),
        "stripped": stripped,
    }
