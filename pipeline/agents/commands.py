"""A command in the journal: what it answered, and what it changed in the checkout."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pipeline.errors import PatchError
from pipeline.journal import OutOfStep, Pen, digest_of
from pipeline.workspace.workspace import Workspace


async def journalled(
    pen: Pen, workspace: Workspace, command: str, work: Callable[[], Awaitable[str]]
) -> str:
    """The command's answer. A known one is not run again: its change is made again instead.

    What the repository ignores (build products) is no part of the change. Raises OutOfStep.
    """

    async def run() -> Mapping[str, Any]:
        before = await workspace.snapshot()
        answer = await work()
        after = await workspace.snapshot()
        return {"answer": answer, "change": await workspace.repository.diff(before, after)}

    async def redo(reply: Mapping[str, Any]) -> None:
        await _apply(workspace, reply["change"])

    reply, _ = await pen.once("command", digest_of(command), run, redo)
    return str(reply["answer"])


async def _apply(workspace: Workspace, change: str) -> None:
    """Make a change in the checkout path by path, without a fresh checkout."""
    repository = workspace.repository
    now = await workspace.snapshot()
    try:
        wanted = await repository.apply(now, change)
    except PatchError as error:
        raise OutOfStep(f"a journalled command does not fit the checkout: {error}") from error
    changes = await repository.changes(now, wanted)
    for path in [c.old_path or c.path for c in changes if c.status in "DR"]:
        await workspace.delete(path)
    for path, mode in [(c.path, c.new_mode) for c in changes if c.status != "D"]:
        await workspace.write(path, await repository.read(wanted, path), mode)
