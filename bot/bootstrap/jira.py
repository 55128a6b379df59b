"""Jira put together: the lock of its door, and what a worker does about tickets."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

from bot.bootstrap import jira_site
from bot.errors import Misconfigured

if TYPE_CHECKING:
    from bot.adapters.github.client import GitHubApp
    from bot.adapters.jira.tracker import JiraTracker
    from bot.domain.jira import Stage
    from bot.domain.store import Delivery, Order, Store
    from bot.services.jira_admit import TicketsNow
    from bot.settings import Settings

_log = logging.getLogger(__name__)
Lock = tuple[
    Callable[[str], bool],
    Callable[[bytes, str], bool],
    "Callable[[bytes, str, float, bool], tuple[Delivery, Order]]",
]


def jira_lock(settings: Settings) -> Lock | None:
    """How deliveries are told genuine and read; None where neither token nor secret is set."""
    from bot.adapters.jira.webhooks import Keys, Names, has_signature, has_token, read
    from bot.bootstrap.journals import redactor_of
    from bot.domain.cleaning import cleaned

    keys = Keys(*settings.jira_keys())
    if not keys.tokens and not keys.secrets:
        return None
    names = Names(settings.jira_status, settings.label)
    redact = redactor_of(settings)

    def taken(
        body: bytes,
        identifier: str,
        now: float,
        signed: bool,  # noqa: FBT001
    ) -> tuple[Delivery, Order]:
        delivery, order = read(body, names, identifier=identifier, now=now, signed=signed)
        return delivery, cleaned(order, redact)

    return partial(has_token, keys), partial(has_signature, keys), taken


def jira_tracker(settings: Settings) -> JiraTracker:
    """The tracker. Raises Misconfigured."""
    from bot.adapters.jira.tracker import JiraTracker

    return JiraTracker(
        jira_site(settings),
        repository_field=settings.jira_repository_field,
        criteria_field=settings.jira_criteria_field,
    )


def ticket_work(
    settings: Settings, store: Store, app: GitHubApp
) -> tuple[Callable[[], Awaitable[None]], ...]:
    """What a worker does about tickets, tick by tick: hear, and post; nothing without a door.

    A Jira that is set up by half holds up no other runs: what was taken in waits.
    """
    if jira_lock(settings) is None:
        return ()
    if fault := jira_fault(settings):
        _log.error("%s", fault)
        return ()
    from bot.services.jira_hear import HearTickets
    from bot.services.jira_post import PostLetters

    tracker = jira_tracker(settings)
    rules = settings.ticket_rules(settings.label)
    moves: dict[Stage, str] = {
        "started": settings.jira_started,
        "opened": settings.jira_opened,
        "merged": settings.jira_merged,
    }
    return (
        HearTickets(store, tracker, app.repository, rules),
        PostLetters(store, tracker, moves),
    )


def tickets_now(settings: Settings) -> TicketsNow | None:
    """What asks about a run's ticket once more; None where Jira is not set up."""
    if jira_lock(settings) is None or jira_fault(settings):
        return None
    from bot.services.jira_admit import TicketsNow

    return TicketsNow(jira_tracker(settings), settings.ticket_rules(settings.label))


def jira_fault(settings: Settings) -> str:
    """Why tickets wait though the door takes them in, with the mend; "" where nothing is amiss."""
    if jira_lock(settings) is None:
        return ""
    try:
        jira_site(settings)
    except Misconfigured as error:
        return f"tickets are taken in and wait: {error}"
    return ""


async def jira_lacks(settings: Settings) -> tuple[str, ...]:
    """What Jira still lacks, as sentences; nothing where it is not set up."""
    from bot.services.jira_check import unsaid, unseen

    if jira_lock(settings) is None:
        return ()
    rules = settings.ticket_rules(settings.label)
    try:
        seen = await unseen(jira_tracker(settings), rules)
    except Misconfigured as error:
        seen = (str(error),)
    return unsaid(rules) + seen
