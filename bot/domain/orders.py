"""What deliveries ask of the store, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from bot.domain.jira import Trigger
from bot.domain.runs import Actor, RepositoryId, RunRequest

_AGAIN = ":again"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook delivery. `source` is "github" or "jira"; `id` its GUID; `digest` of its body."""

    source: str
    id: str
    event: str
    digest: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a delivery. `run_id` is the run it started, touched or met, or "".

    "duplicate": this GUID or this meaning was taken in before; "active": the issue has a run that
    has not finished; "applied": it was done, or will be answered; "ignored": nothing to do.
    """

    outcome: Literal["started", "duplicate", "active", "applied", "ignored"]
    run_id: str = ""


@dataclass(frozen=True, slots=True)
class Start:
    """Start a run, unless its meaning was seen or the issue has an active run.

    A request without an issue (`issue` 0) never meets an active run. A comment's that meets one is
    asked, as `Say`; so is a label's where that run is being cancelled. The label set again within
    the second in which it was taken off is a trigger of its own.
    """

    request: RunRequest


@dataclass(frozen=True, slots=True)
class Touch:
    """Tell the active run of an issue something: cancel it, or release it from its hold.

    A push applies to a held run alone; for any other it is ignored. `at` is when it was said (ISO
    8601; "" where that is not known): it can come late, and means no run that was asked for after.
    """

    verb: Literal["cancel", "push"]
    repository_id: int
    issue: int
    by: str
    at: str = ""

    def too_early(self, asked_at: str) -> bool:
        """Whether it was said before the run was asked for."""
        said, asked = _time(self.at), _time(asked_at)
        return said is not None and asked is not None and said < asked


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Cancel every active run of an installation, or of some of its repositories."""

    installation_id: int
    repository_ids: tuple[int, ...] | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Settle:
    """A pull request of ours was merged or closed: the ticket it was opened for is told.

    A run of that ticket that is still active is cancelled, as one of an issue is.
    """

    repository_id: int
    number: int
    url: str
    by: str
    at: str
    merged: bool


@dataclass(frozen=True, slots=True)
class Nothing:
    """Remember the delivery, do nothing. `reason` is for the operator's log."""

    reason: str


@dataclass(frozen=True, slots=True)
class Say:
    """A command that a worker answers, once it has looked up what the sender may do.

    `verb` is one of `bot.domain.commands.Verb`; `number` is the issue's, or the pull request's
    where `on_pull` is set. `meaning`: two deliveries with one meaning are answered once. `request`
    is the run that was asked for while another one of the issue was going on.
    """

    verb: str
    repository: RepositoryId
    number: int
    comment_id: int
    sender: Actor
    argument: str
    meaning: str
    at: str
    on_pull: bool = False
    request: RunRequest | None = None


@dataclass(frozen=True, slots=True)
class Hear:
    """A trigger at a ticket: a worker looks at the ticket, then starts a run or says why not."""

    trigger: Trigger


def asked_again(request: RunRequest) -> Say:
    """A run that was asked for while another one is going on, as a command to be answered."""
    return Say(
        verb="run",
        repository=request.repository,
        number=request.issue,
        comment_id=request.comment_id,
        sender=request.requester,
        argument=request.text.hint,
        meaning=request.meaning,
        at=request.at,
        request=request,
    )


def label_again(request: RunRequest) -> RunRequest | None:
    """The same label once more, after it was taken off; None where it was so once already.

    The forge's times are seconds, so that both have the same meaning.
    """
    if not request.label or request.meaning.endswith(_AGAIN):
        return None
    return replace(request, meaning=request.meaning + _AGAIN)


def _time(at: str) -> datetime | None:
    """A moment, or None where the text is none."""
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


Order = Start | Touch | Withdraw | Nothing | Say | Hear | Settle


@dataclass(frozen=True, slots=True)
class Asked:
    """A command that waits for its answer. `tries` counts how often it was put off."""

    id: str
    say: Say
    tries: int = 0
