"""Trees and blobs of the host-owned git directory, by plumbing only: no filter, no work tree."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from pipeline.workspace.gitcmd import Git

GITLINK = 0o160000
LINK = 0o120000
FILE = 0o100644
RUNS = 0o100755
NOTHING = "0" * 40


class Item(NamedTuple):
    """One path of a tree: git's mode, and the id of its blob (or of a submodule's commit)."""

    mode: int
    oid: str


def blob_id(data: bytes) -> str:
    """The id that git gives to this content."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def text_of(name: bytes) -> str:
    """A path as text; undecodable bytes become lone surrogates and find back by `bytes_of`."""
    return name.decode("utf-8", "surrogateescape")


def bytes_of(name: str) -> bytes:
    """The bytes of a path."""
    return name.encode("utf-8", "surrogateescape")


@asynccontextmanager
async def private_index(git: Git) -> AsyncIterator[Git]:
    """The same repository with an index of one's own, so that calls may overlap."""
    with TemporaryDirectory(prefix="acp-index-") as directory:
        yield git.with_env(GIT_INDEX_FILE=str(Path(directory) / "index"))


async def listing(git: Git, tree: str, *paths: str) -> dict[str, Item]:
    """Every path of a tree, or those below `paths`. Raises GitError for an unknown tree."""
    out = await git.run("ls-tree", "-r", "-z", "--full-tree", tree, "--", *paths)
    items = {}
    for row in out.split(b"\0")[:-1]:
        facts, _, name = row.partition(b"\t")
        mode, _, oid = facts.decode("ascii").split(" ")
        items[text_of(name)] = Item(int(mode, 8), oid)
    return items


async def tree_of(git: Git, items: Mapping[str, Item]) -> str:
    """The id of the tree that holds exactly `items`. Names that git refuses are left out."""
    return await changed_tree(git, None, items)


async def changed_tree(git: Git, tree: str | None, changes: Mapping[str, Item | None]) -> str:
    """The id of `tree` (None: empty) with some paths set, or removed where the item is None."""
    rows = [_row(path, item) for path, item in sorted(changes.items(), key=_removals_first)]
    async with private_index(git) as indexed:
        if tree is not None:
            await indexed.run("read-tree", tree)
        await indexed.run("update-index", "-z", "--index-info", stdin=b"".join(rows))
        return await indexed.line("write-tree")


def _removals_first(change: tuple[str, Item | None]) -> tuple[bool, bytes]:
    return change[1] is not None, bytes_of(change[0])


def _row(path: str, item: Item | None) -> bytes:
    mode, oid = item or Item(0, NOTHING)
    return b"%o %s\t%s\0" % (mode, oid.encode("ascii"), bytes_of(path))


async def write_blobs(git: Git, contents: Iterable[bytes]) -> None:
    """Store many blobs with one process."""
    parts = [part for data in contents for part in (b"blob\ndata %d\n" % len(data), data, b"\n")]
    if parts:
        await git.run("fast-import", "--quiet", "--done", stdin=b"".join([*parts, b"done\n"]))


async def write_blob(git: Git, data: bytes) -> str:
    """Store one blob and give its id."""
    return await git.line("hash-object", "-w", "--stdin", stdin=data)


async def read_blob(git: Git, oid: str) -> bytes:
    """The bytes of a blob."""
    return await git.run("cat-file", "blob", oid)


async def write_out(git: Git, tree: str, directory: Path) -> None:
    """Write the tree's raw bytes into an empty directory that nobody else can write to."""
    async with private_index(git) as indexed:
        args = (f"--work-tree={directory}", "read-tree", "--reset", "-u", tree)
        await indexed.run(*args, cwd=directory, timeout_s=900.0)
