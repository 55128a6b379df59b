"""A run's scratch directory is gone after the run, however the run ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.scratch import scratch

HOLDER = """
import asyncio, sys
from pathlib import Path
from pipeline.scratch import scratch

async def main():
    async with scratch(Path(sys.argv[1])) as place:
        (place / "clone").write_text("half")
        print(place, flush=True)
        sys.stdin.read()

asyncio.run(main())
"""


def holder(below: Path) -> tuple[subprocess.Popen[str], Path]:
    """Another process in the middle of its work, and where it works."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(below)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


async def test_it_is_empty_and_ones_own_and_gone_afterwards(tmp_path: Path) -> None:
    async with scratch(tmp_path) as one, scratch(tmp_path) as two:
        assert one != two
        assert names(one) == []
        assert one.stat().st_uid == os.getuid()
        (one / "file").write_text("x")
    assert names(tmp_path) == []


async def test_what_a_killed_process_left_is_swept_away_by_the_next(tmp_path: Path) -> None:
    process, place = holder(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert (place / "clone").exists()

    async with scratch(tmp_path) as mine:
        assert not place.exists()
        assert names(tmp_path) == [mine.parent.name]


async def test_what_a_living_process_holds_stays(tmp_path: Path) -> None:
    process, place = holder(tmp_path)
    async with scratch(tmp_path):
        assert (place / "clone").read_text() == "half"
    process.communicate("")
    assert names(tmp_path) == []


async def test_what_is_not_ours_stays(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    victim = tmp_path_factory.mktemp("victim")
    (victim / "held").touch()
    (tmp_path / "acp-scratch-link").symlink_to(victim)
    (tmp_path / "acp-scratch-notes").mkdir()
    async with scratch(tmp_path):
        pass
    assert names(tmp_path) == ["acp-scratch-link", "acp-scratch-notes"]
    assert names(victim) == ["held"]
