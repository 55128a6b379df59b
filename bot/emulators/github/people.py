"""What people do on GitHub's pages, as verbs, and what they see, as queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.emulators.github import checks, comments, issues, pulls, pushes, setting
from bot.emulators.github.events import Actor
from bot.emulators.github.gitstore import ZERO, GitStore, Signature
from bot.emulators.github.hub import Hub
from bot.emulators.github.model import (
    Account,
    App,
    Check,
    Comment,
    Issue,
    Repository,
    Review,
    Status,
)
from bot.emulators.github.world import NotThere


class People:
    """Verbs name who acts by login (`by`), and check no rights: people see only what they may.

    Issues and pull requests are `Issue` records, alive: they show what happens to them later.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def _by(self, login: str) -> Actor:
        return Actor(setting.account(self._hub.world, login, "User"))

    def _home(self, issue: Issue) -> Repository:
        return self._hub.world.repositories[issue.repository_id]

    def open_issue(
        self, full_name: str, title: str, body: str = "", *, by: str, labels: Iterable[str] = ()
    ) -> Issue:
        """Open an issue."""
        with self._hub.world.lock:
            repository = self._hub.world.repository(full_name)
            return issues.open_issue(
                self._hub, repository, self._by(by), title, body=body, labels=labels
            )

    def edit_issue(
        self, issue: Issue, *, by: str, title: str | None = None, body: str | None = None
    ) -> None:
        """Change title or body."""
        given = {"title": title, "body": body}
        with self._hub.world.lock:
            fields = {name: text for name, text in given.items() if text is not None}
            issues.edit_issue(self._hub, self._home(issue), issue, self._by(by), fields)

    def close_issue(self, issue: Issue, *, by: str) -> None:
        """Close an issue or pull request."""
        with self._hub.world.lock:
            issues.set_state(self._hub, self._home(issue), issue, self._by(by), "closed")

    def reopen(self, issue: Issue, *, by: str) -> None:
        """Open it again."""
        with self._hub.world.lock:
            issues.set_state(self._hub, self._home(issue), issue, self._by(by), "open")

    def label(self, issue: Issue, name: str, *, by: str) -> None:
        """Put a label on."""
        with self._hub.world.lock:
            issues.add_labels(self._hub, self._home(issue), issue, self._by(by), [name])

    def unlabel(self, issue: Issue, name: str, *, by: str) -> None:
        """Take a label off."""
        with self._hub.world.lock:
            issues.remove_label(self._hub, self._home(issue), issue, self._by(by), name)

    def comment(self, issue: Issue, body: str, *, by: str) -> Comment:
        """Comment on an issue or pull request."""
        with self._hub.world.lock:
            home = self._home(issue)
            return comments.add_comment(self._hub, home, issue, self._by(by), body)

    def edit_comment(self, issue: Issue, comment: Comment, body: str, *, by: str) -> None:
        """Change a comment's text."""
        with self._hub.world.lock:
            home = self._home(issue)
            comments.edit_comment(self._hub, home, comment, self._by(by), body)

    def delete_comment(self, issue: Issue, comment: Comment, *, by: str) -> None:
        """Delete a comment."""
        with self._hub.world.lock:
            comments.delete_comment(self._hub, self._home(issue), comment, self._by(by))

    def react(self, target: Issue | Comment, content: str, *, by: str) -> None:
        """React."""
        with self._hub.world.lock:
            comments.react(self._hub, target, self._by(by), content)

    def open_pull(
        self, full_name: str, title: str, *, head: str, by: str, base: str = "", body: str = ""
    ) -> Issue:
        """Open a pull request from "branch", or "owner:branch" of a fork."""
        with self._hub.world.lock:
            repository = self._hub.world.repository(full_name)
            asked = pulls.Proposal(title, head, base or repository.default_branch, body)
            return pulls.open_pull(self._hub, repository, self._by(by), asked)

    def merge(self, pull: Issue, *, by: str) -> str:
        """Merge a pull request; returns the merge commit."""
        with self._hub.world.lock:
            return pulls.merge(self._hub, self._home(pull), pull, self._by(by))

    def review(self, pull: Issue, event: str, body: str = "", *, by: str) -> Review:
        """Review: "APPROVE", "REQUEST_CHANGES" or "COMMENT"."""
        with self._hub.world.lock:
            home = self._home(pull)
            return pulls.add_review(self._hub, home, pull, self._by(by), event, body=body)

    def commit(
        self,
        full_name: str,
        branch: str,
        path: str,
        text: str | None,
        *,
        by: str,
        message: str = "",
    ) -> str:
        """Commit one file (None deletes it) to a branch, made from the default one; the sha."""
        with self._hub.world.lock:
            repository = self._hub.world.repository(full_name)
            store, account = self._hub.world.store(repository), self._by(by).account
            refs = store.refs("refs/heads/")
            parent = refs.get(f"refs/heads/{branch}") or refs.get(
                f"refs/heads/{repository.default_branch}", ""
            )
            blob = "" if text is None else store.write_blob(text.encode())
            tree = store.write_tree(parent, [("100644", blob, path)])
            made = store.write_commit(
                tree, [parent] if parent else [], message or f"Edit {path}", _signature(account)
            )
            ref = f"refs/heads/{branch}"
            pushes.move_ref(self._hub, repository, Actor(account), ref, made)
            return made

    def delete_branch(self, full_name: str, branch: str, *, by: str) -> None:
        """Delete a branch; its open pull requests close."""
        with self._hub.world.lock:
            repository = self._hub.world.repository(full_name)
            ref = f"refs/heads/{branch}"
            pushes.move_ref(self._hub, repository, self._by(by), ref, ZERO)

    def run_check(self, full_name: str, sha: str, name: str, conclusion: str, *, app: App) -> Check:
        """A completed check run of another App, say of a CI."""
        with self._hub.world.lock:
            actor = Actor(self._hub.world.accounts[app.bot_id], app.id)
            fields = {"name": name, "head_sha": sha, "conclusion": conclusion}
            repository = self._hub.world.repository(full_name)
            return checks.make_check(self._hub, repository, actor, fields)

    def rerun_check(self, full_name: str, check: Check, *, by: str) -> None:
        """Press "re-run" on a check run."""
        with self._hub.world.lock:
            repository = self._hub.world.repository(full_name)
            checks.rerequest(self._hub, repository, self._by(by), check)

    def store(self, full_name: str) -> GitStore:
        """The bare repository behind a repository."""
        return self._hub.world.store(self._hub.world.repository(full_name))

    def head(self, full_name: str, branch: str = "") -> str:
        """The sha of a branch (default: the default one), or ""."""
        repository = self._hub.world.repository(full_name)
        refs = self._hub.world.store(repository).refs("refs/heads/")
        return refs.get(f"refs/heads/{branch or repository.default_branch}", "")

    def branches(self, full_name: str) -> dict[str, str]:
        """Branches and their heads."""
        refs = self.store(full_name).refs("refs/heads/")
        return {name.removeprefix("refs/heads/"): sha for name, sha in refs.items()}

    def issue(self, full_name: str, number: int) -> Issue:
        """An issue or pull request. Raises NotThere."""
        return self._hub.world.issue(self._hub.world.repository(full_name), number)

    def issues(self, full_name: str) -> Sequence[Issue]:
        """Issues, oldest first, without pull requests."""
        found = self._hub.world.repository(full_name).issues.values()
        return [one for one in found if one.pull is None]

    def pulls(self, full_name: str, *, state: str = "all") -> Sequence[Issue]:
        """Pull requests, oldest first. `state`: "open", "closed" or "all"."""
        found = self._hub.world.repository(full_name).issues.values()
        return [one for one in found if one.pull and state in ("all", one.state)]

    def pull(self, full_name: str, number: int = 0) -> Issue:
        """A pull request by number, or the only one. Raises NotThere."""
        if number:
            return self._hub.world.pull_issue(self._hub.world.repository(full_name), number)
        found = self.pulls(full_name)
        if len(found) != 1:
            raise NotThere
        return found[0]

    def comments(self, issue: Issue) -> Sequence[tuple[str, str]]:
        """(login, body) of every comment, oldest first."""
        accounts = self._hub.world.accounts
        return [(accounts[one.author_id].login, one.body) for one in issue.comments]

    def reactions(self, target: Issue | Comment) -> Sequence[tuple[str, str]]:
        """(login, content) of every reaction."""
        accounts = self._hub.world.accounts
        return [(accounts[one.account_id].login, one.content) for one in target.reactions]

    def check_runs(self, full_name: str, sha: str = "") -> Sequence[Check]:
        """Check runs, oldest first, of one commit if given."""
        found = self._hub.world.repository(full_name).checks.values()
        return [one for one in found if sha in ("", one.head_sha)]

    def statuses(self, full_name: str) -> Sequence[Status]:
        """Commit statuses, oldest first."""
        return tuple(self._hub.world.repository(full_name).statuses)

    def page(self, issue: Issue) -> str:
        """Where a browser shows an issue or pull request."""
        kind = "issues" if issue.pull is None else "pull"
        return f"{self._hub.web(self._home(issue))}/{kind}/{issue.number}"


def _signature(account: Account) -> Signature:
    email = account.email or f"{account.id}+{account.login}@users.noreply.github.com"
    return Signature(account.name or account.login, email, "")
