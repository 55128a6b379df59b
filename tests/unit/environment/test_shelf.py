"""Environments that are kept: whole or not at all, one builder at a time, within bounds."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from pipeline.environment.shelf import Kept, Shelf
from pipeline.locks import locked


class Builder:
    """Writes `size` bytes, and counts how often it was asked."""

    def __init__(self, size: int = 10, wait: asyncio.Event | None = None) -> None:
        self.size = size
        self.calls = 0
        self.wait = wait
        self.began = asyncio.Event()

    async def __call__(self, place: Path) -> dict[str, Any]:
        self.calls += 1
        self.began.set()
        (place / "file").write_bytes(b"x" * self.size)
        if self.wait:
            await self.wait.wait()
        return {"made": self.calls}


async def get(shelf: Shelf, name: str, builder: Builder, tenant: str = "acme") -> Kept:
    return await shelf.get(tenant, [name], builder)


def left(root: Path) -> list[str]:
    return sorted(path.name for path in root.glob("*/*") if path.is_dir())


def locks(root: Path) -> list[str]:
    return sorted(path.stem for path in root.glob("*/*.lock"))


async def test_the_second_time_nothing_is_built(tmp_path: Path) -> None:
    shelf, builder = Shelf(tmp_path), Builder()
    first = await get(shelf, "lock", builder)
    first.release()
    second = await get(Shelf(tmp_path), "lock", builder)
    assert (first.fresh, second.fresh, builder.calls) == (True, False, 1)
    assert second.path == first.path
    assert second.meta["made"] == 1
    assert second.meta["bytes"] == 10


async def test_other_facts_and_other_tenants_have_an_environment_of_their_own(
    tmp_path: Path,
) -> None:
    shelf, builder = Shelf(tmp_path), Builder()
    places = {
        (await get(shelf, "lock", builder)).path,
        (await get(shelf, "another lock", builder)).path,
        (await get(shelf, "lock", builder, "somebody else")).path,
    }
    assert len(places) == 3
    assert builder.calls == 3


async def test_facts_cannot_run_into_each_other(tmp_path: Path) -> None:
    shelf, builder = Shelf(tmp_path), Builder()
    one = await shelf.get("t", ["ab", "c"], builder)
    other = await shelf.get("t", ["a", "bc"], builder)
    assert one.path != other.path


async def test_two_at_once_build_once(tmp_path: Path) -> None:
    go = asyncio.Event()
    builder = Builder(wait=go)
    asked = [asyncio.ensure_future(get(Shelf(tmp_path), "lock", builder)) for _ in range(3)]
    await asyncio.sleep(0.2)
    go.set()
    got = await asyncio.gather(*asked)
    assert builder.calls == 1
    assert sorted(kept.fresh for kept in got) == [False, False, True]


async def test_a_build_that_fails_leaves_nothing(tmp_path: Path) -> None:
    async def failing(place: Path) -> dict[str, Any]:
        (place / "half").write_text("half")
        raise RuntimeError("no network")

    shelf = Shelf(tmp_path)
    with pytest.raises(RuntimeError, match="no network"):
        await shelf.get("acme", ["lock"], failing)
    assert (left(tmp_path), locks(tmp_path)) == ([], [])
    assert (await get(shelf, "lock", Builder())).fresh


async def test_a_build_that_is_cancelled_leaves_nothing(tmp_path: Path) -> None:
    builder = Builder(wait=asyncio.Event())
    building = asyncio.ensure_future(get(Shelf(tmp_path), "lock", builder))
    await builder.began.wait()
    building.cancel()
    await asyncio.gather(building, return_exceptions=True)
    assert (left(tmp_path), locks(tmp_path)) == ([], [])


async def test_what_a_killed_builder_left_is_never_used_and_is_cleared_away(
    tmp_path: Path,
) -> None:
    shelf = Shelf(tmp_path)
    finished = await get(shelf, "lock", Builder())
    finished.release()
    half = finished.path
    aside = half.with_name(f"{half.name}.making-dead")
    (half / "meta.json").unlink()
    (half / "half").write_text("half")
    half.rename(aside)
    (half.parent / half.name).mkdir()
    again = await get(shelf, "lock", Builder())
    assert again.fresh
    assert not (again.path / "half").exists()
    assert left(tmp_path) == [half.name]


async def test_what_was_not_used_for_longest_is_thrown_out_first(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, most_bytes=250)
    old, recent = [await get(shelf, name, Builder(100)) for name in ("old", "recent")]
    for kept, age in ((old, 200), (recent, 100)):
        os.utime(kept.path / "meta.json", (age, age))
        kept.release()
    (await get(shelf, "old", Builder())).release()
    await get(shelf, "new", Builder(100))
    assert old.path.exists()
    assert not recent.path.exists()
    assert len(locks(tmp_path)) == 2
    assert recent.path.name not in locks(tmp_path)


async def test_a_lock_without_its_environment_is_cleared_away(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    kept = await get(shelf, "lock", Builder())
    for name in ("left", "awaited"):
        (kept.path.parent / f"{name}.lock").touch()
    async with locked(kept.path.parent / "awaited.lock"):
        await get(shelf, "another", Builder())
        assert "left" not in locks(tmp_path)
        assert "awaited" in locks(tmp_path)


async def test_what_is_in_use_is_never_thrown_out(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, most_bytes=50)
    used = await get(shelf, "used", Builder(100))
    newer = await get(shelf, "newer", Builder(100))
    assert used.path.exists()
    assert newer.path.exists()
    used.release()
    await get(shelf, "newest", Builder(100))
    assert not used.path.exists()


async def test_the_note_of_an_environment_is_written_where_its_builder_cannot_reach(
    tmp_path: Path,
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")

    async def hostile(place: Path) -> dict[str, Any]:
        (place / "box").mkdir()
        (place / "box" / "meta.json").symlink_to(victim)
        return {}

    kept = await Shelf(tmp_path / "shelf").get("acme", ["lock"], hostile)
    assert victim.read_text() == "mine"
    assert (kept.path / "meta.json").is_file()
