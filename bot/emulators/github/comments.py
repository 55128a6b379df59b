"""What can happen to comments and reactions."""

from __future__ import annotations

from bot.emulators.github import view_issues
from bot.emulators.github.events import Actor, emit
from bot.emulators.github.hub import Hub, Json
from bot.emulators.github.issues import touch
from bot.emulators.github.model import Comment, Issue, Reaction, Repository
from bot.emulators.github.rules import checked_body, invalid
from bot.emulators.github.world import NotThere


def _views(hub: Hub, repository: Repository, issue: Issue, comment: Comment) -> Json:
    return {
        "issue": view_issues.issue(hub, repository, issue),
        "comment": view_issues.comment(hub, repository, issue, comment),
    }


def add_comment(hub: Hub, repository: Repository, issue: Issue, actor: Actor, body: str) -> Comment:
    """Comment. Raises Problem for a blank or over-long body."""
    checked_body("IssueComment", body, blank=False)
    now = hub.world.clock.now()
    made = Comment(hub.world.next_id(), actor.account.id, body, now, now, app_id=actor.app_id)
    issue.comments.append(made)
    touch(hub, issue)
    views = _views(hub, repository, issue, made)
    emit(hub, repository, actor, "issue_comment", "created", **views)
    return made


def edit_comment(
    hub: Hub, repository: Repository, comment: Comment, actor: Actor, body: str
) -> None:
    """Change the text. Raises Problem."""
    issue, _ = hub.world.comment(repository, comment.id)
    checked_body("IssueComment", body, blank=False)
    if body == comment.body:
        return
    before, comment.body = comment.body, body
    comment.updated_at = comment.edited_at = hub.world.clock.now()
    changes = {"body": {"from": before}}
    views = _views(hub, repository, issue, comment)
    emit(hub, repository, actor, "issue_comment", "edited", changes=changes, **views)


def delete_comment(hub: Hub, repository: Repository, comment: Comment, actor: Actor) -> None:
    """Delete."""
    issue, _ = hub.world.comment(repository, comment.id)
    views = _views(hub, repository, issue, comment)
    issue.comments.remove(comment)
    emit(hub, repository, actor, "issue_comment", "deleted", **views)


def react(hub: Hub, target: Issue | Comment, actor: Actor, content: str) -> tuple[Reaction, bool]:
    """Add a reaction, and whether it is new: an account reacts once with each content."""
    if content not in view_issues.CONTENTS:
        raise invalid("Reaction", "content", "invalid")
    for known in target.reactions:
        if known.account_id == actor.account.id and known.content == content:
            return known, False
    now = hub.world.clock.now()
    made = Reaction(hub.world.next_id(), actor.account.id, content, now)
    target.reactions.append(made)
    return made, True


def unreact(target: Issue | Comment, reaction_id: int) -> None:
    """Take a reaction back. Raises NotThere."""
    found = next((one for one in target.reactions if one.id == reaction_id), None)
    if found is None:
        raise NotThere
    target.reactions.remove(found)
