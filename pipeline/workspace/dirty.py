"""Whether the user's work tree has changes that a clone of its commit leaves out."""

from __future__ import annotations

import asyncio
from pathlib import Path

from pipeline.workspace.gitcmd import Git, GitError
from pipeline.workspace.objects import GITLINK, LINK, RUNS, Item, blob_id, text_of


async def has_changes(git: Git) -> bool:
    """True where tracked files differ from HEAD, as in `git describe --dirty`.

    New files do not count. Reads only: never refreshes the user's index, and never runs a filter
    or monitor of theirs.
    """
    try:
        if await git.line("rev-parse", "--is-inside-work-tree") != "true":
            return False
        top = Path(await git.line("rev-parse", "--show-toplevel"))
        staged = await git.run("diff-index", "--cached", "--raw", "-z", "HEAD")
        suspects = await git.run("diff-files", "--raw", "-z", "--ignore-submodules=all")
    except GitError:
        # Nothing to compare with (no work tree, a damaged index): there is nothing to warn of.
        return False
    return bool(staged) or await asyncio.to_thread(_any_differs, top, suspects)


def _any_differs(top: Path, raw: bytes) -> bool:
    """Look closer: files copied or touched have a new time stamp and the same content."""
    fields = raw.split(b"\0")[:-1]
    return any(
        _differs(top / text_of(name), _recorded(facts))
        for facts, name in zip(fields[::2], fields[1::2], strict=True)
    )


def _recorded(facts: bytes) -> Item:
    words = facts[1:].decode("ascii").split(" ")
    return Item(int(words[0], 8), words[2])


def _differs(path: Path, recorded: Item) -> bool:
    if recorded.mode == GITLINK:
        return False
    try:
        if path.is_symlink() != (recorded.mode == LINK):
            return True
        if recorded.mode == LINK:
            return blob_id(bytes(path.readlink())) != recorded.oid
        runs = bool(path.stat().st_mode & 0o100)
        return runs != (recorded.mode == RUNS) or blob_id(path.read_bytes()) != recorded.oid
    except OSError:
        return True
