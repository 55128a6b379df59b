"""What the services need of the world, in their own words."""

from __future__ import annotations

from typing import Protocol

from bot.domain.refs import IssueRef, JiraKey, RepoRef
from bot.domain.task import Task


class IssueReader(Protocol):
    """A forge, as far as reading an issue goes. Blocking: async callers use a thread."""

    def read(self, ref: IssueRef) -> Task:
        """The issue as a task. Raises NotFound, NotAllowed, Transient, Misconfigured."""

    def clone_url(self, repo: RepoRef) -> str:
        """Where the repository is cloned from; holds no credentials. Raises Misconfigured."""


class TicketReader(Protocol):
    """A tracker, as far as reading a ticket goes. Blocking: async callers use a thread."""

    def read(self, key: JiraKey) -> Task:
        """The ticket as a task. Raises NotFound, NotAllowed, Transient, Misconfigured."""
