"""A session's present content as a tree: changed files alone are read."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.errors import WorkspaceError
from pipeline.sandbox.base import Entry, Session
from pipeline.workspace.gitcmd import Git, GitError
from pipeline.workspace.objects import (
    GITLINK,
    LINK,
    Item,
    blob_id,
    bytes_of,
    tree_of,
    write_blobs,
)
from pipeline.workspace.paths import in_git_directory, is_cache

_MAX_FILE_BYTES = 512 * 2**20
_BATCH_BYTES = 64 * 2**20
# Two writes within one tick of the file system's clock leave the same stamp. Ticks are 10 ms or
# less on Linux, and 2 s where times are whole seconds.
_TICK_NS = 50_000_000
_COARSE_TICK_NS = 2_000_000_000
_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Known:
    """What an earlier snapshot found.

    `blobs` maps a path to the stamp of its entry and the id of its content; `tracked` are the paths
    that count even where .gitignore names them; `stored` are ids that the git directory has;
    `items` are all that `tree` holds.
    """

    blobs: Mapping[str, tuple[tuple[int, ...], str]] = field(default_factory=dict)
    tracked: Mapping[str, Item] = field(default_factory=dict)
    tree: str = ""
    stored: frozenset[str] = frozenset()
    items: Mapping[str, Item] = field(default_factory=dict)


def settled(entry: Entry, listed_ns: int) -> bool:
    """Whether a later write is sure to change the entry's stamp. `listed_ns` is when listing began.

    Among the numbers of a stamp only times are this large, so the largest is the latest time.
    """
    latest = max(entry.stamp, default=listed_ns)
    tick = _TICK_NS if latest % _SECOND_NS else _COARSE_TICK_NS
    return latest < listed_ns - tick


async def seeded(session: Session, items: Mapping[str, Item], tree: str) -> Known:
    """What is known of a tree that was just checked out, before anything ran in it."""
    listed_ns = time.time_ns()
    blobs = {
        entry.path: (entry.stamp, items[entry.path].oid)
        for entry in await session.entries()
        if entry.path in items and settled(entry, listed_ns)
    }
    return Known(blobs, items, tree, frozenset(item.oid for item in items.values()), items)


async def take(
    git: Git, session: Session, base: Mapping[str, Item], known: Known
) -> tuple[str, Known]:
    """The tree of the session's content, and what to remember for the next time."""
    listed_ns = time.time_ns()
    entries = await session.entries()
    tracked = {**base, **known.tracked}
    counted = await _counted(git, session, entries, tracked)
    stored = known.stored or frozenset(item.oid for item in tracked.values())
    reader = _Reader(git, session, known, stored)
    items = {entry.path: item async for entry, item in reader.read(counted)}
    gitlinks = {p: item for p, item in tracked.items() if item.mode == GITLINK and p not in items}
    whole = {**items, **gitlinks}
    same = bool(known.tree) and whole == known.items
    tree = known.tree if same else await tree_of(git, whole)
    blobs = {
        entry.path: (entry.stamp, items[entry.path].oid)
        for entry in counted
        if entry.path in items and settled(entry, listed_ns)
    }
    return tree, Known(blobs, known.tracked, tree, frozenset(reader.stored), whole)


class _Reader:
    """Reads what is not known, and stores what the git directory does not have."""

    def __init__(self, git: Git, session: Session, known: Known, stored: frozenset[str]) -> None:
        self._git = git
        self._session = session
        self._known = known
        self.stored = set(stored)

    async def read(self, entries: Iterable[Entry]) -> AsyncIterator[tuple[Entry, Item]]:
        """Every entry with its item; a file that is gone by now is left out."""
        batch: dict[str, bytes] = {}
        size = 0
        for entry in entries:
            stamp, oid = self._known.blobs.get(entry.path, ((), ""))
            if stamp != entry.stamp or not stamp:
                try:
                    data = await self._session.get(entry.path, _MAX_FILE_BYTES)
                except FileNotFoundError:
                    continue
                oid = blob_id(data)
                if oid not in self.stored:
                    batch[oid] = data
                    size += len(data)
            yield entry, Item(entry.mode, oid)
            if size > _BATCH_BYTES:
                await self._store(batch)
                batch, size = {}, 0
        await self._store(batch)

    async def _store(self, batch: Mapping[str, bytes]) -> None:
        await write_blobs(self._git, batch.values())
        self.stored.update(batch)


async def _counted(
    git: Git, session: Session, entries: Sequence[Entry], tracked: Mapping[str, Item]
) -> list[Entry]:
    """The entries that are content: tracked ones always, others unless ignored or left over."""
    links = tuple(path + "/" for path, item in tracked.items() if item.mode == GITLINK)
    inside = [e for e in entries if not in_git_directory(e.path) and not e.path.startswith(links)]
    new = [e.path for e in inside if e.path not in tracked]
    asked = [path for path in new if not is_cache(path)]
    rules = [e for e in inside if e.path.rpartition("/")[2] == ".gitignore" and e.mode != LINK]
    dropped = set(new) - set(asked)
    if asked and rules:
        dropped |= await _ignored(git, session, rules, asked)
    return [entry for entry in inside if entry.path not in dropped]


async def _ignored(
    git: Git, session: Session, rules: Sequence[Entry], paths: Sequence[str]
) -> set[str]:
    """Which paths .gitignore names. Git sees a directory that holds the .gitignore files alone."""
    with TemporaryDirectory(prefix="acp-ignore-") as directory:
        for entry in rules:
            copy = Path(directory) / entry.path
            # A file that is gone by now, or nested deeper than a path can be long, rules nothing.
            with suppress(OSError):
                data = await session.get(entry.path, _MAX_FILE_BYTES)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(data)
        # check-ignore takes no literal pathspecs; "./" keeps a leading ":" from meaning anything.
        plain = git.with_env(GIT_LITERAL_PATHSPECS="0")
        asked = b"".join(b"./" + bytes_of(path) + b"\0" for path in paths)
        args = (f"--work-tree={directory}", "check-ignore", "--no-index", "--stdin", "-z")
        try:
            out = await plain.run(*args, stdin=asked, cwd=Path(directory))
        except GitError as error:
            if error.code == 1:
                return set()
            raise WorkspaceError(f"cannot tell which files are ignored: {error}") from error
    return {name[2:].decode("utf-8", "surrogateescape") for name in out.split(b"\0")[:-1]}
