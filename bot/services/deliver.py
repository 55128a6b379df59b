"""Leaves the change where it was asked for: a branch of the local repository, or a file."""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from bot.domain.result import Result
from pipeline.errors import PatchError, WorkspaceError

if TYPE_CHECKING:
    from pipeline.workspace.repository import Repository

_SUBJECT_CHARS = 72


async def leave(result: Result, *, local: bool, directory: Path | None) -> Result:
    """Put the change where it belongs.

    A proven one becomes a branch of a local repository, any other change a file of `directory`
    (None: nowhere). What does not work becomes a warning.
    """
    if result.status == "no_change" or not result.diff:
        return result
    if local and result.ok:
        try:
            return await to_branch(result)
        except WorkspaceError as error:
            result = _noted(result, f"no branch was made: {error}")
    if directory is not None:
        try:
            return to_file(result, directory)
        except OSError as error:
            result = _noted(result, f"the change could not be written to {directory}: {error}")
    return result


async def to_branch(result: Result) -> Result:
    """Add `acp/<slug>` to the local repository: the test, then the change.

    A branch that exists is never touched: the new one gets a number. Nothing else changes there.
    Raises WorkspaceError where the repository does not take the branch.
    """
    from pipeline.workspace.repository import Repository

    with tempfile.TemporaryDirectory(prefix="acp-branch-") as scratch:
        async with await Repository.open(
            result.repository, base_sha=result.base_sha, scratch=Path(scratch)
        ) as repository:
            commits = await _commit(repository, result)
            branch = free_name(result.task.slug, await _branches(result.repository))
            await repository.publish_branch(commits[-1], branch)
    return replace(result, branch=branch, commits=len(commits))


def to_file(result: Result, directory: Path) -> Result:
    """Write the whole diff to a new file in `directory`. Raises OSError."""
    name = f"acp-{result.task.slug}{'' if result.ok else '-draft'}"
    data = result.diff.encode("utf-8", "surrogateescape")
    for number in count(1):
        path = directory / f"{name}{'' if number == 1 else f'-{number}'}.diff"
        try:
            with path.open("xb") as file:
                file.write(data)
        except FileExistsError:
            continue
        return replace(result, diff_file=str(path))
    raise AssertionError("count() does not end")


def free_name(slug: str, taken: Collection[str]) -> str:
    """`acp/<slug>`, with a number where git could not have it beside those that are taken."""
    prefix = "acp-" if "acp" in taken else "acp/"
    for number in count(1):
        name = f"{prefix}{slug}{'' if number == 1 else f'-{number}'}"
        if name not in taken and not any(other.startswith(f"{name}/") for other in taken):
            return name
    raise AssertionError("count() does not end")


def _noted(result: Result, warning: str) -> Result:
    return replace(result, warnings=(*result.warnings, warning))


async def _commit(repository: Repository, result: Result) -> list[str]:
    """One commit or two: where the test stands on the base alone, it comes first."""
    parent, commits = result.base_sha, []
    base = repository.base_tree
    code = await repository.apply(base, result.code_diff)
    whole = await repository.apply(code, result.tests_diff)
    if result.tests_diff and result.code_diff:
        try:
            tests = await repository.apply(base, result.tests_diff)
            message = _message(f"Test: {result.task.title}", result)
            commits.append(await repository.commit(tests, message, parent=parent))
        except PatchError:
            # the test builds on files of the change: then they are one step
            commits.clear()
    message = _message(result.task.title, result)
    parent = commits[-1] if commits else parent
    commits.append(await repository.commit(whole, message, parent=parent))
    return commits


def _message(title: str, result: Result) -> str:
    subject = title if len(title) <= _SUBJECT_CHARS else title[: _SUBJECT_CHARS - 1] + "…"
    where = result.task.url or (result.task.source if result.task.source != "text" else "")
    return f"{subject}\n\n{where}".strip()


async def _branches(path: str) -> set[str]:
    from pipeline.workspace.source import LocalRepository, parse_source

    local = await LocalRepository.find(parse_source(path))
    listed = await local.git.line("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads/")
    return set(listed.splitlines())
