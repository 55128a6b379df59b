"""Git for scripts and custom agents, on a repository of one's own: commit some paths, list changes.

These helpers act as the user in the user's work tree, with their identity, configuration and hooks.
They are not for trees that a model or a stranger wrote; `pipeline.workspace` is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import WorkspaceError

if TYPE_CHECKING:
    from git import Repo


def commit(paths: Sequence[str | Path], message: str, *, repo: str | Path = ".") -> str:
    """Commit these paths and nothing else; returns the commit's id.

    Paths are relative to `repo` (any directory of the repository), or absolute; new, changed and
    deleted files work alike, and directories stand for all below them. What else is staged stays
    staged. Raises WorkspaceError with a sentence that says what to do.
    """
    if not paths:
        raise WorkspaceError("there are no paths to commit: name at least one")
    if not message.strip():
        raise WorkspaceError("a commit needs a message")
    with _opened(repo) as opened:
        names = _names(opened, Path(repo), paths)
        if not opened.git.status("--porcelain", "-z", "--untracked-files=all", "--", *names):
            raise WorkspaceError(
                "there is nothing to commit: these paths are as in the last commit"
            )
        opened.git.add("--all", "--", *names)
        opened.git.commit("--quiet", "--only", "--message", message, "--", *names)
        return opened.head.commit.hexsha


def changed_paths(*, repo: str | Path = ".") -> tuple[str, ...]:
    """Paths that differ from the last commit, new ones too, relative to the repository's top.

    Raises WorkspaceError where `repo` is not in a repository.
    """
    with _opened(repo) as opened:
        rows = opened.git.status(
            "--porcelain", "-z", "--untracked-files=all", "--no-renames"
        ).split("\0")
        return tuple(sorted(row[3:] for row in rows if row))


@contextmanager
def _opened(repo: str | Path) -> Iterator[Repo]:
    try:
        from git import Repo
        from git.exc import GitCommandError, InvalidGitRepositoryError, NoSuchPathError
    except ImportError as error:
        raise WorkspaceError("git is not installed: install it and put it on PATH") from error
    try:
        with Repo(repo, search_parent_directories=True) as opened:
            if opened.bare:
                raise WorkspaceError(f"{repo} is a bare repository: it has no files to commit")
            opened.git.update_environment(GIT_LITERAL_PATHSPECS="1", LC_ALL="C")
            yield opened
    except (InvalidGitRepositoryError, NoSuchPathError) as error:
        raise WorkspaceError(f"{repo} is not in a git repository: run 'git init' there") from error
    except GitCommandError as error:
        raise WorkspaceError(_sentence(str(error.stderr))) from error


def _names(opened: Repo, base: Path, paths: Sequence[str | Path]) -> list[str]:
    """The paths relative to the repository's top. Raises WorkspaceError for one that is unknown."""
    top = Path(opened.working_dir).resolve()
    names = []
    for path in paths:
        full = base.resolve() / path
        # The last part may be a symbolic link, which is committed as itself.
        full = full.parent.resolve() / full.name
        if not full.is_relative_to(top):
            raise WorkspaceError(f"{str(path)!r} is outside the repository {top}")
        name = full.relative_to(top).as_posix()
        there = full.is_symlink() or full.exists()
        if not there and not opened.git.ls_files("--", name):
            raise WorkspaceError(f"{str(path)!r} is neither a file nor known to git")
        names.append(name)
    return names


def _sentence(stderr: str) -> str:
    if "Please tell me who you are" in stderr or "empty ident name" in stderr:
        return "git does not know who you are: set user.name and user.email with 'git config'"
    if "index.lock" in stderr:
        return "another git command is at work in this repository: try again when it is done"
    if "ignored by one of your .gitignore" in stderr:
        return "one of the paths is ignored by .gitignore: leave it out, or add it by 'git add -f'"
    lines = [line for line in stderr.splitlines() if line.strip(" '")]
    return f"git refused: {lines[-1].strip() if lines else 'no reason given'}"
