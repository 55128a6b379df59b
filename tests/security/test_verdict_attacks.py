"""A patch that forges the result instead of mending the bug never passes, wherever it hides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipeline.environment import find_environment
from pipeline.sandbox.base import Limits
from pipeline.verification.runner import canary_name, run_tests
from tests.security.forgeries import ALL_GREEN, AT_END, DESELECT, EXIT, FORGE, PATCHED
from tests.unit.verification.judging import CALC, TEST, TEST_PATH, court, strongest

if TYPE_CHECKING:
    from pathlib import Path

SHADOW = "import sys\n\nsys.exit(0)\n"
SKIPS = """
import unittest


def add(a, b):
    raise unittest.SkipTest("later")


def one():
    return 1
"""
PLUGIN = {
    "evil.egg-info/PKG-INFO": "Metadata-Version: 2.1\nName: evil\nVersion: 1\n",
    "evil.egg-info/entry_points.txt": "[pytest11]\nevil = evil\n",
    "evil.py": ALL_GREEN,
}

# By hand in files around the tests: the verdict tree does not hold them.
AROUND = {
    "conftest exits": {"conftest.py": EXIT},
    "conftest of tests exits": {"tests/conftest.py": EXIT},
    "session's end exits": {"conftest.py": AT_END},
    "reports turn green": {"conftest.py": ALL_GREEN},
    "tests are deselected": {"conftest.py": DESELECT},
    "only collecting": {"pytest.ini": "[pytest]\naddopts = --co\n"},
    "only collecting, by pyproject": {
        "pyproject.toml": '[project]\nname = "x"\n\n[tool.pytest.ini_options]\naddopts = "--co"\n'
    },
    "only collecting, by setup.cfg": {"setup.cfg": "[tool:pytest]\naddopts = --co\n"},
    "pytest is shadowed": {"pytest.py": SHADOW, "_pytest.py": SHADOW},
    "pluggy is shadowed": {"pluggy.py": SHADOW},
    "site is customised": {"sitecustomize.py": EXIT, "usercustomize.py": EXIT},
    "a plugin is planted": PLUGIN,
    "the test is replaced": {TEST_PATH: "def test_add():\n    pass\n"},
}
# In the product, where nothing can take them away.
WITHIN = {
    "exits on import": CALC["calc/__init__.py"] + EXIT,
    "forges the report": CALC["calc/__init__.py"] + FORGE,
    "patches the runner": CALC["calc/__init__.py"] + PATCHED,
    "skips": SKIPS,
}


@pytest.mark.parametrize("files", AROUND.values(), ids=AROUND)
async def test_an_attack_around_the_tests_does_not_pass(tmp_path: Path, files: Any) -> None:
    async with court(tmp_path) as it:
        verdict = await it.verdict(files)
    assert not verdict.passed
    # A shadowing module is not loaded, but noticed.
    assert verdict.reason in {"tests failed", "not verified"}


@pytest.mark.parametrize("source", WITHIN.values(), ids=WITHIN)
async def test_an_attack_within_the_product_does_not_pass(tmp_path: Path, source: Any) -> None:
    async with court(tmp_path) as it:
        verdict = await it.verdict({"calc/__init__.py": source})
    assert not verdict.passed
    assert verdict.reason in {"tests failed", "not verified"}


@pytest.mark.parametrize(
    "name",
    [name for name in AROUND if name not in {"the test is replaced", "site is customised"}],
)
async def test_an_attack_that_lies_in_the_tree_is_seen_by_the_run_itself(
    tmp_path: Path, name: Any
) -> None:
    """Without the clean tree: the canary and the report alone must not show a green run."""
    root = tmp_path / "tree"
    for path, text in {**CALC, **AROUND[name], "tests/test_add.py": TEST}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    environment = find_environment(None)
    session = await (await strongest()).open(environment.spec(root, Limits(wall_s=60)))
    try:
        run = await run_tests(session, environment, canary=canary_name())
    finally:
        await session.close()
    assert run.problem or run.red()
