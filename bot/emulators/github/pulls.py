"""What can happen to pull requests: opened, reviewed, merged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.emulators.github import gitdiff, issues, pushes, view_accounts, view_pulls
from bot.emulators.github.events import Actor, emit
from bot.emulators.github.hub import Hub
from bot.emulators.github.model import Issue, Pull, Repository, Review
from bot.emulators.github.rules import checked_body, checked_title, invalid
from bot.emulators.github.view_pulls import pull_of
from bot.emulators.github.world import NotThere, Problem

_STATES = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


@dataclass(frozen=True)
class Proposal:
    """What a new pull request asks for. `head` is "branch" or "owner:branch"."""

    title: str
    head: str
    base: str
    body: str | None = None
    draft: bool = False
    maintainer_can_modify: bool = False


def open_pull(hub: Hub, repository: Repository, actor: Actor, asked: Proposal) -> Issue:
    """Open a pull request. Raises Problem 422 for all that GitHub refuses."""
    head_repository, branch = _head(hub, repository, asked.head)
    head_sha = hub.world.store(head_repository).refs().get(f"refs/heads/{branch}", "")
    base_sha = hub.world.store(repository).refs().get(f"refs/heads/{asked.base}", "")
    if not base_sha:
        raise invalid("PullRequest", "base", "invalid")
    if not head_sha:
        raise invalid("PullRequest", "head", "invalid")
    if asked.draft and not repository.drafts_allowed:
        said = "Draft pull requests are not supported in this repository."
        raise Problem(422, said)
    _refuse_second(hub, repository, head_repository, branch, asked.base)
    checked_title("PullRequest", asked.title)
    checked_body("PullRequest", asked.body)
    pull = Pull(
        id=hub.world.next_id(),
        head_repository_id=head_repository.id,
        head=branch,
        base=asked.base,
        head_sha=head_sha,
        base_sha=base_sha,
        draft=asked.draft,
        maintainer_can_modify=asked.maintainer_can_modify,
    )
    _refuse_empty(hub, repository, asked, pull)
    issue = issues.new_issue(hub, repository, actor, asked.title, asked.body)
    issue.pull = pull
    pushes.take_head(hub, repository, issue, pull)
    issues.announce(hub, repository, issue, actor, "opened")
    return issue


def _head(hub: Hub, repository: Repository, head: str) -> tuple[Repository, str]:
    owner, colon, branch = head.rpartition(":")
    if not colon or owner.lower() == hub.world.accounts[repository.owner_id].login.lower():
        return repository, branch
    family = {repository.id, repository.fork_of}
    for one in hub.world.repositories.values():
        related = one.fork_of in family or one.id in family
        if related and hub.world.accounts[one.owner_id].login.lower() == owner.lower():
            return one, branch
    raise invalid("PullRequest", "head", "invalid")


def _refuse_second(
    hub: Hub, repository: Repository, head_repository: Repository, branch: str, base: str
) -> None:
    for issue in repository.issues.values():
        pull = issue.pull
        if pull is None or issue.state != "open":
            continue
        if (pull.head_repository_id, pull.head, pull.base) == (head_repository.id, branch, base):
            owner = hub.world.accounts[head_repository.owner_id].login
            said = f"A pull request already exists for {owner}:{branch}."
            error: dict[str, object] = {
                "resource": "PullRequest", "code": "custom", "message": said,
            }  # fmt: skip
            raise Problem(422, "Validation Failed", [error])


def _refuse_empty(hub: Hub, repository: Repository, asked: Proposal, pull: Pull) -> None:
    store = hub.world.store(repository)
    source = hub.world.store(hub.world.repositories[pull.head_repository_id])
    if source.path != store.path:
        store.git("fetch", "-q", str(source.path.resolve()), pull.head_sha)
    said = ""
    if not gitdiff.merge_base(store, pull.base_sha, pull.head_sha):
        said = f"The {asked.head} branch has no history in common with {asked.base}"
    elif gitdiff.distance(store, pull.base_sha, pull.head_sha)[0] == 0:
        said = f"No commits between {asked.base} and {asked.head}"
    if said:
        error: dict[str, object] = {"resource": "PullRequest", "code": "custom", "message": said}
        raise Problem(422, "Validation Failed", [error])


def change_base(hub: Hub, issue: Issue, base: str) -> None:
    """Aim a pull request at another branch. Raises Problem."""
    pull = pull_of(issue)
    store = hub.world.store(hub.world.repositories[issue.repository_id])
    sha = store.refs().get(f"refs/heads/{base}")
    if sha is None:
        raise invalid("PullRequest", "base", "invalid")
    pull.base, pull.base_sha = base, sha
    issues.touch(hub, issue)


def merge(hub: Hub, repository: Repository, issue: Issue, actor: Actor, sha: str = "") -> str:
    """Merge by a merge commit; returns its sha. Raises Problem 405 or 409."""
    pull, store = pull_of(issue), hub.world.store(repository)
    if sha and sha != pull.head_sha:
        raise Problem(409, "Head branch was modified. Review and try the merge again.")
    tree = None
    if issue.state == "open" and not pull.draft:
        tree = gitdiff.merged_tree(store, pull.base_sha, pull.head_sha)
    if tree is None:
        raise Problem(405, "Pull Request is not mergeable")
    title = f"Merge pull request #{issue.number} from {pull.head}\n\n{issue.title}"
    made = store.write_commit(tree, [pull.base_sha, pull.head_sha], title)
    repository.signed.add(made)
    pull.merged_at, pull.merged_by, pull.merge_sha = hub.world.clock.now(), actor.account.id, made
    base_sha = pull.base_sha
    pushes.move_ref(hub, repository, actor, f"refs/heads/{pull.base}", made)
    pull.base_sha = base_sha
    issues.set_state(hub, repository, issue, actor, "closed")
    return made


def request_reviewers(
    hub: Hub, repository: Repository, issue: Issue, actor: Actor, logins: Iterable[str]
) -> None:
    """Ask for reviews. Raises Problem 422 if one cannot review here; then nobody is asked."""
    pull = pull_of(issue)
    asked = []
    for login in logins:
        try:
            account = hub.world.account(login)
        except NotThere:
            account = None
        if account is None or account.id not in {*repository.collaborators, repository.owner_id}:
            raise Problem(
                422,
                "Reviews may only be requested from collaborators. One or more of the users or "
                "teams you specified is not a collaborator of the "
                f"{hub.world.full_name(repository)} repository.",
            )
        if account.id == issue.author_id:
            raise Problem(422, "Review cannot be requested from pull request author.")
        asked.append(account)
    for account in asked:
        if account.id not in pull.reviewers:
            pull.reviewers.append(account.id)
            view = view_accounts.account(hub, account)
            kind = "review_requested"
            issues.announce(hub, repository, issue, actor, kind, requested_reviewer=view)


def add_review(
    hub: Hub, repository: Repository, issue: Issue, actor: Actor, event: str, *, body: str = ""
) -> Review:
    """Submit a review ("APPROVE", "REQUEST_CHANGES", "COMMENT"). Raises Problem."""
    pull = pull_of(issue)
    if event not in _STATES:
        raise invalid("PullRequestReview", "event", "invalid")
    if actor.account.id == issue.author_id and event != "COMMENT":
        said = "approve" if event == "APPROVE" else "request changes on"
        raise Problem(422, f"Can not {said} your own pull request")
    now, review_id = hub.world.clock.now(), hub.world.next_id()
    made = Review(review_id, actor.account.id, _STATES[event], body, pull.head_sha, now)
    pull.reviews.append(made)
    if actor.account.id in pull.reviewers:
        pull.reviewers.remove(actor.account.id)
    view = view_pulls.review(hub, repository, issue, made)
    shown = view | {"state": made.state.lower()}
    whole = view_pulls.pull(hub, repository, issue)
    kind = "pull_request_review"
    emit(hub, repository, actor, kind, "submitted", review=shown, pull_request=whole)
    return made
