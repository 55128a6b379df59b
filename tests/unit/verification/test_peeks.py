"""Product code that asks whether it is being tested is told from code that only speaks of tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.verification.peeks import mentions
from tests.unit.verification.judging import CALC, TRUE_FIX, court

PEEK = "import os\n\nif 'PYTEST_CURRENT_TEST' in os.environ:\n    one = None\n"
FIX = TRUE_FIX["calc/__init__.py"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import pytest\n", ["pytest"]),
        ("from _pytest import reports\n", ["_pytest"]),
        ("if 'pytest' in sys.modules:\n    x = 1\n", ["pytest"]),
        ("if os.environ.get('PYTEST_VERSION'):\n    x = 1\n", ["PYTEST_VERSION"]),
        ("for name in glob('*'):\n    if name == '.acp-x':\n        y = 1\n", [".acp-x"]),
        ("if 'unittest' in sys.modules:\n    x = 1\n", ["unittest"]),
        ("open('/workspace/data/x.json')\n", ["/workspace/data/x.json"]),
        ("print('in /workspace')\nopen('/workspaces')\n", []),
        ("from unittest import TestCase\n", []),
        ('"""Run it with pytest."""\n', []),
        ("print('run pytest first')\n", []),
        ("# pytest\nx = 1\n", []),
        ("def (", []),
    ],
)
def test_what_counts_as_asking(source: str, said: list[str]) -> None:
    assert [what for _, what in mentions(source)] == said


@pytest.mark.parametrize(
    ("files", "change", "task", "found"),
    [
        ({}, {"calc/__init__.py": FIX + PEEK}, "It is wrong.", 1),
        ({}, {"calc/new.py": PEEK, "calc/__init__.py": FIX}, "It is wrong.", 1),
        ({}, {"calc/__init__.py": FIX + PEEK}, "Mind PYTEST_CURRENT_TEST.", 0),
        ({}, {"calc/__init__.py": FIX, "tests/test_b.py": "import pytest\n"}, "It is wrong.", 0),
        ({}, {"calc/__init__.py": FIX, "noxfile.py": PEEK}, "It is wrong.", 0),
        ({"calc/p.py": PEEK}, {"calc/p.py": PEEK + "two = 2\n"}, "It is wrong.", 0),
    ],
)
async def test_only_what_is_new_and_not_asked_for_is_held_against_a_change(
    tmp_path: Path, files: dict[str, str], change: dict[str, str], task: str, found: int
) -> None:
    async with court(tmp_path, {**CALC, **files}, task=f"add() is wrong\n\n{task}") as it:
        evidence = await it.judge(change)
    assert len(evidence.peeks) == found
    assert ("Asks whether it is being tested" in evidence.render()) is bool(found)
