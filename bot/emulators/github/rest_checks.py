"""REST: check runs and commit statuses."""

from __future__ import annotations

from bot.emulators.github import checks, view_checks, view_repositories
from bot.emulators.github.model import Check, Status
from bot.emulators.github.rest_issues import actor
from bot.emulators.github.wire import Answer, Call, Routes
from bot.emulators.github.world import NotThere, Problem

route = Routes()
_R = "/repos/{owner}/{repo}"
_CHECK = f"{_R}/check-runs/{{check_run_id}}"


def _check(call: Call) -> Check:
    found = call.repository.checks.get(call.number("check_run_id"))
    if found is None:
        raise NotThere
    return found


def _view(call: Call, check: Check, status: int = 200) -> Answer:
    return Answer(status, view_checks.check(call.hub, call.repository, check))


def _sha(call: Call) -> str:
    sha = call.hub.world.store(call.repository).resolve(call.params["ref"])
    if not sha:
        raise Problem(422, f"No commit found for SHA: {call.params['ref']}")
    return sha


@route(f"POST {_R}/check-runs", "checks:write", "write")
def create_check(call: Call) -> Answer:
    """A new check run."""
    call.need("name", str)
    call.need("head_sha", str)
    return _view(call, checks.make_check(call.hub, call.repository, actor(call), call.body), 201)


@route(f"GET {_CHECK}", "checks:read")
def show_check(call: Call) -> Answer:
    """One check run."""
    return _view(call, _check(call))


@route(f"PATCH {_CHECK}", "checks:write", "write")
def change_check(call: Call) -> Answer:
    """Change a check run."""
    check = _check(call)
    checks.update_check(call.hub, call.repository, actor(call), check, call.body)
    return _view(call, check)


@route(f"GET {_CHECK}/annotations", "checks:read")
def list_annotations(call: Call) -> Answer:
    """The annotations of a check run."""
    check, view = _check(call), view_checks.annotation
    found = check.annotations
    return call.listed(found, lambda one: view(call.hub, call.repository, check, one))


@route(f"GET {_R}/commits/{{ref*}}/check-runs", "checks:read")
def list_checks(call: Call) -> Answer:
    """The check runs of a commit, by name and App if asked."""
    sha, query = _sha(call), call.incoming.query
    name, app_id, status = query.get("check_name"), query.get("app_id"), query.get("status")
    found = [
        one
        for one in call.repository.checks.values()
        if one.head_sha == sha
        and name in (None, one.name)
        and app_id in (None, str(one.app_id))
        and status in (None, one.status)
    ]
    view = view_checks.check
    data, headers = call.page(found, lambda one: view(call.hub, call.repository, one))
    return Answer(200, {"total_count": len(found), "check_runs": data}, headers)


def _statuses(call: Call, sha: str) -> list[Status]:
    return [one for one in reversed(call.repository.statuses) if one.sha == sha]


@route(f"POST {_R}/statuses/{{sha}}", "statuses:write")
def create_status(call: Call) -> Answer:
    """A new commit status."""
    call.need("state", str)
    sha = call.params["sha"]
    made = checks.add_status(call.hub, call.repository, actor(call), sha, call.body)
    return Answer(201, view_checks.status(call.hub, call.repository, made))


@route(f"GET {_R}/commits/{{ref*}}/statuses", "statuses:read")
@route(f"GET {_R}/statuses/{{ref*}}", "statuses:read")  # undescribed, and PyGithub's way
def list_statuses(call: Call) -> Answer:
    """The statuses of a commit, newest first."""
    found = _statuses(call, _sha(call))
    return call.listed(found, lambda one: view_checks.status(call.hub, call.repository, one))


@route(f"GET {_R}/commits/{{ref*}}/status", "statuses:read")
def show_status(call: Call) -> Answer:
    """The latest status of each context, and what they come to."""
    sha, repository = _sha(call), call.repository
    latest: dict[str, Status] = {}
    for one in _statuses(call, sha):
        latest.setdefault(one.context, one)
    states = {one.state for one in latest.values()}
    state = "failure" if states & {"failure", "error"} else "pending"
    state = "success" if states == {"success"} else state
    url = f"{call.hub.api(repository)}/commits/{sha}"
    data = {
        "state": state,
        "statuses": [
            view_checks.status_simple(call.hub, repository, one) for one in latest.values()
        ],
        "sha": sha,
        "total_count": len(latest),
        "repository": view_repositories.repository(call.hub, repository),
        "commit_url": url,
        "url": f"{url}/status",
    }
    return Answer(200, data)
