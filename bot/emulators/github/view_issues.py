"""Issues, comments and reactions as GitHub's JSON."""

from __future__ import annotations

from collections import Counter

from bot.emulators.github import view_accounts, view_repositories
from bot.emulators.github.hub import Hub, Json, node
from bot.emulators.github.model import Comment, Issue, Reaction, Repository
from bot.emulators.github.world import iso

CONTENTS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")


def association(hub: Hub, repository: Repository, account_id: int) -> str:
    """How an author stands to a repository: not what they may do."""
    if account_id == repository.owner_id:
        return "OWNER"
    if account_id in repository.collaborators:
        organised = hub.world.accounts[repository.owner_id].kind == "Organization"
        return "MEMBER" if organised else "COLLABORATOR"
    mine = (one.pull for one in repository.issues.values() if one.author_id == account_id)
    merged = any(pull is not None and pull.merged_at is not None for pull in mine)
    return "CONTRIBUTOR" if merged else "NONE"


def reaction(hub: Hub, one: Reaction) -> Json:
    """A `reaction`."""
    return {
        "id": one.id,
        "node_id": node("REA", one.id),
        "user": view_accounts.maybe(hub, one.account_id),
        "content": one.content,
        "created_at": iso(one.created_at),
    }


def rollup(url: str, reactions: list[Reaction]) -> Json:
    """A `reaction-rollup`."""
    counts = Counter(one.content for one in reactions)
    found = {content: counts[content] for content in CONTENTS}
    return {"url": f"{url}/reactions", "total_count": len(reactions), **found}


def issue_url(hub: Hub, repository: Repository, number: int) -> str:
    """The resource of an issue or pull request as an issue."""
    return f"{hub.api(repository)}/issues/{number}"


def page_url(hub: Hub, repository: Repository, issue: Issue) -> str:
    """The page of an issue or pull request."""
    kind = "issues" if issue.pull is None else "pull"
    return f"{hub.web(repository)}/{kind}/{issue.number}"


def comment(hub: Hub, repository: Repository, issue: Issue, one: Comment) -> Json:
    """An `issue-comment`."""
    url = f"{hub.api(repository)}/issues/comments/{one.id}"
    return {
        "url": url,
        "html_url": f"{page_url(hub, repository, issue)}#issuecomment-{one.id}",
        "issue_url": issue_url(hub, repository, issue.number),
        "id": one.id,
        "node_id": node("IC", one.id),
        "user": view_accounts.maybe(hub, one.author_id),
        "created_at": iso(one.created_at),
        "updated_at": iso(one.updated_at),
        "body": one.body,
        "author_association": association(hub, repository, one.author_id),
        "reactions": rollup(url, one.reactions),
        "performed_via_github_app": view_accounts.maybe_app(hub, one.app_id),
    }


def labels(hub: Hub, repository: Repository, issue: Issue) -> list[Json]:
    """The labels of an issue."""
    known = (repository.labels[name] for name in issue.labels if name in repository.labels)
    return [view_repositories.label(hub, repository, one) for one in known]


def issue(hub: Hub, repository: Repository, one: Issue) -> Json:
    """An `issue`; a pull request shows itself by the key `pull_request`."""
    url = issue_url(hub, repository, one.number)
    assignees = [view_accounts.maybe(hub, who) for who in one.assignees]
    data: Json = {
        "url": url,
        "repository_url": hub.api(repository),
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "html_url": page_url(hub, repository, one),
        "id": one.id,
        "node_id": node("I", one.id),
        "number": one.number,
        "title": one.title,
        "user": view_accounts.maybe(hub, one.author_id),
        "labels": labels(hub, repository, one),
        "state": one.state,
        "locked": False,
        "assignee": assignees[0] if assignees else None,
        "assignees": assignees,
        "milestone": None,
        "comments": len(one.comments),
        "created_at": iso(one.created_at),
        "updated_at": iso(one.updated_at),
        "closed_at": iso(one.closed_at),
        "closed_by": view_accounts.maybe(hub, one.closed_by),
        "author_association": association(hub, repository, one.author_id),
        "active_lock_reason": None,
        "body": one.body,
        "reactions": rollup(url, one.reactions),
        "timeline_url": f"{url}/timeline",
        "performed_via_github_app": view_accounts.maybe_app(hub, one.app_id),
        "state_reason": one.state_reason,
    }
    return data | _as_pull(hub, repository, one)


def _as_pull(hub: Hub, repository: Repository, one: Issue) -> Json:
    if one.pull is None:
        return {}
    page = page_url(hub, repository, one)
    links = {
        "url": f"{hub.api(repository)}/pulls/{one.number}",
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "merged_at": iso(one.pull.merged_at),
    }
    return {"draft": one.pull.draft, "pull_request": links}
