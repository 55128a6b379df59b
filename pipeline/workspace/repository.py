"""The repository of a run: a host-owned git directory in which tree ids name contents."""

from __future__ import annotations

import asyncio
import hashlib
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from pipeline.errors import CheckoutError, WorkspaceError
from pipeline.sandbox.base import Session
from pipeline.workspace import diffs, fetch, objects, packs, publish, snapshots
from pipeline.workspace.diffs import Change
from pipeline.workspace.dirty import has_changes
from pipeline.workspace.gitcmd import Git, GitError
from pipeline.workspace.mirrors import Mirrors
from pipeline.workspace.objects import Item
from pipeline.workspace.paths import check_path
from pipeline.workspace.remembered import Remembered
from pipeline.workspace.snapshots import Known
from pipeline.workspace.source import LocalRepository, Source, check_ref, check_sha, parse_source

_TREE = re.compile(r"[0-9a-f]{40}")
_LISTINGS = 8  # of up to some 100,000 paths each
_ANSWERS = 128


class Repository:
    """One base commit and every tree made from it. Contents are git tree ids (40 hex digits).

    `base_sha` is "" for a task without a repository; `base_tree` is then the empty tree. `dirty`
    says that a local source has uncommitted changes of tracked files; they are not part of a run.
    """

    def __init__(self, git: Git, directory: Path, *, source: str | None) -> None:
        self.base_sha = ""
        self.base_tree = ""
        self.source = source
        self.dirty = False
        self._git = git
        self._directory = directory
        self._base: Mapping[str, Item] = {}
        self._local: LocalRepository | None = None
        self._listings = Remembered(_LISTINGS)
        self._answers = Remembered(_ANSWERS)

    @classmethod
    async def open(
        cls,
        source: str | None,
        *,
        base_sha: str | None = None,
        ref: str | None = None,
        scratch: Path,
        auth_env: Mapping[str, str] | None = None,
        mirrors: Mirrors | None = None,
    ) -> Repository:
        """Clone one commit of `source` (URL, local path, None: empty tree) into `scratch`/git.

        The commit is `base_sha`, or else `ref`, or else the default branch (of a local path: HEAD).
        `auth_env` reaches git for the clone alone (SSH_AUTH_SOCK, HOME, GIT_CONFIG_COUNT, ...).
        With `mirrors`, only what has changed since the last run is fetched.
        Raises CheckoutError with a sentence that names the mend.
        """
        where = None if source is None else parse_source(source)
        want = check_sha(base_sha) if base_sha else check_ref(ref) if ref else "HEAD"
        directory = _absolute(scratch) / "git"
        repository = cls(await fetch.create(directory), directory, source=source)
        try:
            if where is None:
                repository.base_tree = await objects.tree_of(repository._git, {})
                return repository
            bring = mirrors.fetch_base if mirrors else fetch.fetch_base
            repository.base_sha = await bring(repository._git, where, want, auth_env or {})
            await repository._read_base(where)
        except BaseException:
            await repository.close()
            raise
        return repository

    @classmethod
    async def unpack(
        cls, pack: bytes, *, source: str | None, base_sha: str, base_tree: str, scratch: Path
    ) -> Repository:
        """The repository again from what `pack` has made of its base, without its source.

        Raises CheckoutError where the pack is damaged or holds another tree.
        """
        directory = _absolute(scratch) / "git"
        repository = cls(await fetch.create(directory), directory, source=source)
        try:
            await packs.unpack(repository._git, pack, _checked(base_tree))
            repository.base_sha, repository.base_tree = base_sha, base_tree
            repository._base = await repository._listing(base_tree)
        except BaseException:
            await repository.close()
            raise
        return repository

    async def pack(self, tree: str, most_bytes: int) -> bytes | None:
        """The files of a tree as a git pack, or None where they take more than `most_bytes`."""
        return await packs.pack(self._git, _checked(tree), most_bytes)

    async def _listing(self, tree: str) -> Mapping[str, Item]:
        return await self._listings.answer(_checked(tree), lambda: objects.listing(self._git, tree))

    async def _read_base(self, where: Source) -> None:
        self.base_tree = await fetch.base_tree(self._git, self.base_sha, where.shown)
        self._base = await self._listing(self.base_tree)
        if where.local is not None:
            self._local = await LocalRepository.find(where)
            self.dirty = await has_changes(self._local.git)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def apply(self, tree: str, diff: str) -> str:
        """The tree that `diff` makes of `tree` ("" makes the same). Raises PatchError."""
        return await self._answers.answer(
            ("apply", _checked(tree), _digest(diff)), lambda: diffs.apply(self._git, tree, diff)
        )

    async def diff(self, old: str, new: str, paths: Sequence[str] = ()) -> str:
        """The git diff between two trees, "" when equal: valid text that `apply` turns back."""
        pair = (_checked(old), _checked(new))
        made = await self._answers.answer(
            ("diff", *pair, *paths), lambda: diffs.diff(self._git, *pair, paths)
        )
        if not paths:  # the diff was tried before it was given
            self._answers.learn(("apply", old, _digest(made)), new)
        return made

    async def changes(self, old: str, new: str, paths: Sequence[str] = ()) -> tuple[Change, ...]:
        """What differs between two trees, one Change a path, renames found."""
        pair = (_checked(old), _checked(new))
        return await self._answers.answer(
            ("changes", *pair, *paths), lambda: diffs.changes(self._git, *pair, paths)
        )

    async def overlay(self, tree: str, source: str, match: Callable[[str], bool]) -> str:
        """`tree` with every path that `match` accepts exactly as it is in the tree `source`."""
        mine, theirs = await self._listing(tree), await self._listing(source)
        kept = {path: item for path, item in mine.items() if not match(path)}
        taken = {path: item for path, item in theirs.items() if match(path)}
        return await objects.tree_of(self._git, {**kept, **taken})

    async def paths(self, tree: str) -> tuple[str, ...]:
        """Every path of a tree, sorted; submodules count as one path."""
        return tuple(sorted(await self._listing(tree)))

    async def read(self, tree: str, path: str) -> bytes:
        """A file's bytes, or a link's target. Raises FileNotFoundError."""
        item = (await self._listing(tree)).get(path)
        if item is None or item.mode == objects.GITLINK:
            raise FileNotFoundError(path)
        return await objects.read_blob(self._git, item.oid)

    async def write(
        self, tree: str, path: str, data: bytes | None, mode: int = objects.FILE
    ) -> str:
        """`tree` with this one path set, or removed where `data` is None. Raises UnsafePath."""
        path = check_path(path)
        if mode not in (objects.FILE, objects.RUNS, objects.LINK):
            raise WorkspaceError(f"{mode:o} is not a mode that git keeps for a file")
        item = None if data is None else Item(mode, await objects.write_blob(self._git, data))
        return await objects.changed_tree(self._git, _checked(tree), {path: item})

    async def checkout(self, tree: str, directory: Path) -> None:
        """Write the tree's raw bytes into a new directory. Raises CheckoutError."""
        try:
            await asyncio.to_thread(directory.mkdir, mode=0o755)
            await objects.write_out(self._git, _checked(tree), _absolute(directory))
        except (OSError, GitError) as error:
            raise CheckoutError(f"cannot check out into {directory}: {error}") from error

    async def snapshot(self, session: Session, known: Known | None = None) -> tuple[str, Known]:
        """The session's present content as a tree, and what spares the next snapshot work.

        Paths that are in base, or in the tree that `known` was seeded from, always count; others do
        unless .gitignore names them or a Python tool left them behind. Nested git directories and
        the files of submodules never count.
        """
        return await snapshots.take(self._git, session, self._base, known or Known())

    async def seed(self, session: Session, tree: str) -> Known:
        """What `snapshot` may take as known right after `checkout`, before anything ran."""
        return await snapshots.seeded(session, await self._listing(tree), tree)

    async def commit(
        self,
        tree: str,
        message: str,
        *,
        parent: str,
        author: str = publish.DEFAULT_AUTHOR,
        at: str = "",
    ) -> str:
        """The id of a new commit by `author` ("Name <address>"); `parent` "" makes a first one.

        With `at` (ISO 8601) the same content makes the same commit, whenever it is made.
        """
        return await publish.commit_tree(
            self._git, _checked(tree), message, parent=parent, author=author, at=at
        )

    async def publish_branch(self, commit: str, branch: str) -> None:
        """Add a new branch to the local source repository and change nothing else there.

        Raises CheckoutError where the branch exists, or the source is not on this machine.
        """
        if self._local is None:
            raise CheckoutError("a branch can be added to a repository on this machine only")
        await publish.add_branch(self._git, self._local, check_sha(commit), branch, self.base_sha)

    @property
    def git_dir(self) -> str:
        """Where the host's git directory lies: for a push, never for a sandbox."""
        return str(self._directory)

    async def close(self) -> None:
        """Remove the git directory. Idempotent."""
        await asyncio.to_thread(shutil.rmtree, self._directory, ignore_errors=True)


def _absolute(path: Path) -> Path:
    return path.absolute()


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _checked(tree: str) -> str:
    if _TREE.fullmatch(tree) is None:
        raise WorkspaceError(f"{tree!r} is not a tree id")
    return tree
