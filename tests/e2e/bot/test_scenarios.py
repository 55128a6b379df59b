"""The page of scenarios names every conversation, and no test that there is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs/reference/scenarios.md"
ROWS = dict(re.findall(r"^\| (\d\d) \|.*\| (.*) \|$", PAGE.read_text("utf-8"), re.MULTILINE))
_TEST = re.compile(r"^(?:async )?def (test_((?:\d\d_)+)\w+)", re.MULTILINE)


def _tests(*folders: str) -> dict[str, set[str]]:
    """Number -> names of its tests below the folders."""
    found: dict[str, set[str]] = {number: set() for number in ROWS}
    for path in (path for one in folders for path in (ROOT / one).rglob("test_*.py")):
        for one in _TEST.finditer(path.read_text("utf-8")):
            for number in one[2].strip("_").split("_"):
                found.setdefault(number, set()).add(one[1])
    return found


HERE, ALL = _tests("tests/e2e/bot", "tests/e2e/jira"), _tests("tests")


def test_the_page_has_every_scenario_once() -> None:
    assert sorted(ROWS) == [f"{number:02}" for number in range(1, 77)]


@pytest.mark.parametrize("number", sorted(HERE))
def test_a_scenario_names_its_tests_or_says_why_there_is_none(number: str) -> None:
    named = set(re.findall(r"`(test_\w+)`", ROWS[number]))
    assert HERE[number] <= named <= ALL[number]
    assert named or ROWS[number] == "later"
