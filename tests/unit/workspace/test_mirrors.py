"""The second run of a repository fetches only what changed; a broken mirror costs time only."""

from __future__ import annotations

import asyncio
import random
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.emulators.github import GitHubEmulator
from pipeline.errors import CheckoutError
from pipeline.locks import locked
from pipeline.workspace.mirrors import Mirrors
from pipeline.workspace.repository import Repository

SHOP = "acme/shop"
CHANCE = random.Random(7)
FILES = {f"data/{number}.txt": CHANCE.randbytes(1_000).hex() for number in range(60)}


def packs(directory: Path) -> list[int]:
    """Sizes of the mirrors' packs in bytes."""
    return sorted(path.stat().st_size for path in directory.glob("*.git/objects/pack/*.pack"))


async def contents(
    url: str, scratch: Path, mirrors: Mirrors, auth: Mapping[str, str] | None = None
) -> dict[str, bytes]:
    """Everything that a run of that repository would see."""
    scratch.mkdir()  # noqa: ASYNC240
    async with await Repository.open(
        url, scratch=scratch, mirrors=mirrors, auth_env=auth
    ) as repository:
        await repository.checkout(repository.base_tree, scratch / "tree")
    found = (path for path in (scratch / "tree").rglob("*") if path.is_file())
    return {str(path.relative_to(scratch / "tree")): path.read_bytes() for path in found}


async def test_the_second_run_fetches_only_what_has_changed(tmp_path: Path) -> None:
    with GitHubEmulator() as github:
        github.repository(SHOP, files=FILES)
        url, kept = f"{github.url}/{SHOP}.git", tmp_path / "mirrors"
        first = await contents(url, tmp_path / "one", Mirrors(kept))
        (whole,) = packs(kept)

        github.commit(SHOP, "main", "data/7.txt", "new\n", by="ana")
        second = await contents(url, tmp_path / "two", Mirrors(kept))

        assert second == {**first, "data/7.txt": b"new\n"}
        small, large = packs(kept)
        assert large == whole
        assert small < whole / 10


async def test_a_run_keeps_its_objects_when_its_mirror_is_thrown_out(tmp_path: Path) -> None:
    with GitHubEmulator() as github:
        github.repository(SHOP, files=FILES)
        kept, scratch = tmp_path / "mirrors", tmp_path / "run"
        scratch.mkdir()
        async with await Repository.open(
            f"{github.url}/{SHOP}.git", scratch=scratch, mirrors=Mirrors(kept)
        ) as repository:
            shutil.rmtree(kept)
            await repository.checkout(repository.base_tree, scratch / "tree")
        assert (scratch / "tree/data/59.txt").read_text() == FILES["data/59.txt"]


@pytest.mark.parametrize("pattern", ["objects/pack/*.pack", "objects/pack/*.idx", "shallow"])
async def test_a_broken_mirror_costs_a_whole_fetch_and_nothing_else(
    tmp_path: Path, pattern: str
) -> None:
    with GitHubEmulator() as github:
        github.repository(SHOP, files=FILES)
        url, kept = f"{github.url}/{SHOP}.git", tmp_path / "mirrors"
        first = await contents(url, tmp_path / "one", Mirrors(kept))
        (broken,) = kept.glob(f"*.git/{pattern}")
        broken.chmod(0o600)
        broken.write_bytes(broken.read_bytes()[:20])
        github.commit(SHOP, "main", "data/7.txt", "new\n", by="ana")

        second = await contents(url, tmp_path / "two", Mirrors(kept))
        assert second == {**first, "data/7.txt": b"new\n"}
        assert await contents(url, tmp_path / "three", Mirrors(kept)) == second


async def test_what_a_killed_fetch_left_behind_is_swept_away(tmp_path: Path) -> None:
    with GitHubEmulator() as github:
        github.repository(SHOP, files=FILES)
        url, kept = f"{github.url}/{SHOP}.git", tmp_path / "mirrors"
        first = await contents(url, tmp_path / "one", Mirrors(kept))
        (home,) = kept.glob("*.git")
        for name in ("shallow.lock", "refs/acp/base.lock", "objects/pack/tmp_pack_x1"):
            (home / name).write_text("half")

        assert await contents(url, tmp_path / "two", Mirrors(kept)) == first
        assert not list(home.rglob("*.lock")) + list(home.rglob("tmp_*"))


async def test_a_mirror_shows_nothing_to_a_run_that_may_not_read_the_repository(
    tmp_path: Path,
) -> None:
    with GitHubEmulator() as github:
        shop = github.repository(SHOP, files=FILES)
        url, kept = f"{github.url}/{SHOP}.git", tmp_path / "mirrors"
        await contents(url, tmp_path / "one", Mirrors(kept))
        shop.private = True

        with pytest.raises(CheckoutError, match="credentials"):
            await contents(url, tmp_path / "two", Mirrors(kept))
        assert len(packs(kept)) == 1, "the mirror of those who may read it stays"


async def test_mirrors_are_bounded_and_the_one_not_used_for_longest_goes(tmp_path: Path) -> None:
    kept = tmp_path / "mirrors"
    with GitHubEmulator() as github:
        for name in ("acme/a", "acme/b"):
            github.repository(name, files=FILES)
            await contents(
                f"{github.url}/{name}.git", tmp_path / name[-1], Mirrors(kept, most_bytes=1)
            )
            assert len(packs(kept)) == 1, "the newest stays, however small the bound"


async def test_a_mirror_that_is_in_use_is_not_thrown_out(tmp_path: Path) -> None:
    kept = tmp_path / "mirrors"
    with GitHubEmulator() as github:
        for name in ("acme/a", "acme/b"):
            github.repository(name, files=FILES)
        await contents(f"{github.url}/acme/a.git", tmp_path / "a", Mirrors(kept))
        (home,) = kept.glob("*.git")
        async with locked(home.with_suffix(".lock")):
            await contents(f"{github.url}/acme/b.git", tmp_path / "b", Mirrors(kept, most_bytes=1))
            assert home.exists()


async def test_two_runs_of_one_repository_wait_for_each_other(tmp_path: Path) -> None:
    with GitHubEmulator() as github:
        github.repository(SHOP, files=FILES)
        url, kept = f"{github.url}/{SHOP}.git", tmp_path / "mirrors"
        one, two = await asyncio.gather(
            contents(url, tmp_path / "one", Mirrors(kept)),
            contents(url, tmp_path / "two", Mirrors(kept)),
        )
        assert one == two
        assert len(packs(kept)) == 1


async def test_many_fetches_end_in_few_packs(tmp_path: Path) -> None:
    with GitHubEmulator() as github:
        github.repository(SHOP, files={"a.txt": "0\n"})
        url, kept = f"{github.url}/{SHOP}.git", tmp_path / "mirrors"
        for number in range(6):
            github.commit(SHOP, "main", "a.txt", f"{number}\n", by="ana")
            seen = await contents(url, tmp_path / str(number), Mirrors(kept, most_packs=3))
            assert seen == {"a.txt": f"{number}\n".encode()}
        assert len(packs(kept)) <= 4
        assert re.fullmatch(r"[0-9a-f]{32}\.git", next(kept.glob("*.git")).name)
