"""The forge's port: the few verbs that the bot needs of GitHub, in our own words.

All verbs are async, bounded in time and safe to repeat: what makes something looks first.
Errors: NotFound, NotAllowed, RateLimited, ForgeUnavailable, Misconfigured (`bot.errors`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from bot.domain.runs import Actor
from bot.errors import NotAllowed

Permission = Literal["admin", "maintain", "write", "triage", "read", "none"]
MAY_WRITE: frozenset[str] = frozenset({"admin", "maintain", "write"})
PushReason = Literal["signature", "moved", "protected", "workflow", "secret", "size"]


class PushRefused(NotAllowed):
    """A branch was not changed. `moved`: somebody else pushed there, and was not overwritten."""

    def __init__(self, message: str, *, reason: PushReason) -> None:
        super().__init__(message)
        self.reason = reason

    @property
    def needs_signature(self) -> bool:
        """Whether a commit through the API, which the forge signs, would be taken."""
        return self.reason == "signature"


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment. `edited_at` is "" if it was never edited; times are ISO 8601 in UTC."""

    id: int
    author: Actor
    body: str
    created_at: str
    edited_at: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of an issue's title or body. Of deleted accounts the editor is "ghost", id 0."""

    editor: Actor
    at: str


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request. `head_owner` tells forks."""

    number: int
    url: str
    state: Literal["open", "closed", "merged"]
    draft: bool
    head: str
    head_sha: str
    base: str
    author: Actor
    body: str
    head_owner: str = ""


@dataclass(frozen=True, slots=True)
class Annotation:
    """One line note of a check run."""

    path: str
    line: int
    level: Literal["notice", "warning", "failure"]
    message: str


@dataclass(frozen=True, slots=True)
class CheckRun:
    """What a check run shows. `text` is cut to 65,535 characters by the adapter, head and tail."""

    name: str
    head_sha: str
    external_id: str
    status: Literal["queued", "in_progress", "completed"]
    conclusion: Literal["", "success", "failure", "neutral", "cancelled", "action_required"] = ""
    title: str = ""
    summary: str = ""
    text: str = ""
    annotations: tuple[Annotation, ...] = ()
    details_url: str = ""


@dataclass(frozen=True, slots=True)
class FileChange:
    """One path of a commit made through the API; `data` None deletes. `mode` is git's."""

    path: str
    mode: int
    data: bytes | None


class Forge(Protocol):
    """One repository of the forge, seen with one run's token."""

    @property
    def me(self) -> Actor:
        """The bot's own account."""

    def signature(self, account: Actor | None = None) -> str:
        """`Name <address>` for commits and co-authors: of an account, or of the bot itself."""

    def clone_url(self) -> str:
        """Where git clones from and pushes to; holds no credential."""

    async def permission(self, login: str) -> Permission:
        """The real permission of an account; "none" for strangers."""

    async def default_branch(self) -> tuple[str, str]:
        """Name and head sha; the sha is "" while the repository is empty."""

    async def file(self, path: str, ref: str = "") -> bytes | None:
        """A file of `ref` (default: the default branch), or None."""

    async def comments(self, issue: int) -> Sequence[Comment]:
        """Every comment of an issue or pull request, oldest first.

        `edited_at` is the time of the last change of any kind: late rather than missed.
        """

    async def edits(self, issue: int) -> Sequence[Edit] | None:
        """Every change of title and body; None where the forge does not tell of all of them."""

    async def issue_state(self, issue: int) -> tuple[Literal["open", "closed"], frozenset[str]]:
        """State and label names, as they are now. The task's text is never read again."""

    async def upsert_comment(self, issue: int, marker: str, body: str, known_id: int = 0) -> int:
        """Edit our comment that carries the hidden `marker`, or make it; returns its id.

        Only comments of our own bot account are ever taken for ours. A body of more than 60,000
        bytes is cut, head and tail; the same text is not sent again.
        """

    async def react(self, issue: int, comment_id: int, content: str) -> None:
        """Add a reaction ("eyes", "rocket", "confused") to the comment, or to the issue if 0."""

    async def label(
        self, issue: int, *, add: Sequence[str] = (), remove: Sequence[str] = ()
    ) -> None:
        """Add and remove labels."""

    async def pulls(self, *, head: str = "", closing: int = 0) -> Sequence[PullRequest]:
        """Pull requests by head branch (any state, newest first), or open ones that close an issue.

        Closing is read from their text; links made by hand are not seen.
        """

    async def upsert_pull(
        self, *, head: str, base: str, title: str, body: str, draft: bool
    ) -> PullRequest:
        """The open pull request of `head`, made or updated; a plain one where drafts are refused.

        One that somebody else opened is returned as it is.
        """

    async def request_reviewers(self, number: int, logins: Sequence[str]) -> None:
        """Ask for reviews; people who cannot review are left out."""

    async def upsert_check(self, check: CheckRun) -> int:
        """Create or update the check run of this external id and sha; 0 if not permitted."""

    async def branch_sha(self, branch: str) -> str:
        """The head of a branch, or ""."""

    async def push(self, git_dir: str, commit: str, branch: str, expected: str) -> None:
        """Push with a lease: `expected` is the sha that the branch must have ("" for a new one).

        A branch that is at `commit` already is left so. `git_dir` was never in an agent's hands.
        Raises PushRefused: a ruleset wants signatures, somebody else pushed, a rule forbids it.
        """

    async def commit_by_api(
        self,
        branch: str,
        parent: str,
        message: str,
        changes: Sequence[FileChange],
        *,
        replaced: str = "",
    ) -> str:
        """Make a commit on `parent` by the API, which the forge signs, and put the branch on it.

        The branch must be at `parent`, or at `replaced`, a commit of ours that makes way, or not
        exist. Returns the sha; the same commit made before is found again. Raises PushRefused where
        somebody else pushed.
        """

    async def clone_env(self) -> Mapping[str, str]:
        """Environment for git with the credential, host-scoped; never in an argument or URL."""

    async def aclose(self) -> None:
        """Revoke the token, give connections back."""
