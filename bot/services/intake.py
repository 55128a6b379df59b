"""From what was asked to what is to be done: the task, and the repository it is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.domain.ports import IssueReader, TicketReader
from bot.domain.refs import IssueRef, JiraKey
from bot.domain.task import Task
from bot.errors import UserError


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked, as it was written; the same four fields at every door."""

    repo: str | None = None
    github: str | None = None
    jira: str | None = None
    task: str | None = None


@dataclass(frozen=True, slots=True)
class Intake:
    """`repo` is a URL, a local path, or None for an empty tree."""

    task: Task
    repo: str | None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TakeIn:
    """Resolves a request. A reader is made when it is needed: unused ones need no set-up."""

    issues: Callable[[], IssueReader]
    tickets: Callable[[], TicketReader]

    def __call__(self, request: Request) -> Intake:
        """A GitHub issue goes before a Jira ticket, that before a text. Blocks; raises BotError.

        Without a repository, a GitHub issue's own repository is meant.
        """
        if request.github is not None:
            ref = IssueRef.parse(request.github)
            issues = self.issues()
            repo = issues.clone_url(ref.repo) if request.repo is None else request.repo
            return Intake(issues.read(ref), repo, _ignored(request))
        if request.jira is not None:
            key = JiraKey.parse(request.jira)
            return Intake(self.tickets().read(key), request.repo, _ignored(request))
        if request.task is None:
            raise UserError("there is no task; give a text, --github owner/repo#7 or --jira KEY-1")
        return Intake(Task.from_text(request.task), request.repo)


def _ignored(request: Request) -> tuple[str, ...]:
    """What a higher source of the task overrules."""
    used = "--jira" if request.github is None else "--github"
    given = [] if request.github is None or request.jira is None else ["--jira"]
    given += [] if request.task is None else ["TASK"]
    return (f"{' and '.join(given)} not used: the task comes from {used}",) if given else ()
