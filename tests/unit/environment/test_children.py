"""Pythons that a test starts tell whether they ran certain lines, and are else as they were."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.environment.inside.acp_children import Watched

SCRIPT = "import sys\n\nif len(sys.argv) > 1:\n    print('more')\nprint('done')\n"


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "tool.py"
    path.write_text(SCRIPT)
    return path


@pytest.fixture
def watched(script: Path) -> Iterator[Watched]:
    found = Watched({str(script): {4}})
    yield found
    found.close()


def run(script: Path, *words: str) -> str:
    argv = [sys.executable, script.name, *words]
    return subprocess.run(
        argv, cwd=script.parent, capture_output=True, text=True, check=True
    ).stdout


def test_only_a_test_whose_child_runs_the_line_is_told(script: Path, watched: Watched) -> None:
    assert run(script) == "done\n"
    assert watched.reached() == set()
    assert run(script, "x") == "more\ndone\n"
    (told,) = watched.reached()
    assert told.endswith("::test_only_a_test_whose_child_runs_the_line_is_told")


def test_a_customisation_of_the_projects_own_still_runs(
    script: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (script.parent / "sitecustomize.py").write_text("print('ours')\n")
    monkeypatch.setenv("PYTHONPATH", str(script.parent))
    watched = Watched({str(script): {4}})
    assert run(script, "x") == "ours\nmore\ndone\n"
    assert len(watched.reached()) == 1
    watched.close()
    assert run(script) == "ours\ndone\n"
