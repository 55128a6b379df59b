"""Tickets of a tracker, in our own words: what is heard of them, read of them and told on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from bot.errors import NotAllowed

FIRST_NUMBER = 2**40
"""A ticket stands in a run's `issue` as this plus its id: no forge numbers its issues so high."""


class LoginRefused(NotAllowed):
    """The tracker does not take our login: nothing is lost by that, it waits for a new one."""


Cause = Literal["request", "status", "label", "created", "command"]
Stage = Literal["", "started", "opened", "merged"]


@dataclass(frozen=True, slots=True)
class Person:
    """An account. `id` is the accountId on Cloud and the user name on Data Center; "" nobody."""

    id: str
    name: str


NOBODY = Person("", "nobody")


@dataclass(frozen=True, slots=True)
class Trigger:
    """What a delivery said of a ticket. Nothing of it but `key` is believed without a look.

    `by` and `change` are set where the delivery was signed: who did it, and the id of the entry in
    the ticket's history. `verb`, `argument` and `comment` belong to a command. `at`: ISO 8601.
    """

    cause: Cause
    key: str
    at: str
    by: Person = NOBODY
    change: str = ""
    comment: str = ""
    verb: str = ""
    argument: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """A trigger that waits until a worker has looked at its ticket; put off `tries` times."""

    id: str
    trigger: Trigger
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """One field of one entry of a ticket's history."""

    id: str
    at: str
    by: Person
    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment on a ticket, as Markdown. `edited_at` is `at` where it was never edited.

    `editor` wrote it as it reads now, None for its author: others may be allowed to edit it.
    """

    id: str
    by: Person
    text: str
    at: str
    edited_at: str
    editor: Person | None = None

    @property
    def writer(self) -> Person:
        """Whose words it is now."""
        return self.by if self.editor is None else self.editor


@dataclass(frozen=True, slots=True)
class Attached:
    """A file of a ticket."""

    name: str
    size: int
    by: Person
    at: str


@dataclass(frozen=True, slots=True)
class Linked:
    """Another ticket, and what it is to this one ("is blocked by")."""

    how: str
    key: str
    title: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as it is now; all texts are Markdown. `repository` is the custom field's value.

    `closed`: its status is one of those in which the tracker takes a ticket for done.
    """

    id: int
    key: str
    url: str
    title: str
    text: str
    project: str
    status: str
    labels: tuple[str, ...]
    components: tuple[str, ...]
    creator: Person
    created_at: str
    repository: str = ""
    criteria: str = ""
    attached: tuple[Attached, ...] = ()
    linked: tuple[Linked, ...] = ()
    remarks: tuple[Remark, ...] = ()
    changes: tuple[Change, ...] = ()
    closed: bool = False

    @property
    def number(self) -> int:
        """What stands in a run's `issue`."""
        return FIRST_NUMBER + self.id


@dataclass(frozen=True, slots=True)
class Part:
    """One text of a task, whose words they are, and whether that one may start runs."""

    heading: str
    text: str
    by: str
    may: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """The ticket of a run, frozen at its trigger. The title and description come first.

    `by` is the id of whoever asked, `moment` names what they did in the ticket's history.
    """

    key: str
    url: str
    parts: tuple[Part, ...]
    by: str = ""
    moment: str = ""


@dataclass(frozen=True, slots=True)
class WebLink:
    """A link on a ticket. The same `global_id` again changes the link and makes no second one."""

    global_id: str
    url: str
    title: str


@dataclass(frozen=True, slots=True)
class Letter:
    """What is to be told on a ticket. Two letters of one `name` are one.

    `mark` stands visibly at the end of the comment, by which it is known to be there already.
    `text` is Markdown; `file` becomes an attachment called `file_name`.
    """

    name: str
    key: str
    mark: str
    text: str
    file_name: str = ""
    file: str = ""
    link: WebLink | None = None
    stage: Stage = ""


@dataclass(frozen=True, slots=True)
class Posting:
    """A letter on its way. `tries` counts how often it was taken up, this time included."""

    id: str
    letter: Letter
    tries: int


class Mailbox(Protocol):
    """The store's part for tickets: triggers in, letters out. See `Store` for what it promises."""

    def heard(self, limit: int = 20) -> Sequence[Heard]:
        """Triggers that are due, the one that was due first before the others."""

    def hear_later(self, heard_id: str, seconds: float) -> None:
        """Look at a trigger again after that time; meanwhile others have their turn."""

    def listened(self, heard_id: str) -> None:
        """A trigger has been dealt with. Idempotent."""

    def post(self, letter: Letter) -> None:
        """Put a letter into the outbox, once."""

    def post_for(self, run_id: str, epoch: int, letter: Letter) -> None:
        """The same for a run. Raises Fenced."""

    def due(self, lease_s: float, limit: int = 20) -> Sequence[Posting]:
        """Take up the letters that are due, oldest first; one at a time for each ticket.

        Nobody else is given them for `lease_s` seconds.
        """

    def posted(self, posting_id: str) -> None:
        """A letter has arrived, or never will. Idempotent."""

    def put_off(self, posting_id: str, seconds: float) -> None:
        """Try a letter again after that time."""


class Tracker(Protocol):
    """A tracker. Async, bounded in time, safe to repeat: what makes something looks first.

    Errors: NotFound, NotAllowed, LoginRefused, RateLimited, ForgeUnavailable, Misconfigured.
    """

    async def me(self) -> Person:
        """The account that we log in with."""

    async def ticket(self, key: str) -> Ticket:
        """A ticket with its comments and its history."""

    async def groups(self, person: Person) -> frozenset[str]:
        """Names of the groups that an account is in."""

    async def said(self, key: str, mark: str) -> bool:
        """Whether our own account has left a comment that holds the mark."""

    async def say(self, key: str, text: str) -> None:
        """Comment, in Markdown."""

    async def attach(self, key: str, name: str, text: str) -> None:
        """Attach a file, unless there is one by that name."""

    async def link(self, key: str, link: WebLink) -> None:
        """Make or change a link."""

    async def move(self, key: str, status: str) -> str:
        """Move a ticket to a status, by the name of the transition or of the status.

        Returns "" where it is there now, else half a sentence that says why it is not.
        """

    async def search(self, jql: str, limit: int = 50) -> Sequence[str]:
        """Keys of the tickets that a query finds."""

    async def aclose(self) -> None:
        """Give connections back."""
