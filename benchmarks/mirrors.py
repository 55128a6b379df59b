"""The second clone of a repository over HTTP: whole, and by way of its mirror."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

from benchmarks.timing import Work, race, show
from bot.emulators.github import GitHubEmulator
from pipeline.workspace.mirrors import Mirrors
from pipeline.workspace.repository import Repository

SHOP = "acme/shop"
FILES = 2000
KILOBYTES = 4


async def mirrors() -> None:
    """Each round commits one change, then clones."""
    chance = random.Random(7)
    files = {f"d{n % 40}/f{n}.txt": chance.randbytes(KILOBYTES * 512).hex() for n in range(FILES)}
    with GitHubEmulator() as github, tempfile.TemporaryDirectory() as home:
        github.repository(SHOP, files=files)
        kept = Mirrors(Path(home) / "mirrors")
        contestants = {
            "clone --depth 1": _clone(github, Path(home), None),
            "the same by its mirror": _clone(github, Path(home), kept),
        }
        rows = await race(contestants, rounds=5)
    show(f"second clone: {FILES} files, {FILES * KILOBYTES / 1024:.0f} MB", rows)


def _clone(github: GitHubEmulator, home: Path, kept: Mirrors | None) -> Work:
    rounds = iter(range(1_000_000))

    async def work() -> None:
        github.commit(SHOP, "main", "d1/f1.txt", f"{next(rounds)}", by="ana")
        with tempfile.TemporaryDirectory(dir=home) as scratch:
            url = f"{github.url}/{SHOP}.git"
            async with await Repository.open(url, scratch=Path(scratch), mirrors=kept):
                pass

    return work
