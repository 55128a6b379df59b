"""The demos, as a newcomer starts them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.needs_bubblewrap, pytest.mark.slow]
BARE = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent"}
ROOT = Path(__file__).parents[2]


def demo(*flags: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "bot", "demo", *flags],
        env=BARE | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_demo_shows_the_loop_and_says_what_is_scripted() -> None:
    code, said = demo()
    assert code == 0
    assert said.count("SCRIPTED") == 2
    for part in (
        "testing said no",
        "iteration 2 of 3",
        "COMPLETED after 2 iterations",
        "+    comp",
    ):
        assert part in said
    assert "git log --stat main..acp/" in said


def test_the_demo_on_github_ends_with_a_pull_request_to_read() -> None:
    code, said = demo("--github")
    assert code == 0
    for part in ("EMULATED", "SCRIPTED", "reacts with eyes", "opens pull request #2", "rocket"):
        assert part in said
    home = Path(said.partition("kept in ")[2].partition(":")[0])
    page = (home / "pull-request.html").read_text("utf-8")
    assert "Taken for a bug" in page
    assert "test_output" in page
