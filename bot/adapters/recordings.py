"""Journals as files: of runs on the command line, and of runs that were made elsewhere."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from bot.domain.journals import Kept, Origin
from bot.errors import NotFound, UserError
from pipeline.recording import SUFFIX, BadRecording, Recording, glance

ORIGINS: tuple[Origin, ...] = ("local", "imported")
_KEEP_LOCAL = 50
_BASES_BYTES = 2**30
_HEAD_BYTES = 2**16
_SHORTEST = 4


class Recordings:
    """The journals below `folder`, which is for its owner alone.

    Of local runs the newest 50 are kept; imported ones until somebody removes the file. None of
    them is in the store, so none of them can ever be executed or published.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, recording: Recording, origin: Origin) -> Path:
        """Keep a journal. Raises UserError where another one of that name is there."""
        if not recording.name.isalnum():
            raise UserError(f"{recording.name[:60]!r} is not a name that a run has")
        folder = _private(self._folder / origin)
        path, data = folder / f"{recording.name}{SUFFIX}", recording.to_bytes()
        if path.exists() and path.read_bytes() != data:
            raise UserError(
                f"another journal of run {recording.name} is here; remove {path} to take this one"
            )
        write_whole(path, data)
        if origin == "local":
            for old in sorted(folder.glob(f"*{SUFFIX}"))[:-_KEEP_LOCAL]:
                old.unlink(missing_ok=True)
        return path

    def all(self) -> list[Kept]:
        """Every journal that can be read, newest first."""
        return sorted(self._each(), key=lambda kept: (kept.at, kept.name), reverse=True)

    def _each(self) -> Iterator[Kept]:
        for origin in ORIGINS:
            for path in (self._folder / origin).glob(f"*{SUFFIX}"):
                with suppress(OSError, BadRecording):
                    yield _kept(path, origin)

    def find(self, name: str) -> Kept | None:
        """The journal of that name, or of the only name that begins or ends like it."""
        wanted, known = name.strip().upper(), self.all()
        same = [kept for kept in known if kept.name.upper() == wanted]
        if len(wanted) >= _SHORTEST and not same:
            same = [
                k for k in known if k.name.upper().startswith(wanted) or k.name.endswith(wanted)
            ]
        named = {kept.name: kept for kept in reversed(same)}
        if len(named) > 1:
            raise UserError(f"{name} means {len(named)} journals; write more of the name")
        return next(iter(named.values()), None)


def read_recording(path: Path) -> Recording:
    """A journal from a file. Raises NotFound, UserError with what is wrong with it."""
    try:
        return Recording.from_bytes(path.read_bytes())
    except FileNotFoundError:
        raise NotFound(f"there is no file {path}") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
    except BadRecording as error:
        raise UserError(f"{path}: {error}") from None


class Bases:
    """The files that runs of the service began with, by tree: one pack serves many runs.

    Together they take at most 1 GiB; the ones that were not used for longest go first.
    """

    def __init__(self, folder: Path, most_bytes: int = _BASES_BYTES) -> None:
        self._folder = folder
        self._most_bytes = most_bytes

    def get(self, tree: str) -> bytes | None:
        """The pack of a tree, or None."""
        try:
            return self._path(tree).read_bytes()
        except FileNotFoundError:
            return None

    def has(self, tree: str) -> bool:
        """Whether the pack of a tree is here; if so, it counts as used now."""
        try:
            os.utime(self._path(tree))
        except FileNotFoundError:
            return False
        return True

    def put(self, tree: str, pack: bytes) -> None:
        """Keep a pack, and let old ones go."""
        _private(self._folder)
        write_whole(self._path(tree), pack)
        packs = sorted(self._folder.glob("*.pack"), key=lambda path: path.stat().st_mtime)
        size = sum(path.stat().st_size for path in packs)
        for path in packs[:-1]:
            if size <= self._most_bytes:
                break
            size -= path.stat().st_size
            path.unlink(missing_ok=True)

    def _path(self, tree: str) -> Path:
        return self._folder / f"{tree}.pack"


def write_whole(path: Path, data: bytes) -> None:
    """Replace a file at once by one that only its owner can read."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    draft.replace(path)


def _private(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _kept(path: Path, origin: Origin) -> Kept:
    with path.open("rb") as file:
        head: dict[str, Any] = dict(glance(file.read(_HEAD_BYTES)))
    said = {key: str(head.get(key, "")) for key in ("at", "source", "title", "outcome")}
    usd, lost = head.get("usd"), head.get("lost_usd", 0.0)
    return Kept(
        name=path.name.removesuffix(SUFFIX),
        origin=origin,
        usd=usd if isinstance(usd, float) else None,
        path=path,
        lost_usd=lost if isinstance(lost, float) else None,
        **said,
    )
