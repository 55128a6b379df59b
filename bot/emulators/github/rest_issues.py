"""REST: issues, their labels, comments and reactions."""

from __future__ import annotations

from typing import Any

from bot.emulators.github import comments, issues, view_issues
from bot.emulators.github.events import Actor
from bot.emulators.github.guard import check
from bot.emulators.github.hub import Json
from bot.emulators.github.model import Comment, Issue
from bot.emulators.github.wire import NO_CONTENT, Answer, Call, Routes
from bot.emulators.github.world import NotThere, Problem, iso

route = Routes()
_R = "/repos/{owner}/{repo}"
_ISSUE = f"{_R}/issues/{{issue_number}}"
_COMMENT = f"{_R}/issues/comments/{{comment_id}}"
_READ, _WRITE = "issues:read|pull_requests:read", "issues:write|pull_requests:write"


def actor(call: Call) -> Actor:
    """Who acts."""
    return Actor(call.account, call.app_id)


def _issue(call: Call) -> Issue:
    return call.hub.world.issue(call.repository, call.number("issue_number"))


def _comment(call: Call) -> Comment:
    return call.hub.world.comment(call.repository, call.number("comment_id"))[1]


def _writable(call: Call, issue: Issue) -> Issue:
    """Issues need `issues`, pull requests either of the two. Raises Problem 403."""
    if issue.pull is None and call.app_id is not None:
        check(call.hub.world, call.caller, call.repository, {"issues": "write"})
    return issue


def _view(call: Call, issue: Issue) -> Json:
    return view_issues.issue(call.hub, call.repository, issue)


def _names(call: Call) -> list[str]:
    body: Any = call.body
    given = body.get("labels") if isinstance(body, dict) else body
    if not isinstance(given, list):
        raise Problem(422, 'Invalid request.\n\n"labels" wasn\'t supplied.')
    return [str(one["name"]) if isinstance(one, dict) else str(one) for one in given]


@route(f"GET {_R}/issues", "issues:read")
def list_issues(call: Call) -> Answer:
    """Issues and pull requests, newest first."""
    query = call.incoming.query
    state, creator = query.get("state", "open"), query.get("creator", "").lower()
    wanted = {one for one in query.get("labels", "").split(",") if one}
    accounts = call.hub.world.accounts
    found = [
        one
        for one in reversed(call.repository.issues.values())
        if state in ("all", one.state)
        and wanted <= set(one.labels)
        and creator in ("", accounts[one.author_id].login.lower())
        and (iso(one.updated_at) or "") >= query.get("since", "")
    ]
    return call.listed(found, lambda one: _view(call, one))


@route(f"POST {_R}/issues", "issues:write", "read")
def create_issue(call: Call) -> Answer:
    """Open an issue; labels of people without triage are dropped in silence."""
    labels = _names(call) if call.get("labels", list) else []
    if call.app_id is None and not call.hub.world.may(call.repository, call.account, "triage"):
        labels = []
    title, body = call.need("title", str), call.get("body", str)
    made = issues.open_issue(
        call.hub, call.repository, actor(call), title, body=body, labels=labels
    )
    return Answer(201, _view(call, made))


@route(f"GET {_ISSUE}", _READ)
def show_issue(call: Call) -> Answer:
    """One issue or pull request."""
    return Answer(200, _view(call, _issue(call)))


@route(f"PATCH {_ISSUE}", _WRITE, "read")
def change_issue(call: Call) -> Answer:
    """Change text, state or labels; authors may, and those with triage."""
    issue, world = _writable(call, _issue(call)), call.hub.world
    if call.app_id is None and call.account.id != issue.author_id:
        check(world, call.caller, call.repository, {"issues": "write"}, "triage")
    given = {name: call.get(name, str) for name in ("title", "body") if name in call.body}
    issues.edit_issue(call.hub, call.repository, issue, actor(call), given)
    if (call.get("labels", list)) is not None:
        _set_labels(call, issue, _names(call))
    if (state := call.get("state", str)) is not None:
        reason = call.get("state_reason", str) or ""
        issues.set_state(call.hub, call.repository, issue, actor(call), state, reason=reason)
    return Answer(200, _view(call, issue))


def _set_labels(call: Call, issue: Issue, names: list[str]) -> None:
    kept = {name.lower() for name in names}
    for name in [one for one in issue.labels if one.lower() not in kept]:
        issues.remove_label(call.hub, call.repository, issue, actor(call), name)
    issues.add_labels(call.hub, call.repository, issue, actor(call), names)


def _labels(call: Call, issue: Issue) -> Answer:
    return Answer(200, view_issues.labels(call.hub, call.repository, issue))


@route(f"GET {_ISSUE}/labels", _READ)
def list_labels(call: Call) -> Answer:
    """The labels of an issue."""
    return _labels(call, _issue(call))


@route(f"POST {_ISSUE}/labels", _WRITE, "triage")
def add_labels(call: Call) -> Answer:
    """Add labels."""
    issue = _writable(call, _issue(call))
    issues.add_labels(call.hub, call.repository, issue, actor(call), _names(call))
    return _labels(call, issue)


@route(f"PUT {_ISSUE}/labels", _WRITE, "triage")
def set_labels(call: Call) -> Answer:
    """Set the labels."""
    issue = _writable(call, _issue(call))
    _set_labels(call, issue, _names(call))
    return _labels(call, issue)


@route(f"DELETE {_ISSUE}/labels", _WRITE, "triage")
def clear_labels(call: Call) -> Answer:
    """Take all labels off."""
    _set_labels(call, _writable(call, _issue(call)), [])
    return Answer(NO_CONTENT)


@route(f"DELETE {_ISSUE}/labels/{{name*}}", _WRITE, "triage")
def remove_label(call: Call) -> Answer:
    """Take one label off. Raises Problem 404 if it is not on."""
    issue = _writable(call, _issue(call))
    try:
        issues.remove_label(call.hub, call.repository, issue, actor(call), call.params["name"])
    except NotThere:
        raise Problem(404, "Label does not exist") from None
    return _labels(call, issue)


@route(f"GET {_ISSUE}/comments", _READ)
def list_comments(call: Call) -> Answer:
    """Comments, oldest first; `since` looks at the last update."""
    issue, since = _issue(call), call.incoming.query.get("since", "")
    found = [one for one in issue.comments if (iso(one.updated_at) or "") >= since]
    view = view_issues.comment
    return call.listed(found, lambda one: view(call.hub, call.repository, issue, one))


@route(f"POST {_ISSUE}/comments", _WRITE, "read")
def create_comment(call: Call) -> Answer:
    """Comment."""
    issue = _writable(call, _issue(call))
    body = call.need("body", str)
    made = comments.add_comment(call.hub, call.repository, issue, actor(call), body)
    url = f"{call.hub.api(call.repository)}/issues/comments/{made.id}"
    view = view_issues.comment(call.hub, call.repository, issue, made)
    return Answer(201, view, {"Location": url})


@route(f"GET {_COMMENT}", _READ)
def show_comment(call: Call) -> Answer:
    """One comment."""
    issue, comment = call.hub.world.comment(call.repository, call.number("comment_id"))
    return Answer(200, view_issues.comment(call.hub, call.repository, issue, comment))


def _own(call: Call, comment: Comment) -> Comment:
    """One's own comment; those of others need the write role, and no App may. Raises Problem."""
    if comment.author_id != call.account.id:
        if call.app_id is not None:
            raise Problem(403, "Resource not accessible by integration")
        check(call.hub.world, call.caller, call.repository, {"issues": "write"}, "write")
    return comment


@route(f"PATCH {_COMMENT}", _WRITE, "read")
def change_comment(call: Call) -> Answer:
    """Edit a comment."""
    comment = _own(call, _comment(call))
    body = call.need("body", str)
    comments.edit_comment(call.hub, call.repository, comment, actor(call), body)
    return show_comment(call)


@route(f"DELETE {_COMMENT}", _WRITE, "read")
def delete_comment(call: Call) -> Answer:
    """Delete a comment."""
    comments.delete_comment(call.hub, call.repository, _own(call, _comment(call)), actor(call))
    return Answer(NO_CONTENT)


def _target(call: Call) -> Issue | Comment:
    return _comment(call) if "comment_id" in call.params else _issue(call)


@route(f"GET {_ISSUE}/reactions", _READ)
@route(f"GET {_COMMENT}/reactions", _READ)
def list_reactions(call: Call) -> Answer:
    """Reactions, of one content if asked."""
    wanted = call.incoming.query.get("content")
    found = [one for one in _target(call).reactions if wanted in (None, one.content)]
    return call.listed(found, lambda one: view_issues.reaction(call.hub, one))


@route(f"POST {_ISSUE}/reactions", _WRITE, "read")
@route(f"POST {_COMMENT}/reactions", _WRITE, "read")
def react(call: Call) -> Answer:
    """React: 201, or 200 if one has already."""
    content = call.need("content", str)
    made, new = comments.react(call.hub, _target(call), actor(call), content)
    return Answer(201 if new else 200, view_issues.reaction(call.hub, made))


@route(f"DELETE {_ISSUE}/reactions/{{reaction_id}}", _WRITE, "read")
@route(f"DELETE {_COMMENT}/reactions/{{reaction_id}}", _WRITE, "read")
def unreact(call: Call) -> Answer:
    """Take a reaction of one's own back. Raises Problem 404."""
    target, wanted = _target(call), call.number("reaction_id")
    if not any(r.id == wanted and r.account_id == call.account.id for r in target.reactions):
        raise NotThere
    comments.unreact(target, wanted)
    return Answer(NO_CONTENT)
