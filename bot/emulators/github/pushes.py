"""What follows when refs move: push events, and pull requests that go along."""

from __future__ import annotations

from collections.abc import Mapping

from bot.emulators.github import gitdiff, issues
from bot.emulators.github.events import Actor, emit
from bot.emulators.github.gitstore import ZERO, Commit, GitStore
from bot.emulators.github.hub import Hub, Json
from bot.emulators.github.model import Issue, Pull, Repository

_MOST_COMMITS = 20


def refs_changed(
    hub: Hub,
    repository: Repository,
    actor: Actor,
    before: Mapping[str, str],
    after: Mapping[str, str],
) -> None:
    """Announce every branch and tag that differs, and bring open pull requests up to date."""
    for name in sorted(set(before) | set(after)):
        old, new = before.get(name, ZERO), after.get(name, ZERO)
        if old == new or not name.startswith(("refs/heads/", "refs/tags/")):
            continue
        repository.pushed_at = hub.world.clock.now()
        emit(hub, repository, actor, "push", **_push(hub, repository, actor, (name, old, new)))
        if name.startswith("refs/heads/"):
            _follow(hub, repository, actor, name.removeprefix("refs/heads/"), new)


def move_ref(
    hub: Hub, repository: Repository, actor: Actor, name: str, new: str, *, old: str | None = None
) -> None:
    """Set a full ref (new `ZERO`: delete it), with all that follows. Raises GitError."""
    store = hub.world.store(repository)
    before = store.refs()
    if new == ZERO:
        store.drop_ref(name)
    else:
        store.set_ref(name, new, old)
    refs_changed(hub, repository, actor, before, store.refs())


def take_head(hub: Hub, repository: Repository, issue: Issue, pull: Pull) -> None:
    """Give the base repository the commits of a pull request, as `refs/pull/N/head`."""
    store, ref = hub.world.store(repository), f"refs/pull/{issue.number}/head"
    if pull.head_repository_id == repository.id:
        store.set_ref(ref, pull.head_sha)
        return
    source = hub.world.store(hub.world.repositories[pull.head_repository_id])
    store.git("fetch", "-q", str(source.path.resolve()), f"+{pull.head_sha}:{ref}")


def _follow(hub: Hub, repository: Repository, actor: Actor, branch: str, new: str) -> None:
    for home in hub.world.repositories.values():
        for issue in home.issues.values():
            pull = issue.pull
            if pull is None or issue.state != "open":
                continue
            if (pull.head_repository_id, pull.head) == (repository.id, branch):
                _head_moved(hub, home, issue, actor, new)
            elif home is repository and pull.base == branch and new != ZERO:
                pull.base_sha = new


def _head_moved(hub: Hub, home: Repository, issue: Issue, actor: Actor, new: str) -> None:
    pull = issue.pull
    if pull is None:
        return
    if new == ZERO:
        issues.set_state(hub, home, issue, actor, "closed")
        return
    before, pull.head_sha = pull.head_sha, new
    take_head(hub, home, issue, pull)
    issues.touch(hub, issue)
    issues.announce(hub, home, issue, actor, "synchronize", before=before, after=new)


def _push(hub: Hub, repository: Repository, actor: Actor, change: tuple[str, str, str]) -> Json:
    ref, old, new = change
    store, account = hub.world.store(repository), actor.account
    known = f"{old}..{new}" if old != ZERO else new
    commits = store.log(known, limit=_MOST_COMMITS)[::-1] if new != ZERO else []
    listed = [_pushed(hub, repository, store, one) for one in commits]
    return {
        "ref": ref,
        "before": old,
        "after": new,
        "created": old == ZERO,
        "deleted": new == ZERO,
        "forced": ZERO not in (old, new) and not store.is_ancestor(old, new),
        "base_ref": None,
        "compare": f"{hub.web(repository)}/compare/{old[:12]}...{new[:12]}",
        "commits": listed,
        "head_commit": listed[-1] if listed else None,
        "pusher": {"name": account.login, "email": account.email or None},
    }


def _pushed(hub: Hub, repository: Repository, store: GitStore, it: Commit) -> Json:
    files = gitdiff.files(store, it.parents[0], it.sha) if it.parents else []
    by_status = {"added": "added", "removed": "removed"}
    paths: dict[str, list[str]] = {"added": [], "removed": [], "modified": []}
    for file in files:
        paths[by_status.get(file.status, "modified")].append(file.path)
    return {
        "id": it.sha,
        "tree_id": it.tree,
        "distinct": True,
        "message": it.message,
        "timestamp": it.committer.date,
        "url": f"{hub.web(repository)}/commit/{it.sha}",
        "author": {"name": it.author.name, "email": it.author.email},
        "committer": {"name": it.committer.name, "email": it.committer.email},
        **paths,
    }
