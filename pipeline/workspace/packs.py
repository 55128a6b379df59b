"""A tree as one file: packed where a run begins, unpacked where it is replayed."""

from __future__ import annotations

from pipeline.errors import CheckoutError
from pipeline.workspace.gitcmd import Git, GitError


async def pack(git: Git, tree: str, most_bytes: int) -> bytes | None:
    """Everything below `tree` as a git pack, or None where that takes more than `most_bytes`."""
    found = await git.run("rev-list", "--objects", "--no-object-names", tree)
    size = await git.line("rev-list", "--objects", "--disk-usage", tree)
    if int(size) > most_bytes:
        return None
    # One thread: the same tree makes the same bytes.
    made = await git.run("pack-objects", "--quiet", "--threads=1", "--stdout", stdin=found)
    return made if len(made) <= most_bytes else None


async def unpack(git: Git, data: bytes, tree: str) -> None:
    """Put a pack into an empty repository. Raises CheckoutError unless it holds all of `tree`."""
    try:
        await git.run("index-pack", "--stdin", f"--max-input-size={len(data)}", stdin=data)
        await git.run("rev-list", "--objects", "--quiet", tree)
    except GitError as error:
        raise CheckoutError(f"the files that came with the journal are damaged: {error}") from error
