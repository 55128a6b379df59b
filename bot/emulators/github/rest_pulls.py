"""REST: pull requests, reviewers and reviews."""

from __future__ import annotations

from bot.emulators.github import gitdiff, issues, pulls, view_accounts, view_git, view_pulls
from bot.emulators.github.model import Issue, Review
from bot.emulators.github.rest_issues import actor
from bot.emulators.github.view_pulls import pull_of
from bot.emulators.github.wire import NO_CONTENT, Answer, Call, Routes
from bot.emulators.github.world import NotThere, Problem

route = Routes()
_PULLS = "/repos/{owner}/{repo}/pulls"
_PULL = f"{_PULLS}/{{pull_number}}"


def _pull(call: Call) -> Issue:
    return call.hub.world.pull_issue(call.repository, call.number("pull_number"))


def _whole(call: Call, issue: Issue, status: int = 200) -> Answer:
    return Answer(status, view_pulls.pull_whole(call.hub, call.repository, issue))


@route(f"GET {_PULLS}", "pull_requests:read")
def list_pulls(call: Call) -> Answer:
    """Pull requests by state, head ("owner:branch") and base, newest first."""
    query, world = call.incoming.query, call.hub.world
    state, head, base = query.get("state", "open"), query.get("head", ""), query.get("base", "")

    def fits(one: Issue) -> bool:
        if one.pull is None or state not in ("all", one.state):
            return False
        owner = world.accounts[world.repositories[one.pull.head_repository_id].owner_id].login
        named = f"{owner}:{one.pull.head}"
        # a head without an owner is no filter on GitHub
        return (":" not in head or head.lower() == named.lower()) and base in ("", one.pull.base)

    found = [one for one in reversed(call.repository.issues.values()) if fits(one)]
    if query.get("direction") == "asc":
        found.reverse()
    return call.listed(found, lambda one: view_pulls.pull(call.hub, call.repository, one))


@route(f"POST {_PULLS}", "pull_requests:write", "read")
def create_pull(call: Call) -> Answer:
    """Open a pull request."""
    asked = pulls.Proposal(
        title=call.need("title", str),
        head=call.need("head", str),
        base=call.need("base", str),
        body=call.get("body", str),
        draft=call.get("draft", bool) or False,
        maintainer_can_modify=call.get("maintainer_can_modify", bool) or False,
    )
    return _whole(call, pulls.open_pull(call.hub, call.repository, actor(call), asked), 201)


@route(f"GET {_PULL}", "pull_requests:read")
def show_pull(call: Call) -> Answer:
    """One pull request; as a diff if that is what is accepted."""
    issue = _pull(call)
    if "diff" in call.incoming.headers.get("accept", ""):
        it, store = pull_of(issue), call.hub.world.store(call.repository)
        start = gitdiff.merge_base(store, it.base_sha, it.head_sha)
        text = store.git("diff", "--no-color", start, it.head_sha)
        return Answer(200, text, {"Content-Type": "application/vnd.github.diff; charset=utf-8"})
    return _whole(call, issue)


@route(f"PATCH {_PULL}", "pull_requests:write", "read")
def change_pull(call: Call) -> Answer:
    """Change text, state or base; authors may, and those with write."""
    issue, hub = _pull(call), call.hub
    if call.app_id is None and call.account.id != issue.author_id:
        role = "write"
        if not hub.world.may(call.repository, call.account, role):
            raise Problem(403, f"Must have {role} access to repository")
    given = {name: call.get(name, str) for name in ("title", "body") if name in call.body}
    issues.edit_issue(hub, call.repository, issue, actor(call), given)
    if (base := call.get("base", str)) is not None:
        pulls.change_base(hub, issue, base)
    if (state := call.get("state", str)) is not None:
        if state == "open" and pull_of(issue).merged_at is not None:
            raise Problem(422, "Validation Failed")
        issues.set_state(hub, call.repository, issue, actor(call), state)
    return _whole(call, issue)


@route(f"GET {_PULL}/commits", "pull_requests:read")
def list_commits(call: Call) -> Answer:
    """The commits of a pull request, oldest first."""
    it, store = pull_of(_pull(call)), call.hub.world.store(call.repository)
    found = store.log(f"{it.base_sha}..{it.head_sha}")[::-1]
    return call.listed(found, lambda one: view_git.commit(call.hub, call.repository, one))


@route(f"GET {_PULL}/files", "pull_requests:read")
def list_files(call: Call) -> Answer:
    """The files of a pull request, from the merge base on."""
    it, store = pull_of(_pull(call)), call.hub.world.store(call.repository)
    start = gitdiff.merge_base(store, it.base_sha, it.head_sha)
    found, view = gitdiff.files(store, start, it.head_sha), view_git.diff_entry
    return call.listed(found, lambda one: view(call.hub, call.repository, one, it.head_sha))


@route(f"GET {_PULL}/merge", "pull_requests:read")
def is_merged(call: Call) -> Answer:
    """204 if merged, else 404."""
    if pull_of(_pull(call)).merged_at is None:
        raise NotThere
    return Answer(NO_CONTENT)


@route(f"PUT {_PULL}/merge", "contents:write")
def merge(call: Call) -> Answer:
    """Merge."""
    expected = call.get("sha", str) or ""
    sha = pulls.merge(call.hub, call.repository, _pull(call), actor(call), expected)
    said = "Pull Request successfully merged"
    return Answer(200, {"sha": sha, "merged": True, "message": said})


_REVIEWERS = f"{_PULL}/requested_reviewers"


@route(f"GET {_REVIEWERS}", "pull_requests:read")
def list_reviewers(call: Call) -> Answer:
    """Who is asked to review."""
    people = [view_accounts.maybe(call.hub, one) for one in pull_of(_pull(call)).reviewers]
    return Answer(200, {"users": people, "teams": []})


@route(f"POST {_REVIEWERS}", "pull_requests:write", "triage")
def request_reviewers(call: Call) -> Answer:
    """Ask for reviews."""
    issue, logins = _pull(call), call.get("reviewers", list) or []
    pulls.request_reviewers(call.hub, call.repository, issue, actor(call), logins)
    return Answer(201, view_pulls.pull(call.hub, call.repository, issue))


@route(f"DELETE {_REVIEWERS}", "pull_requests:write", "triage")
def remove_reviewers(call: Call) -> Answer:
    """Ask no more."""
    issue, logins = _pull(call), call.need("reviewers", list)
    pull, accounts = pull_of(issue), call.hub.world.accounts
    pull.reviewers = [one for one in pull.reviewers if accounts[one].login not in logins]
    return Answer(200, view_pulls.pull(call.hub, call.repository, issue))


def _review(call: Call, issue: Issue, one: Review) -> Answer:
    return Answer(200, view_pulls.review(call.hub, call.repository, issue, one))


@route(f"GET {_PULL}/reviews", "pull_requests:read")
def list_reviews(call: Call) -> Answer:
    """Reviews, oldest first."""
    issue, view = _pull(call), view_pulls.review
    found = pull_of(issue).reviews
    return call.listed(found, lambda one: view(call.hub, call.repository, issue, one))


@route(f"POST {_PULL}/reviews", "pull_requests:write", "read")
def create_review(call: Call) -> Answer:
    """Review."""
    issue, event = _pull(call), call.get("event", str) or "COMMENT"
    body = call.get("body", str) or ""
    made = pulls.add_review(call.hub, call.repository, issue, actor(call), event, body=body)
    return _review(call, issue, made)


@route(f"GET {_PULL}/reviews/{{review_id}}", "pull_requests:read")
def show_review(call: Call) -> Answer:
    """One review."""
    issue = _pull(call)
    for one in pull_of(issue).reviews:
        if one.id == call.number("review_id"):
            return _review(call, issue, one)
    raise NotThere
