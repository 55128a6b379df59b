"""Whether the user's work tree has changes that a clone of its commit leaves out."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.workspace.gitcmd import Git, GitError
from pipeline.workspace.objects import GITLINK, LINK, RUNS, Item, blob_id, text_of

_AHEAD = 2**32 - 1


async def has_changes(git: Git) -> bool:
    """True where tracked files differ from HEAD, as in `git describe --dirty`.

    Reads only: the user's index is not refreshed, and no filter or monitor of theirs runs. Of files
    that are not older than the index git reads the content, through those filters; so git is shown
    a copy of the index that is dated ahead, and those files are compared here.
    """
    try:
        if await git.line("rev-parse", "--is-inside-work-tree") != "true":
            return False
        top = Path(await git.line("rev-parse", "--show-toplevel"))
        index = Path(await git.line("rev-parse", "--path-format=absolute", "--git-path", "index"))
        with TemporaryDirectory(prefix="acp-index-") as directory:
            copy, written_s = _dated_ahead(index, Path(directory))
            copied = Git(("-C", str(top)), {**git.env, "GIT_INDEX_FILE": str(copy)})
            staged = await copied.run("diff-index", "--cached", "--raw", "-z", "HEAD")
            stale = await copied.run("diff-files", "--raw", "-z", "--ignore-submodules=all")
            tracked = await copied.run("ls-files", "--stage", "-z")
    except (GitError, OSError):
        # Nothing to compare with (no work tree, a damaged index): there is nothing to warn of.
        return False
    return bool(staged) or await asyncio.to_thread(_differ, top, stale, tracked, written_s)


def _dated_ahead(index: Path, directory: Path) -> tuple[Path, int]:
    """The copy, and the second in which git wrote the original."""
    copy, written_s = directory / "index", int(index.stat().st_mtime)
    shutil.copyfile(index, copy)
    os.utime(copy, (_AHEAD, _AHEAD))
    return copy, written_s


def _differ(top: Path, stale: bytes, tracked: bytes, written_s: int) -> bool:
    """Compare what time stamps leave in doubt: a copied or touched file has the same content."""
    return any(_differs(top / name, item) for name, item in _stale(stale)) or any(
        _differs(top / name, item)
        for name, item in _staged(tracked)
        if _is_fresh(top / name, written_s)
    )


def _stale(raw: bytes) -> Iterator[tuple[str, Item]]:
    fields = raw.split(b"\0")[:-1]
    for facts, name in zip(fields[::2], fields[1::2], strict=True):
        words = facts[1:].decode("ascii").split(" ")
        yield text_of(name), Item(int(words[0], 8), words[2])


def _staged(raw: bytes) -> Iterator[tuple[str, Item]]:
    for row in raw.split(b"\0")[:-1]:
        facts, _, name = row.partition(b"\t")
        mode, oid, _ = facts.decode("ascii").split(" ")
        yield text_of(name), Item(int(mode, 8), oid)


def _is_fresh(path: Path, written_s: int) -> bool:
    try:
        return path.lstat().st_ctime >= written_s
    except OSError:
        return False


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
