"""The emulated Jira as tests and demonstrations speak to it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from typing import Any

from bot.emulators.jira import views
from bot.emulators.jira.hooks import Hooks
from bot.emulators.jira.model import Account, Issue, Note, State, Text, Transition, Upload
from bot.emulators.jira.rest import Rest
from bot.emulators.jira.server import Fault, Server


class Clock:
    """The real time, moved on by hand."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._steps = itertools.count(1)

    def __call__(self) -> float:
        """Seconds since the epoch; every look is a millisecond later than the one before."""
        return time.time() + self._ahead + next(self._steps) / 1000

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._ahead += seconds


class JiraEmulator:
    """A Jira that serves from construction to `close`. People act on it by the methods below."""

    def __init__(self, *, cloud: bool = True) -> None:
        self.clock = Clock()
        self.state = State(self.clock)
        self.cloud = cloud
        self._rest = Rest(self.state, cloud=cloud)
        self._server = Server(self._rest)
        self.hooks = Hooks()
        self.url = self._server.url

    def __enter__(self) -> JiraEmulator:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop serving."""
        self._server.close()

    @property
    def asked(self) -> Sequence[str]:
        """Method and path of every request so far."""
        return self._server.asked

    def break_down(
        self,
        status: int,
        *,
        method: str = "",
        path: str = "",
        times: int = 1,
        after: bool = False,
        retry_after: str = "",
    ) -> None:
        """Fail the next requests whose path ends so; `after` their effect, or before it."""
        self._server.faults.append(Fault(method, path, status, times, after, retry_after))

    def mend(self) -> None:
        """No more failures."""
        self._server.faults.clear()

    def account(self, name: str, *groups: str, token: str = "") -> Account:
        """A person; with a token (on Cloud `email:token`), one that can log in."""
        made = Account(f"id-{name.lower()}" if self.cloud else name.lower(), name, groups)
        self.state.accounts[made.id] = made
        if token:
            self.state.tokens[token] = made
        return made

    def field(self, name: str) -> str:
        """A custom field; returns its id."""
        made = f"customfield_{self.state.id()}"
        self.state.custom[made] = name
        return made

    def workflow(self, *steps: Transition) -> None:
        """Another workflow."""
        self.state.workflow = steps

    def hide(self, project: str) -> None:
        """Show a project's tickets to nobody."""
        self.state.hidden.add(project)

    def ticket(
        self, summary: str, description: Text = "", *, by: Account, project: str = "SHOP",
        **more: Any,
    ) -> Issue:  # fmt: skip
        """Make a ticket."""
        keys = (key.rpartition("-") for key in self.state.issues)
        numbers = [int(number) for where, _, number in keys if where == project]
        key = f"{project}-{max(numbers, default=0) + 1}"
        now = self.clock()
        made = Issue(self.state.id(), key, by, now, summary, description, updated=now, **more)
        self.state.issues[key] = made
        self._tell("jira:issue_created", made, by)
        return made

    def edit(self, issue: Issue, by: Account, **fields: str) -> None:
        """Change `summary`, `description` or a custom field."""
        items = []
        for name, value in fields.items():
            if name in {"summary", "description"}:
                items.append((name, views.flat(getattr(issue, name)), value))
                setattr(issue, name, value)
            else:
                items.append((name, str(issue.fields.get(name) or ""), value))
                issue.fields[name] = value
        self._changed(issue, by, *items)

    def move(self, issue: Issue, status: str, by: Account) -> None:
        """Move a ticket to a status; a rule, if there is one, runs."""
        before, issue.status = issue.status, status
        self._changed(issue, by, ("status", before, status))
        self.hooks.rule(self.shown(issue), self.clock())

    def label(self, issue: Issue, label: str, by: Account) -> None:
        """Add a label."""
        before = " ".join(issue.labels)
        issue.labels.append(label)
        self._changed(issue, by, ("labels", before, " ".join(issue.labels)))

    def unlabel(self, issue: Issue, label: str, by: Account) -> None:
        """Take a label off."""
        before = " ".join(issue.labels)
        issue.labels.remove(label)
        self._changed(issue, by, ("labels", before, " ".join(issue.labels)))

    def say(self, issue: Issue, body: Text, by: Account) -> Note:
        """Comment."""
        now = self.clock()
        made = Note(self.state.id(), by, body, now, now)
        issue.notes.append(made)
        shown = views.note(made, "2", cloud=self.cloud) | {"body": body}
        self._tell("comment_created", issue, None, comment=shown)
        return made

    def attach(self, issue: Issue, name: str, data: bytes, by: Account) -> None:
        """Attach a file."""
        issue.uploads.append(Upload(self.state.id(), by, name, data, self.clock()))

    def block(self, issue: Issue, other: Issue) -> None:
        """Say that a ticket is blocked by another."""
        issue.blocks.append(("Blocks", other.key))

    def shown(self, issue: Issue) -> dict[str, Any]:
        """A ticket as it stands in deliveries."""
        return views.issue(self.state, issue, cloud=self.cloud)

    def comments(self, issue: Issue, by: Account) -> list[str]:
        """What somebody has said on a ticket, as it would be read."""
        return [views.flat(one.body) for one in issue.notes if one.by == by]

    def _changed(self, issue: Issue, by: Account, *items: tuple[str, str, str]) -> None:
        entry = self._rest.change(issue, by, *items)
        changelog = {"id": entry.id, "items": views.items(entry)}
        self._tell("jira:issue_updated", issue, by, changelog=changelog)

    def _tell(self, event: str, issue: Issue, by: Account | None, **more: Any) -> None:
        user = {} if by is None else {"user": views.account(by, cloud=self.cloud)}
        said = {"timestamp": int(self.clock() * 1000), "webhookEvent": event, **user, **more}
        self.hooks.webhook({**said, "issue": self.shown(issue)})
