"""Bare mirrors that outlive a run: the next run of a repository fetches only what has changed.

A mirror holds objects and no secrets. Every run still asks the remote with credentials of its own,
so a mirror never shows a commit to a run that may no longer read it. A run's own git directory
shares the mirror's packs by hard links: it stays whole when the mirror is thrown out.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from pipeline.errors import CheckoutError, SourceAway
from pipeline.locks import locked, locked_if_free
from pipeline.workspace import fetch
from pipeline.workspace.gitcmd import Git, GitError
from pipeline.workspace.objects import listing
from pipeline.workspace.source import Source

_MOST_BYTES = 5 << 30
_MOST_PACKS = 20
_LEFT_BY_THE_DEAD = ("*.lock", "objects/pack/tmp_*", "refs/acp/*.lock")


class Mirrors:
    """A directory with one bare repository for each address, at most `most_bytes` together.

    Each fetch adds a pack; more than `most_packs` of a mirror become one.

    Use it from any number of processes; one of them at a time works on a mirror.
    """

    def __init__(
        self, directory: Path, *, most_bytes: int = _MOST_BYTES, most_packs: int = _MOST_PACKS
    ) -> None:
        self._directory = directory
        self._most_bytes = most_bytes
        self._most_packs = most_packs

    async def fetch_base(
        self, git: Git, source: Source, want: str, auth_env: Mapping[str, str]
    ) -> str:
        """Bring `want` into `git` by way of the mirror. Returns the commit's id.

        What the remote refuses is raised as `fetch.fetch_base` raises it; a mirror that is broken
        is thrown out and costs a whole fetch.
        """
        if source.local is not None:
            return await fetch.fetch_base(git, source, want, auth_env)
        home = self._home(source)
        async with locked(home.with_suffix(".lock")):
            try:
                commit = await self._through(home, git, source, want, auth_env)
            except (GitError, OSError):
                await asyncio.to_thread(shutil.rmtree, home, ignore_errors=True)
                commit = await fetch.fetch_base(git, source, want, auth_env)
        await self._sweep(home)
        return commit

    def _home(self, source: Source) -> Path:
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = hashlib.sha256(source.address.encode("utf-8", "surrogateescape")).hexdigest()[:32]
        return self._directory / f"{name}.git"

    async def _through(
        self, home: Path, git: Git, source: Source, want: str, auth_env: Mapping[str, str]
    ) -> str:
        mirror = await _opened(home, self._most_packs)
        try:
            commit = await fetch.fetch_base(mirror, source, want, auth_env)
        except SourceAway:
            raise
        except CheckoutError as error:
            if await _sound(mirror):
                raise
            raise GitError("the mirror is broken", code=None, stderr="") from error
        await asyncio.to_thread(_share, home, fetch.directory_of(git))
        await git.run("update-ref", fetch.BASE, commit)
        await listing(git, f"{commit}^{{tree}}")
        return commit

    async def _sweep(self, newest: Path) -> None:
        """Throw out what was not used for longest until the bound holds; never what is in use."""
        sizes = await asyncio.to_thread(self._sizes)
        total = sum(sizes.values())
        for home in sizes:
            if total <= self._most_bytes:
                return
            with locked_if_free(home.with_suffix(".lock")) as held:
                if held and home != newest:
                    await asyncio.to_thread(shutil.rmtree, home, ignore_errors=True)
                    held.drop()
                    total -= sizes[home]

    def _sizes(self) -> dict[Path, int]:
        """Bytes of each mirror, the one that was not used for longest first."""
        homes = sorted(self._directory.glob("*.git"), key=lambda home: home.stat().st_mtime)
        return {home: _bytes_of(home / "objects" / "pack") for home in homes}


async def _opened(home: Path, most_packs: int) -> Git:
    """The mirror, made where it is not there, without what a killed process left in it."""
    whole, packs = await asyncio.to_thread(_tidied, home)
    if not whole:
        await fetch.create(home)
    # Unlike a run's own git directory it must survive a power cut: nothing spares the disk here.
    mirror = Git((f"--git-dir={home}", "-c", "fetch.unpackLimit=1"))
    if packs > most_packs:
        await mirror.run("repack", "-a", "-d", "-q")
    return mirror


def _tidied(home: Path) -> tuple[bool, int]:
    """Whether the mirror is there, and how many packs it has."""
    if not (home / "refs").is_dir():
        shutil.rmtree(home, ignore_errors=True)
        return False, 0
    for pattern in _LEFT_BY_THE_DEAD:
        for left in home.glob(pattern):
            left.unlink()
    os.utime(home)
    return True, len(list((home / "objects" / "pack").glob("*.pack")))


async def _sound(mirror: Git) -> bool:
    """Whether the mirror's last base is whole."""
    try:
        await mirror.run("fsck", "--connectivity-only", "--no-dangling")
    except GitError:
        return False
    return True


def _share(home: Path, directory: Path) -> None:
    packs = directory / "objects" / "pack"
    packs.mkdir(parents=True, exist_ok=True)
    # An index is looked for first, so it comes last.
    for pack in sorted(
        (home / "objects" / "pack").glob("pack-*"), key=lambda one: one.suffix == ".idx"
    ):
        try:
            os.link(pack, packs / pack.name)
        except OSError:  # another file system, or one without links
            shutil.copyfile(pack, packs / pack.name)
    shutil.copyfile(home / "shallow", directory / "shallow")


def _bytes_of(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.glob("*"))
