"""The page of attacks names a test for every one of them, and none that there is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/reference/attacks.md").read_text("utf-8")
ROWS = re.findall(r"^\| (?!Attack|---)(.+?) \| .+ \| (.*) \|$", PAGE, re.MULTILINE)
TESTS = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)
}


def test_the_page_has_its_rows() -> None:
    assert len(ROWS) == PAGE.count("\n| ") - 2


@pytest.mark.parametrize(("attack", "tests"), ROWS)
def test_an_attack_is_tried_by_tests_that_there_are(attack: str, tests: str) -> None:
    named = set(re.findall(r"`(test_\w+)`", tests))
    assert named, attack
    assert named <= TESTS
