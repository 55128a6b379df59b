"""Keeps finished environments: one builder at a time, whole or not at all, and a bound on bytes."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.locks import Held, locked, locked_if_free, take

_META = "meta.json"
_LOCK = ".lock"
_MOST_BYTES = 10 << 30

Build = Callable[[Path], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Kept:
    """A finished environment in `path`, with what its builder wrote down.

    While it is held, nobody throws it out. `fresh`: it was built just now.
    """

    path: Path
    meta: dict[str, Any]
    lock: Held
    fresh: bool

    def release(self) -> None:
        """Let go of it."""
        self.lock.release()


class Shelf:
    """A directory of environments, in a folder of its own for each tenant.

    Nothing is shared between tenants: what one repository's set-up made, no other one imports.
    """

    def __init__(self, root: Path, most_bytes: int = _MOST_BYTES) -> None:
        self._root = root
        self._most = most_bytes

    async def get(self, tenant: str, facts: Iterable[str], build: Build) -> Kept:
        """The environment that `facts` name, built with `build` if it is not there.

        `build` fills an empty directory and says what to write down; what it raises is raised, and
        nothing is left of its work.
        """
        home = self._root / _digest([tenant])[:16]
        await asyncio.to_thread(home.mkdir, parents=True, exist_ok=True)
        place = home / _digest(facts)[:32]
        fresh = False
        while True:
            lock = await take(_lock_of(place), shared=True)
            meta = _meta(place)
            if meta is not None:
                os.utime(place / _META)
                return Kept(place, meta, lock, fresh)
            lock.release()
            async with locked(_lock_of(place)) as alone:
                if _meta(place) is None:
                    try:
                        await self._build(place, build)
                    except BaseException:
                        alone.drop()
                        raise
                    fresh = True
            await asyncio.to_thread(self._sweep, place)

    async def _build(self, place: Path, build: Build) -> None:
        # Whoever died at this before us held the lock that we hold now.
        for left in (*place.parent.glob(f"{place.name}.making-*"), place):
            await asyncio.to_thread(shutil.rmtree, left, ignore_errors=True)
        made = await asyncio.to_thread(_aside, place)
        try:
            meta = await build(made)
            await asyncio.to_thread(_finish, made, place, meta)
        finally:
            await asyncio.to_thread(shutil.rmtree, made, ignore_errors=True)

    def _sweep(self, newest: Path) -> None:
        """Throw out what was not used for longest until the bound holds; never what is in use."""
        for left in self._root.glob(f"*/*{_LOCK}"):
            _forget(left)
        places = [path.parent for path in self._root.glob(f"*/*/{_META}")]
        known = [(path, meta) for path in places if (meta := _meta(path)) is not None]
        total = sum(int(meta.get("bytes", 0)) for _, meta in known)
        for path, meta in sorted(known, key=lambda one: _used(one[0])):
            if total <= self._most:
                return
            if path != newest and _thrown_out(path):
                total -= int(meta.get("bytes", 0))


def _aside(place: Path) -> Path:
    made = Path(tempfile.mkdtemp(prefix=f"{place.name}.making-", dir=place.parent))
    made.chmod(0o755)
    return made


def _finish(made: Path, place: Path, meta: dict[str, Any]) -> None:
    """Whole or not at all: what is written down last is what makes it count."""
    whole = {**meta, "bytes": size_of(made)}
    (made / _META).write_text(json.dumps(whole), "utf-8")
    made.rename(place)


def size_of(directory: Path) -> int:
    """Bytes of all files below, links not followed."""
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(folder, name)).st_size  # noqa: PTH118
    return total


def _meta(place: Path) -> dict[str, Any] | None:
    try:
        found = json.loads((place / _META).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _used(place: Path) -> float:
    try:
        return (place / _META).stat().st_mtime
    except OSError:
        return 0.0


def _thrown_out(place: Path) -> bool:
    with locked_if_free(_lock_of(place)) as held:
        if held is None:
            return False
        gone = Path(tempfile.mkdtemp(prefix=f"{place.name}.making-", dir=place.parent))
        with contextlib.suppress(OSError):
            place.rename(gone / "old")
        shutil.rmtree(gone, ignore_errors=True)
        held.drop()
        return True


def _forget(lock: Path) -> None:
    """Remove the lock of a place that is no longer there, unless somebody is about to make it."""
    with locked_if_free(lock) as held:
        if held and not lock.with_suffix("").exists():
            held.drop()


def _lock_of(place: Path) -> Path:
    return place.with_suffix(_LOCK)


def _digest(facts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(facts).encode("utf-8", "surrogateescape")).hexdigest()
