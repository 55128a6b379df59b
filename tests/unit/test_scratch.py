"""A run's scratch directory is gone after the run, however the run ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from pipeline.scratch import scratch

HOLDER = """
import asyncio, sys
from pipeline.scratch import scratch

async def main():
    async with scratch() as place:
        (place / "clone").write_text("half")
        print(place, flush=True)
        sys.stdin.read()

asyncio.run(main())
"""


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary directory of this test's own."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def holder() -> tuple[subprocess.Popen[str], Path]:
    """Another process in the middle of its work, and where it works."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


async def test_it_is_empty_and_ones_own_and_gone_afterwards(elsewhere: Path) -> None:
    async with scratch() as one, scratch() as two:
        assert one != two
        assert names(one) == []
        assert one.stat().st_uid == os.getuid()
        (one / "file").write_text("x")
    assert names(elsewhere) == []


async def test_what_a_killed_process_left_is_swept_away_by_the_next(elsewhere: Path) -> None:
    process, place = holder()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert (place / "clone").exists()

    async with scratch() as mine:
        assert not place.exists()
        assert names(elsewhere) == [mine.parent.name]


async def test_what_a_living_process_holds_stays(elsewhere: Path) -> None:
    process, place = holder()
    async with scratch():
        assert (place / "clone").read_text() == "half"
    process.communicate("")
    assert names(elsewhere) == []


async def test_what_is_not_ours_stays(
    elsewhere: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    victim = tmp_path_factory.mktemp("victim")
    (victim / "held").touch()
    (elsewhere / "acp-scratch-link").symlink_to(victim)
    (elsewhere / "acp-scratch-notes").mkdir()
    async with scratch():
        pass
    assert names(elsewhere) == ["acp-scratch-link", "acp-scratch-notes"]
    assert names(victim) == ["held"]
