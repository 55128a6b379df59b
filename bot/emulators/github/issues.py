"""What can happen to issues: opened, edited, closed, labelled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bot.emulators.github import view_issues, view_pulls, view_repositories
from bot.emulators.github.events import Actor, emit
from bot.emulators.github.hub import Hub, Json
from bot.emulators.github.model import Edit, Issue, Label, Repository
from bot.emulators.github.rules import checked_body, checked_title, invalid
from bot.emulators.github.world import NotThere


def announce(
    hub: Hub, repository: Repository, issue: Issue, actor: Actor, action: str, **more: Any
) -> None:
    """Tell of an issue as `issues`, of a pull request as `pull_request`."""
    if issue.pull is None:
        view: Json = {"issue": view_issues.issue(hub, repository, issue)}
        emit(hub, repository, actor, "issues", action, **view, **more)
        return
    whole = view_pulls.pull_whole(hub, repository, issue)
    view = {"number": issue.number, "pull_request": whole}
    emit(hub, repository, actor, "pull_request", action, **view, **more)


def new_issue(
    hub: Hub, repository: Repository, actor: Actor, title: str, body: str | None
) -> Issue:
    """A numbered issue in its repository, not yet announced. Raises Problem."""
    now = hub.world.clock.now()
    issue = Issue(
        id=hub.world.next_id(),
        number=max(repository.issues, default=0) + 1,
        repository_id=repository.id,
        author_id=actor.account.id,
        title=checked_title("Issue", title),
        body=checked_body("Issue", body),
        created_at=now,
        updated_at=now,
        app_id=actor.app_id,
    )
    repository.issues[issue.number] = issue
    return issue


def open_issue(
    hub: Hub,
    repository: Repository,
    actor: Actor,
    title: str,
    *,
    body: str | None = None,
    labels: Iterable[str] = (),
) -> Issue:
    """Open an issue; labels given with it are announced one by one. Raises Problem."""
    issue = new_issue(hub, repository, actor, title, body)
    announce(hub, repository, issue, actor, "opened")
    add_labels(hub, repository, issue, actor, labels)
    return issue


def edit_issue(
    hub: Hub, repository: Repository, issue: Issue, actor: Actor, fields: Mapping[str, str | None]
) -> None:
    """Change title, body or both. Raises Problem."""
    kind = "Issue" if issue.pull is None else "PullRequest"
    changes: Json = {}
    if "title" in fields and (title := fields["title"] or "") != issue.title:
        checked_title(kind, title)
        changes["title"] = {"from": issue.title}
    if "body" in fields and checked_body(kind, fields["body"]) != issue.body:
        changes["body"] = {"from": issue.body or ""}
    if not changes:
        return
    now, editor = hub.world.clock.now(), actor.account.id
    for what, change in changes.items():
        issue.edits.append(Edit(what, editor, now, change["from"], fields[what] or ""))
    issue.title = (fields["title"] or "") if "title" in changes else issue.title
    issue.body = fields["body"] if "body" in changes else issue.body
    touch(hub, issue)
    announce(hub, repository, issue, actor, "edited", changes=changes)


def set_state(
    hub: Hub, repository: Repository, issue: Issue, actor: Actor, state: str, *, reason: str = ""
) -> None:
    """Close or reopen. Raises Problem."""
    if state not in ("open", "closed"):
        raise invalid("Issue", "state", "invalid")
    if state == issue.state:
        return
    issue.state = state
    closed = state == "closed"
    issue.closed_at = hub.world.clock.now() if closed else None
    issue.closed_by = actor.account.id if closed else None
    if issue.pull is None:
        issue.state_reason = (reason or "completed") if closed else "reopened"
    touch(hub, issue)
    announce(hub, repository, issue, actor, "closed" if closed else "reopened")


def touch(hub: Hub, issue: Issue) -> None:
    """Note that the issue has changed."""
    issue.updated_at = hub.world.clock.now()


def label_of(hub: Hub, repository: Repository, name: str) -> Label:
    """The repository's label of that name (in any case), made if there is none."""
    for known in repository.labels.values():
        if known.name.lower() == name.lower():
            return known
    return add_label(hub, repository, name)


def add_label(
    hub: Hub, repository: Repository, name: str, color: str = "ededed", description: str = ""
) -> Label:
    """A new label of the repository."""
    label = Label(hub.world.next_id(), name, color, description or None)
    repository.labels[name] = label
    return label


def add_labels(
    hub: Hub, repository: Repository, issue: Issue, actor: Actor, names: Iterable[str]
) -> None:
    """Put labels on an issue; those that it has already change nothing."""
    for name in names:
        label = label_of(hub, repository, name)
        if label.name in issue.labels:
            continue
        issue.labels.append(label.name)
        touch(hub, issue)
        view = view_repositories.label(hub, repository, label)
        announce(hub, repository, issue, actor, "labeled", label=view)


def remove_label(hub: Hub, repository: Repository, issue: Issue, actor: Actor, name: str) -> None:
    """Take a label off. Raises NotThere if the issue does not have it."""
    found = next((one for one in issue.labels if one.lower() == name.lower()), None)
    if found is None:
        raise NotThere
    issue.labels.remove(found)
    touch(hub, issue)
    view = view_repositories.label(hub, repository, repository.labels[found])
    announce(hub, repository, issue, actor, "unlabeled", label=view)
