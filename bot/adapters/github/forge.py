"""GitHub as the bot's forge: one repository, seen with the token of one run."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Literal, TypeVar

from bot.adapters.github.forge_api import RepoApi, explained
from bot.adapters.github.forge_checks import Checks
from bot.adapters.github.forge_edits import edits
from bot.adapters.github.forge_git import GitData
from bot.adapters.github.forge_issues import Issues
from bot.adapters.github.forge_objects import Objects
from bot.adapters.github.forge_pulls import Pulls
from bot.adapters.github.http import Refusal
from bot.adapters.github.push import Redirected, Unauthorized, git_environment, push_commit
from bot.domain.forge import (
    CheckRun,
    Comment,
    Edit,
    FileChange,
    Permission,
    PullRequest,
    PushRefused,
)
from bot.domain.runs import Actor
from bot.errors import ForgeUnavailable, NotAllowed

T = TypeVar("T")
_log = logging.getLogger(__name__)


class GitHubForge:
    """The port `Forge` over GitHub's API and git; see the port for what each verb promises.

    Nothing is sent before the first verb. `aclose` revokes the token.
    """

    def __init__(
        self, api: RepoApi, me: Actor, app_id: int, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._api, self._me = api, me
        self._objects = Objects(api, clock)
        self._issues = Issues(api, me)
        self._pulls = Pulls(api, self._objects, me)
        self._checks = Checks(api, self._objects, app_id)
        self._git = GitData(api)

    @property
    def me(self) -> Actor:
        """The App's own bot account."""
        return self._me

    def signature(self, account: Actor | None = None) -> str:
        """`Name <address>` for commits: of an account, or of the App itself."""
        who = account or self._me
        login = "".join(char for char in who.login if char.isprintable() and char not in "<>")
        return f"{login} <{who.id}+{login}@{self._api.http.addresses.noreply}>"

    def clone_url(self) -> str:
        """Where git clones from and pushes to; holds no credential."""
        return f"{self._api.http.addresses.web}/{self._api.name}.git"

    async def permission(self, login: str) -> Permission:
        """See the port."""
        return await self._told("read who may write", self._issues.permission(login))

    async def default_branch(self) -> tuple[str, str]:
        """See the port."""
        return await self._told("read the default branch", self._git.default_branch())

    async def file(self, path: str, ref: str = "") -> bytes | None:
        """See the port."""
        return await self._told(f"read {path}", self._git.file(path, ref))

    async def comments(self, issue: int) -> Sequence[Comment]:
        """See the port."""
        return await self._told(f"read the comments of #{issue}", self._issues.comments(issue))

    async def edits(self, issue: int) -> Sequence[Edit] | None:
        """See the port."""
        try:
            return await edits(self._api, issue)
        except Refusal as refusal:
            _log.warning("%s does not tell who edited #%d: %s", self._api.name, issue, refusal)
            return None

    async def issue_state(self, issue: int) -> tuple[Literal["open", "closed"], frozenset[str]]:
        """See the port."""
        return await self._told(f"read #{issue}", self._issues.state(issue))

    async def upsert_comment(self, issue: int, marker: str, body: str, known_id: int = 0) -> int:
        """See the port."""
        work = self._issues.upsert_comment(issue, marker, body, known_id)
        return await self._told(f"comment on #{issue}", work)

    async def react(self, issue: int, comment_id: int, content: str) -> None:
        """See the port."""
        work = self._issues.react(issue, comment_id, content)
        await self._told(f"react on #{issue}", work)

    async def label(
        self, issue: int, *, add: Sequence[str] = (), remove: Sequence[str] = ()
    ) -> None:
        """See the port."""
        await self._told(f"label #{issue}", self._issues.label(issue, add, remove))

    async def pulls(self, *, head: str = "", closing: int = 0) -> Sequence[PullRequest]:
        """See the port."""
        work = self._pulls.by_head(head) if head else self._pulls.closing(closing)
        return await self._told("read the pull requests", work)

    async def upsert_pull(
        self, *, head: str, base: str, title: str, body: str, draft: bool
    ) -> PullRequest:
        """See the port."""
        work = self._pulls.upsert(head, base, title, body, draft=draft)
        return await self._told(f"open the pull request of {head}", work)

    async def request_reviewers(self, number: int, logins: Sequence[str]) -> None:
        """See the port."""
        work = self._pulls.request_reviewers(number, logins)
        await self._told(f"ask for reviews of #{number}", work)

    async def upsert_check(self, check: CheckRun) -> int:
        """See the port."""
        return await self._told("write the check run", self._checks.upsert(check))

    async def branch_sha(self, branch: str) -> str:
        """See the port."""
        return await self._told(f"read the branch {branch}", self._git.branch_sha(branch))

    async def push(self, git_dir: str, commit: str, branch: str, expected: str) -> None:
        """See the port."""
        self._check_branch(branch)
        if await self.branch_sha(branch) == commit:
            return
        try:
            await self._push(git_dir, commit, (branch, expected))
        except (ForgeUnavailable, PushRefused):
            # the push may have come through, and only its answer was lost
            if await self.branch_sha(branch) != commit:
                raise

    async def _push(self, git_dir: str, commit: str, ref: tuple[str, str]) -> None:
        """Once, and once more where the token or the repository's name was out of date."""
        for last in (False, True):
            token = await self._api.token.value()
            env = git_environment(self._api.http.addresses.web, token)
            try:
                return await push_commit(git_dir, self.clone_url(), commit, ref, env)
            except Unauthorized:
                if last:
                    raise NotAllowed("git refuses the App's token; nothing was pushed") from None
                await self._api.token.discard(token)
            except Redirected:
                if last:
                    raise ForgeUnavailable("git is sent to another address; try again") from None
                await self._told("read the repository", self._api.refresh())
        return None

    async def commit_by_api(
        self,
        branch: str,
        parent: str,
        message: str,
        changes: Sequence[FileChange],
        *,
        replaced: str = "",
    ) -> str:
        """See the port."""
        self._check_branch(branch)
        work = self._git.commit((branch, replaced), parent, message, changes)
        return await self._told(f"commit to {branch}", work)

    async def clone_env(self) -> Mapping[str, str]:
        """See the port."""
        return git_environment(self._api.http.addresses.web, await self._api.token.value())

    async def aclose(self) -> None:
        """See the port."""
        await self._objects.aclose()
        await self._api.token.revoke()

    def _check_branch(self, branch: str) -> None:
        if branch == self._api.default_branch:
            raise PushRefused(
                f"{branch} is the default branch of {self._api.name}; the App never writes there",
                reason="protected",
            )

    async def _told(self, doing: str, work: Awaitable[T]) -> T:
        """What GitHub refuses, in a sentence."""
        try:
            return await work
        except Refusal as refusal:
            raise explained(refusal, doing, self._api.name) from None
