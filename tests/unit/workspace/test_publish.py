"""Commits, and the one new branch in the user's repository."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import CheckoutError, WorkspaceError
from pipeline.workspace.repository import Repository


async def two_commits(repository: Repository) -> tuple[str, str]:
    test = await repository.write(repository.base_tree, "test_app.py", b"def test(): ...\n")
    first = await repository.commit(test, "Add a failing test", parent=repository.base_sha)
    change = await repository.write(test, "app.py", b"print('fixed')\n")
    second = await repository.commit(
        change, "Fix it\n\nWhy: ü", parent=first, author="Ann Lee <ann@example.org>"
    )
    return first, second


async def test_two_commits_arrive_on_a_new_branch(
    repository: Repository, user: Path, git: Any
) -> None:
    first, second = await two_commits(repository)
    await repository.publish_branch(second, "acp/fix-1")
    log = git(user, "log", "--format=%H %an %s", "main..acp/fix-1").decode().splitlines()
    assert log == [
        f"{second} Ann Lee Fix it",
        f"{first} Agentic Coding Pipeline Add a failing test",
    ]
    assert git(user, "show", "acp/fix-1:app.py") == b"print('fixed')\n"
    git(user, "fsck", "--strict")


def without_the_branch(found: dict[str, Any]) -> dict[str, Any]:
    """Leave out the objects, the new ref, and the directories whose time its creation changes."""
    skipped = (".git/objects", ".git/refs/heads/acp")
    times = (".git/refs/heads", ".git", ".git/refs")
    return {
        name: (facts[0], facts[2]) if name in times else facts
        for name, facts in found.items()
        if not name.startswith(skipped)
    }


async def test_nothing_else_of_the_user_changes(
    repository: Repository, user: Path, fingerprint: Any
) -> None:
    (user / "app.py").write_text("work in progress\n")
    _, second = await two_commits(repository)
    before = without_the_branch(fingerprint(user))
    await repository.publish_branch(second, "acp/fix-1")
    assert without_the_branch(fingerprint(user)) == before


@pytest.mark.parametrize("kind", ["linked", "bare", "shallow", "packed"])
async def test_any_kind_of_local_repository_takes_the_branch(
    user: Path, tmp_path: Path, scratch: Path, git: Any, kind: str
) -> None:
    target = tmp_path / kind
    if kind == "linked":
        git(user, "worktree", "add", "-q", str(target), "side")
    elif kind == "packed":
        git(user, "gc", "-q")
        target = user
    else:
        option = "--bare" if kind == "bare" else "--depth=1"
        git(tmp_path, "clone", "-q", option, user.as_uri(), kind)
    async with await Repository.open(str(target), scratch=scratch) as repository:
        _, second = await two_commits(repository)
        await repository.publish_branch(second, "acp/x")
    assert git(target, "rev-parse", "acp/x").decode().strip() == second
    assert git(target, "show", "acp/x:app.py") == b"print('fixed')\n"


async def test_an_existing_or_colliding_branch_is_refused(
    repository: Repository, user: Path, git: Any
) -> None:
    _, second = await two_commits(repository)
    before = git(user, "rev-parse", "side")
    with pytest.raises(CheckoutError, match="has a branch 'side' already: delete it or name"):
        await repository.publish_branch(second, "side")
    assert git(user, "rev-parse", "side") == before
    with pytest.raises(CheckoutError, match="collides with 'side/x'"):
        await repository.publish_branch(second, "side/x")


@pytest.mark.parametrize("name", ["-x", "a b", "a..b", "HEAD", "", "x.lock", "a\nb", "@{-1}", "/x"])
async def test_a_name_that_no_branch_can_have_is_refused(repository: Repository, name: str) -> None:
    with pytest.raises(CheckoutError, match="cannot be the name of a branch"):
        await repository.publish_branch(repository.base_sha, name)


async def test_only_a_local_source_takes_a_branch(
    user: Path, scratch: Path, empty: Repository
) -> None:
    commit = await empty.commit(empty.base_tree, "x", parent="")
    with pytest.raises(CheckoutError, match="on this machine only"):
        await empty.publish_branch(commit, "x")
    async with await Repository.open(user.as_uri(), scratch=scratch / "2") as remote:
        with pytest.raises(CheckoutError, match="on this machine only"):
            await remote.publish_branch(remote.base_sha, "x")


async def test_a_commit_needs_a_message_and_a_real_author(repository: Repository) -> None:
    tree, parent = repository.base_tree, repository.base_sha
    with pytest.raises(WorkspaceError, match="needs a message"):
        await repository.commit(tree, " \n", parent=parent)
    for author in ("Ann", "Ann <a@b>\nX: y", "<a@b>", "Ann <a b>"):
        with pytest.raises(WorkspaceError, match="is not an author"):
            await repository.commit(tree, "x", parent=parent, author=author)
