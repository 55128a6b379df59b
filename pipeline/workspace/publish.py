"""Commits made by plumbing, and a new branch in the user's own repository."""

from __future__ import annotations

import re

from pipeline.errors import CheckoutError, WorkspaceError
from pipeline.workspace.gitcmd import Git, GitError
from pipeline.workspace.source import LocalRepository

DEFAULT_AUTHOR = "Agentic Coding Pipeline <acp@localhost>"
_AUTHOR = re.compile(r"(?P<name>[^<>\n\0]+) <(?P<email>[^<>\s\0]+)>")


async def commit_tree(
    git: Git, tree: str, message: str, *, parent: str, author: str, at: str = ""
) -> str:
    """The id of a new commit. `parent` "" makes a first commit. Raises WorkspaceError.

    With `at` (ISO 8601) the same content makes the same commit, whenever it is made.
    """
    person = _AUTHOR.fullmatch(author)
    if person is None:
        raise WorkspaceError(f"{author!r} is not an author: write it as 'Name <address>'")
    if not message.strip():
        raise WorkspaceError("a commit needs a message")
    named = git.with_env(GIT_AUTHOR_NAME=person["name"], GIT_AUTHOR_EMAIL=person["email"])
    if at:
        named = named.with_env(GIT_AUTHOR_DATE=at, GIT_COMMITTER_DATE=at)
    parents = ("-p", parent) if parent else ()
    text = message.rstrip("\n") + "\n"
    return await named.line("commit-tree", tree, *parents, "-F", "-", stdin=text.encode())


async def add_branch(git: Git, local: LocalRepository, commit: str, branch: str, base: str) -> None:
    """Copy the commits after `base` into the user's repository and name them as a new branch.

    Not a push: that would run the hooks of the receiver. Objects are unpacked and one ref is
    created, in one step that fails where the branch exists; nothing else of theirs changes.
    Raises CheckoutError.
    """
    ref = f"refs/heads/{branch}"
    await _check_name(git, branch, ref)
    wanted = f"{commit}\n^{base}\n" if base else f"{commit}\n"
    pack = await git.run("pack-objects", "--revs", "--stdout", "-q", stdin=wanted.encode())
    try:
        await local.git.run("unpack-objects", "-q", "--strict", stdin=pack)
        await local.git.run("update-ref", "--stdin", stdin=f"create {ref} {commit}\n".encode())
    except GitError as error:
        raise _explained(error, local.shown, branch) from error


async def _check_name(git: Git, branch: str, ref: str) -> None:
    try:
        await git.run("check-ref-format", ref)
    except GitError:
        raise CheckoutError(f"{branch!r} cannot be the name of a branch") from None
    if branch.startswith("-") or branch == "HEAD":
        raise CheckoutError(f"{branch!r} cannot be the name of a branch")


def _explained(error: GitError, shown: str, branch: str) -> CheckoutError:
    if "reference already exists" in error.stderr:
        return CheckoutError(f"{shown} has a branch {branch!r} already: delete it or name another")
    if "cannot create" in error.stderr and "exists" in error.stderr:
        return CheckoutError(f"{shown} has a branch whose name collides with {branch!r}")
    if "ermission denied" in error.stderr or "Read-only" in error.stderr:
        return CheckoutError(f"{shown} is not writable: the branch {branch!r} cannot be added")
    return CheckoutError(f"the branch {branch!r} cannot be added to {shown}: {error}")
