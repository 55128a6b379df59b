"""Pull requests and reviews as GitHub's JSON."""

from __future__ import annotations

from bot.emulators.github import gitdiff, view_accounts, view_issues, view_repositories
from bot.emulators.github.hub import Hub, Json, node
from bot.emulators.github.model import Issue, Pull, Repository, Review
from bot.emulators.github.world import NotThere, iso


def pull_of(one: Issue) -> Pull:
    """What makes the issue a pull request. Raises NotThere."""
    if one.pull is None:
        raise NotThere
    return one.pull


def _side(hub: Hub, repository: Repository, ref: str, sha: str) -> Json:
    owner = hub.world.accounts[repository.owner_id]
    return {
        "label": f"{owner.login}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": view_accounts.account(hub, owner),
        "repo": view_repositories.repository(hub, repository),
    }


def pull(hub: Hub, repository: Repository, one: Issue) -> Json:
    """A `pull-request-simple`."""
    it = pull_of(one)
    head_repository = hub.world.repositories[it.head_repository_id]
    api, page = hub.api(repository), view_issues.page_url(hub, repository, one)
    url, issue_url = f"{api}/pulls/{one.number}", f"{api}/issues/{one.number}"
    as_issue = view_issues.issue(hub, repository, one)
    links = {
        "html": page,
        "issue": issue_url,
        "comments": f"{issue_url}/comments",
        "review_comments": f"{url}/comments",
        "review_comment": f"{api}/pulls/comments{{/number}}",
        "commits": f"{url}/commits",
        "statuses": f"{api}/statuses/{it.head_sha}",
    }
    same = ("number", "state", "locked", "title", "user", "body", "labels", "milestone",
            "active_lock_reason", "created_at", "updated_at", "closed_at", "assignee",
            "assignees", "author_association")  # fmt: skip
    return {
        "url": url,
        "id": it.id,
        "node_id": node("PR", it.id),
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        **{name: as_issue[name] for name in same},
        **{f"{name}_url": link for name, link in links.items() if name != "html"},
        "merged_at": iso(it.merged_at),
        "merge_commit_sha": it.merge_sha,
        "requested_reviewers": [view_accounts.maybe(hub, who) for who in it.reviewers],
        "requested_teams": [],
        "draft": it.draft,
        "head": _side(hub, head_repository, it.head, it.head_sha),
        "base": _side(hub, repository, it.base, it.base_sha),
        "_links": {"self": {"href": url}} | {k: {"href": v} for k, v in links.items()},
        "auto_merge": None,
    }


def pull_whole(hub: Hub, repository: Repository, one: Issue) -> Json:
    """A `pull-request`; what git knows is asked of git now."""
    it, store = pull_of(one), hub.world.store(repository)
    fork_point = gitdiff.merge_base(store, it.base_sha, it.head_sha) or it.base_sha
    files = gitdiff.files(store, fork_point, it.head_sha)
    ahead, _ = gitdiff.distance(store, fork_point, it.head_sha)
    mergeable = None
    if one.state == "open":
        mergeable = gitdiff.merged_tree(store, it.base_sha, it.head_sha) is not None
    clean = {None: "unknown", True: "draft" if it.draft else "clean", False: "dirty"}
    return pull(hub, repository, one) | {
        "merged": it.merged_at is not None,
        "mergeable": mergeable,
        "rebaseable": mergeable,
        "mergeable_state": clean[mergeable],
        "merged_by": view_accounts.maybe(hub, it.merged_by),
        "comments": len(one.comments),
        "review_comments": 0,
        "maintainer_can_modify": it.maintainer_can_modify,
        "commits": ahead,
        "additions": sum(file.additions for file in files),
        "deletions": sum(file.deletions for file in files),
        "changed_files": len(files),
    }


def pull_minimal(hub: Hub, repository: Repository, one: Issue) -> Json:
    """A `pull-request-minimal`."""
    it = pull_of(one)
    head_repository = hub.world.repositories[it.head_repository_id]

    def side(where: Repository, ref: str, sha: str) -> Json:
        known = {"id": where.id, "url": hub.api(where), "name": where.name}
        return {"ref": ref, "sha": sha, "repo": known}

    return {
        "url": f"{hub.api(repository)}/pulls/{one.number}",
        "id": it.id,
        "number": one.number,
        "head": side(head_repository, it.head, it.head_sha),
        "base": side(repository, it.base, it.base_sha),
    }


def review(hub: Hub, repository: Repository, one: Issue, it: Review) -> Json:
    """A `pull-request-review`."""
    page = f"{view_issues.page_url(hub, repository, one)}#pullrequestreview-{it.id}"
    url = f"{hub.api(repository)}/pulls/{one.number}"
    return {
        "id": it.id,
        "node_id": node("PRR", it.id),
        "user": view_accounts.maybe(hub, it.author_id),
        "body": it.body,
        "state": it.state,
        "html_url": page,
        "pull_request_url": url,
        "author_association": view_issues.association(hub, repository, it.author_id),
        "_links": {"html": {"href": page}, "pull_request": {"href": url}},
        "submitted_at": iso(it.submitted_at),
        "commit_id": it.commit_id,
    }
