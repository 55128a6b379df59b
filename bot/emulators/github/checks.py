"""What can happen to check runs and statuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.emulators.github import view_checks
from bot.emulators.github.events import Actor, emit
from bot.emulators.github.hub import Hub
from bot.emulators.github.model import Annotation, Check, Repository, Status
from bot.emulators.github.rules import invalid
from bot.emulators.github.world import Problem

MOST_ANNOTATIONS = 50
MOST_CHARACTERS = 65_535
_CONCLUSIONS = (
    "action_required", "cancelled", "failure", "neutral", "success", "skipped", "stale", "timed_out"
)  # fmt: skip


def make_check(hub: Hub, repository: Repository, actor: Actor, fields: Mapping[str, Any]) -> Check:
    """A new check run of the acting App. Raises Problem."""
    if actor.app_id is None:
        raise Problem(403, "You must authenticate via a GitHub App.")
    sha = hub.world.store(repository).resolve(str(fields["head_sha"]))
    if not sha:
        raise Problem(422, f"No commit found for SHA: {fields['head_sha']}")
    check = Check(
        id=hub.world.next_id(),
        suite_id=_suite_id(hub, repository, actor.app_id, sha),
        app_id=actor.app_id,
        name=str(fields["name"]),
        head_sha=sha,
        started_at=hub.world.clock.now(),
    )
    _require(fields.get("output") or {}, "title")
    _apply(hub, check, fields)
    repository.checks[check.id] = check
    _tell(hub, repository, actor, check, "created")
    return check


def update_check(
    hub: Hub, repository: Repository, actor: Actor, check: Check, fields: Mapping[str, Any]
) -> None:
    """Change a check run; annotations add up. Raises Problem."""
    if actor.app_id != check.app_id:
        said = "check run can only be modified by the GitHub App that created it."
        raise Problem(403, f"Invalid app_id `{actor.app_id or 0}` - {said}")
    was = check.status
    _apply(hub, check, fields)
    if was != "completed":
        _tell(hub, repository, actor, check, "")


def rerequest(hub: Hub, repository: Repository, actor: Actor, check: Check) -> None:
    """A person asks for the check run again; the App decides what to do."""
    view = view_checks.check(hub, repository, check)
    emit(hub, repository, actor, "check_run", "rerequested", check_run=view)


def add_status(
    hub: Hub, repository: Repository, actor: Actor, sha: str, fields: Mapping[str, Any]
) -> Status:
    """A commit status. Raises Problem."""
    state = fields["state"]
    if state not in ("error", "failure", "pending", "success"):
        raise invalid("Status", "state", "invalid")
    full = hub.world.store(repository).resolve(sha)
    if not full:
        raise Problem(422, f"No commit found for SHA: {sha}")
    made = Status(
        id=hub.world.next_id(),
        sha=full,
        state=state,
        context=fields.get("context") or "default",
        creator_id=actor.account.id,
        created_at=hub.world.clock.now(),
        description=fields.get("description"),
        target_url=fields.get("target_url"),
    )
    repository.statuses.append(made)
    view = view_checks.status(hub, repository, made)
    emit(hub, repository, actor, "status", **view, name=hub.world.full_name(repository))
    return made


def _suite_id(hub: Hub, repository: Repository, app_id: int, sha: str) -> int:
    for one in repository.checks.values():
        if (one.app_id, one.head_sha) == (app_id, sha):
            return one.suite_id
    return hub.world.next_id()


def _apply(hub: Hub, check: Check, fields: Mapping[str, Any]) -> None:
    output = fields.get("output") or {}
    _check_output(output)
    for name in ("name", "external_id", "details_url"):
        if fields.get(name) is not None:
            setattr(check, name, fields[name])
    for name in ("title", "summary", "text"):
        if output.get(name) is not None:
            setattr(check, name, output[name])
    check.annotations += [_annotation(one) for one in output.get("annotations") or []]
    _move(hub, check, fields.get("status"), fields.get("conclusion"))


def _move(hub: Hub, check: Check, status: str | None, conclusion: str | None) -> None:
    """A conclusion completes; a status short of that opens again."""
    if conclusion is not None and conclusion not in _CONCLUSIONS:
        raise Problem(422, f"Invalid request.\n\n{conclusion} is not a conclusion.")
    if status == "completed" and conclusion is None and check.conclusion is None:
        raise Problem(422, 'Invalid request.\n\n"conclusion" wasn\'t supplied.')
    if conclusion is not None:
        check.status, check.conclusion = "completed", conclusion
        check.completed_at = hub.world.clock.now()
    elif status is not None and status != "completed":
        check.status, check.conclusion, check.completed_at = status, None, None


def _check_output(output: Mapping[str, Any]) -> None:
    _require(output, "summary")
    for name in ("summary", "text"):
        if len(output.get(name) or "") > MOST_CHARACTERS:
            said = (
                f"Only {MOST_CHARACTERS} characters are allowed; {len(output[name])} were supplied."
            )
            raise Problem(422, f"Invalid request.\n\n{said}")
    given = output.get("annotations") or []
    if len(given) > MOST_ANNOTATIONS:
        said = f"No more than {MOST_ANNOTATIONS} items are allowed; {len(given)} were supplied."
        raise Problem(422, f"Invalid request.\n\n{said}")


def _require(output: Mapping[str, Any], name: str) -> None:
    if output and not isinstance(output.get(name), str):
        raise Problem(422, f'Invalid request.\n\n"{name}" wasn\'t supplied.')


def _annotation(fields: Mapping[str, Any]) -> Annotation:
    try:
        return Annotation(**fields)
    except TypeError:
        raise Problem(422, "Invalid request.\n\nAn annotation lacks a field.") from None


def _tell(hub: Hub, repository: Repository, actor: Actor, check: Check, action: str) -> None:
    view = view_checks.check(hub, repository, check)
    if action:
        emit(hub, repository, actor, "check_run", action, check_run=view)
    if check.status != "completed":
        return
    emit(hub, repository, actor, "check_run", "completed", check_run=view)
    suite = [one for one in repository.checks.values() if one.suite_id == check.suite_id]
    if all(one.status == "completed" for one in suite):
        refs = hub.world.store(repository).refs("refs/heads/")
        heads = [name for name, sha in refs.items() if sha == check.head_sha]
        branch = heads[0].removeprefix("refs/heads/") if heads else ""
        shown = view_checks.suite(hub, repository, suite, branch)
        emit(hub, repository, actor, "check_suite", "completed", check_suite=shown)
