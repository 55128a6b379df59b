"""The whole state of the emulated GitHub, and how things are found in it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from threading import RLock

from bot.emulators.github.gitstore import GitStore
from bot.emulators.github.model import (
    Account,
    App,
    Comment,
    Installation,
    Issue,
    PendingApp,
    Repository,
    Token,
)

BASIC = ("read", "triage", "write", "maintain", "admin")


class Problem(Exception):
    """An answer other than success: HTTP status, message, and GitHub's list of `errors`."""

    def __init__(
        self, status: int, message: str, errors: list[dict[str, object]] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors


class NotThere(Problem):
    """404, which also hides what one may not see."""

    def __init__(self) -> None:
        super().__init__(404, "Not Found")


@dataclass
class Clock:
    """The time that the emulator goes by; it runs, and can be moved and stopped."""

    offset: float = 0.0
    stopped_at: float | None = None

    def now(self) -> float:
        """Seconds since the epoch."""
        return (time.time() if self.stopped_at is None else self.stopped_at) + self.offset

    def stop(self) -> None:
        """Stand still; `advance` still moves it."""
        self.stopped_at = time.time()

    def advance(self, seconds: float) -> None:
        """Move ahead (or back)."""
        self.offset += seconds


def iso(moment: float | None) -> str | None:
    """A time as GitHub writes it."""
    if moment is None:
        return None
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class World:
    """Everything by id, behind one lock. `root` is where bare repositories live."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.lock = RLock()
        self.clock = Clock()
        self.accounts: dict[int, Account] = {}
        self.apps: dict[int, App] = {}
        self.installations: dict[int, Installation] = {}
        self.repositories: dict[int, Repository] = {}
        self.tokens: dict[str, Token] = {}
        self.former_names: dict[str, int] = {}
        self.manifests: dict[str, PendingApp] = {}
        self.private_mode = False  # an Enterprise Server that answers nobody unknown
        self._ids = count(1001)

    def next_id(self) -> int:
        """An id that nothing else has."""
        return next(self._ids)

    def account(self, login: str) -> Account:
        """By login, in any case. Raises NotThere."""
        for one in self.accounts.values():
            if one.login.lower() == login.lower():
                return one
        raise NotThere

    def add_account(self, login: str, kind: str = "User", **more: str) -> Account:
        """A new account. Raises Problem if the login is taken."""
        if any(one.login.lower() == login.lower() for one in self.accounts.values()):
            raise Problem(422, f"login {login} is taken")
        made = Account(self.next_id(), login, kind, self.clock.now(), **more)
        self.accounts[made.id] = made
        return made

    def full_name(self, repository: Repository) -> str:
        """As "owner/name", as of now."""
        return f"{self.accounts[repository.owner_id].login}/{repository.name}"

    def repository(self, full_name: str) -> Repository:
        """By its present name. Raises NotThere."""
        for one in self.repositories.values():
            if self.full_name(one).lower() == full_name.lower():
                return one
        raise NotThere

    def moved(self, full_name: str) -> Repository | None:
        """The repository that once had this name."""
        return self.repositories.get(self.former_names.get(full_name.lower(), 0))

    def store(self, repository: Repository) -> GitStore:
        """The repository's content."""
        return GitStore(self.root / f"{repository.id}.git")

    def issue(self, repository: Repository, number: int) -> Issue:
        """An issue or pull request. Raises NotThere."""
        found = repository.issues.get(number)
        if found is None:
            raise NotThere
        return found

    def pull_issue(self, repository: Repository, number: int) -> Issue:
        """A pull request. Raises NotThere."""
        found = self.issue(repository, number)
        if found.pull is None:
            raise NotThere
        return found

    def comment(self, repository: Repository, comment_id: int) -> tuple[Issue, Comment]:
        """A comment and what it stands under. Raises NotThere."""
        for issue in repository.issues.values():
            for comment in issue.comments:
                if comment.id == comment_id:
                    return issue, comment
        raise NotThere

    def role_name(self, repository: Repository, account: Account) -> str:
        """The role an account really has, custom ones by their name; "none" for strangers."""
        if account.id == repository.owner_id:
            return "admin"
        given = repository.collaborators.get(account.id)
        if given is None:
            return "none" if repository.private else "read"
        return given

    def role(self, repository: Repository, account: Account) -> str:
        """The same as one of the five roles, or "none"."""
        name = self.role_name(repository, account)
        return repository.custom_roles.get(name, name)

    def may(self, repository: Repository, account: Account, role: str) -> bool:
        """Whether the account has at least this role."""
        has = self.role(repository, account)
        return has != "none" and BASIC.index(has) >= BASIC.index(role)

    def installed(self, installation: Installation, repository: Repository) -> bool:
        """Whether an installation covers a repository."""
        if repository.owner_id != installation.account_id:
            return False
        chosen = installation.repository_ids
        return chosen is None or repository.id in chosen

    def installations_of(self, repository: Repository) -> list[Installation]:
        """The installations that cover a repository."""
        found = self.installations.values()
        return [one for one in found if self.installed(one, repository)]
