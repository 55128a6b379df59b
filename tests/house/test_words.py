"""What must not stand in the tree: unowned wishes, patched tests, registries, machine paths."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
THIS = "tests/house/test_words.py"
FORBIDDEN = {
    "a wish without an owner": re.compile(r"\b(TODO|FIXME|XXX)\b(?!\(\w)"),
    "a patched test": re.compile(
        r"unittest\.mock|from unittest import mock|mocker\.|MagicMock|monkeypatch\.setattr"
    ),
    "a registry's host": re.compile(r"pypi\.org|files\.pythonhosted|registry\.npmjs|deb\.debian"),
    "a path of one machine": re.compile(r"/(work|root|home/\w+)/(main|shared|farm)\b"),
}
TEXT = {".py", ".md", ".toml", ".yml", ".yaml", ".json", ".lock", ".ts", ".js", ".html", ".css", ""}


def tracked() -> list[str]:
    done = subprocess.run(
        ["git", "ls-files", "-coz", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    return [name for name in done.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("rule", FORBIDDEN)
def test_the_tree_is_free_of(rule: str) -> None:
    hits = []
    for name in tracked():
        path = ROOT / name
        if path.suffix not in TEXT or name in (THIS, "pyproject.toml"):
            continue
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1):
            if FORBIDDEN[rule].search(line):
                hits.append(f"{name}:{number}: {line.strip()[:120]}")
    assert hits == []


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) < 150
