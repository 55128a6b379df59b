"""Reads tickets for the command line, as the worker reads and cleans them."""

from __future__ import annotations

from bot.adapters.jira.client import JiraSite
from bot.adapters.jira.tracker import JiraTracker
from bot.domain.jira_policy import parts
from bot.domain.jira_text import compose
from bot.domain.refs import JiraKey
from bot.domain.task import Task
from bot.errors import Misconfigured


class JiraTickets:
    """The port `TicketReader` over the jira library."""

    def __init__(self, site: JiraSite, *, criteria_field: str = "") -> None:
        self._site = site
        self._tracker = JiraTracker(site, criteria_field=criteria_field)

    def read(self, key: JiraKey) -> Task:
        """The ticket as a task. Raises NotFound, NotAllowed, Transient, Misconfigured."""
        if key.host not in {"", self._site.host}:
            raise Misconfigured(
                f"{key} is on {key.host}, but JIRA_BASE_URL is {self._site.url}; "
                f"set JIRA_BASE_URL=https://{key.host} and the token of that site"
            )
        ticket = self._site.call(
            lambda jira: self._tracker.read(jira, str(key), remarks=False), str(key)
        )
        # Whoever runs this reads the ticket as it is now, and answers for it.
        said = parts(ticket, _NOW, (), own="")
        text, _ = compose(said)
        title, _, body = text.partition("\n\n")
        return Task(title, body, ticket.key, ticket.url)


_NOW = "9999-12-31T00:00:00+00:00"
