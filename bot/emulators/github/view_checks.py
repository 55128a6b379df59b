"""Check runs, check suites and commit statuses as GitHub's JSON."""

from __future__ import annotations

from urllib.parse import quote

from bot.emulators.github import view_accounts, view_pulls
from bot.emulators.github.hub import Hub, Json, node
from bot.emulators.github.model import Annotation, Check, Repository, Status
from bot.emulators.github.world import iso


def _pulls(hub: Hub, repository: Repository, sha: str) -> list[Json]:
    return [
        view_pulls.pull_minimal(hub, repository, issue)
        for issue in repository.issues.values()
        if issue.pull is not None and issue.state == "open" and issue.pull.head_sha == sha
    ]


def check(hub: Hub, repository: Repository, one: Check) -> Json:
    """A `check-run`."""
    url = f"{hub.api(repository)}/check-runs/{one.id}"
    return {
        "id": one.id,
        "name": one.name,
        "node_id": node("CR", one.id),
        "head_sha": one.head_sha,
        "external_id": one.external_id,
        "url": url,
        "html_url": f"{hub.web(repository)}/runs/{one.id}",
        "details_url": one.details_url or hub.world.apps[one.app_id].external_url or hub.url,
        "status": one.status,
        "conclusion": one.conclusion,
        "started_at": iso(one.started_at),
        "completed_at": iso(one.completed_at),
        "output": {
            "title": one.title,
            "summary": one.summary,
            "text": one.text,
            "annotations_count": len(one.annotations),
            "annotations_url": f"{url}/annotations",
        },
        "check_suite": {"id": one.suite_id},
        "app": view_accounts.app(hub, hub.world.apps[one.app_id]),
        "pull_requests": _pulls(hub, repository, one.head_sha),
    }


def annotation(hub: Hub, repository: Repository, one: Check, it: Annotation) -> Json:
    """A `check-annotation`."""
    blob = f"{hub.api(repository)}/git/blobs/{one.head_sha}/{quote(it.path)}"
    return vars(it) | {"blob_href": blob}


def suite(hub: Hub, repository: Repository, checks: list[Check], branch: str) -> Json:
    """A `check_suite` as webhooks show it; it holds at least one check run."""
    first = checks[0]
    url = f"{hub.api(repository)}/check-suites/{first.suite_id}"
    bad = [one.conclusion for one in checks if one.conclusion not in ("success", "neutral")]
    head = hub.world.store(repository).commit(first.head_sha)
    done = all(one.status == "completed" for one in checks)
    return {
        "id": first.suite_id,
        "node_id": node("CS", first.suite_id),
        "head_branch": branch,
        "head_sha": first.head_sha,
        "status": "completed" if done else "in_progress",
        "conclusion": (bad[0] if bad else "success") if done else None,
        "url": url,
        "before": None,
        "after": first.head_sha,
        "pull_requests": _pulls(hub, repository, first.head_sha),
        "app": view_accounts.app(hub, hub.world.apps[first.app_id]),
        "created_at": iso(first.started_at),
        "updated_at": iso(first.completed_at or first.started_at),
        "latest_check_runs_count": len(checks),
        "check_runs_url": f"{url}/check-runs",
        "head_commit": {
            "id": head.sha,
            "tree_id": head.tree,
            "message": head.message,
            "timestamp": head.committer.date,
            "author": {"name": head.author.name, "email": head.author.email},
            "committer": {"name": head.committer.name, "email": head.committer.email},
        },
    }


def status_simple(hub: Hub, repository: Repository, one: Status) -> Json:
    """A `simple-commit-status`."""
    return {
        "url": f"{hub.api(repository)}/statuses/{one.sha}",
        "avatar_url": f"{hub.url}/avatars/u/{one.creator_id}?v=4",
        "id": one.id,
        "node_id": node("SC", one.id),
        "state": one.state,
        "description": one.description,
        "target_url": one.target_url,
        "context": one.context,
        "created_at": iso(one.created_at),
        "updated_at": iso(one.created_at),
    }


def status(hub: Hub, repository: Repository, one: Status) -> Json:
    """A `status`."""
    creator = view_accounts.maybe(hub, one.creator_id)
    return status_simple(hub, repository, one) | {"creator": creator}
