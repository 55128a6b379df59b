from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.verification.hunks import changed_lines
from pipeline.verification.paths import TestPaths
from pipeline.verification.tree import restore_tables, verdict_tree
from tests.unit.verification.judging import CALC, TEST, TEST_PATH, TRUE_FIX, court

if TYPE_CHECKING:
    from pathlib import Path

OLD = (
    '[project]\nname = "x"\n\n[tool.pytest.ini_options]\naddopts = "-ra"\n\n'
    "[tool.ruff]\nline-length = 90\n"
)


async def test_the_verdict_tree_is_base_change_base_tests_and_reproduction(tmp_path: Path) -> None:
    change = {
        **TRUE_FIX,
        "tests/test_one.py": "def test_one():\n    pass\n",
        "tests/test_more.py": "def test_more():\n    pass\n",
        "conftest.py": "import os\n",
        "calc/data.txt": "new\n",
        "pyproject.toml": OLD,
    }
    async with court(tmp_path) as it:
        repository = it.repository
        found = await verdict_tree(
            repository,
            await it.patch(change),
            await it.patch({TEST_PATH: TEST}),
            TestPaths.of(CALC),
        )
        paths = await repository.paths(found.tree)
        assert set(paths) == {*CALC, "calc/data.txt", "pyproject.toml", TEST_PATH}
        one = await repository.read(found.tree, "tests/test_one.py")
        settings = tomllib.loads((await repository.read(found.tree, "pyproject.toml")).decode())
    assert settings == {"project": {"name": "x"}, "tool": {"ruff": {"line-length": 90}}}
    assert one.decode() == CALC["tests/test_one.py"]
    assert found.restored == (
        "conftest.py",
        "pyproject.toml",
        "tests/test_more.py",
        "tests/test_one.py",
    )
    assert "calc/data.txt" in found.changed
    assert found.authored == (TEST_PATH,)


@pytest.mark.parametrize(
    "new",
    [
        OLD.replace("-ra", "--co"),
        OLD.replace('addopts = "-ra"', 'addopts = "--co"\nmarkers = ["[a]"]'),
        OLD.replace("[tool.pytest.ini_options]", "[tool.'pytest'.ini_options]  # hidden").replace(
            "-ra", "--co"
        ),
        OLD.replace('[tool.pytest.ini_options]\naddopts = "-ra"\n', ""),
        OLD + "\n[tool.pytest.more]\nx = 1\n",
    ],
)
def test_pytests_tables_come_from_the_base_and_the_rest_from_the_change(new: Any) -> None:
    new = new.replace("90", "80")
    merged = tomllib.loads(restore_tables("pyproject.toml", OLD, new) or "")
    assert merged["tool"]["pytest"] == {"ini_options": {"addopts": "-ra"}}
    assert merged["tool"]["ruff"] == {"line-length": 80}


@pytest.mark.parametrize(
    "new",
    [
        'tool.pytest.ini_options.addopts = "--co"\n',
        '[tool]\npytest = {ini_options = {addopts = "--co"}}\n',
        "not toml at all [",
    ],
)
def test_what_cannot_be_taken_apart_is_the_bases_file(new: Any) -> None:
    assert restore_tables("pyproject.toml", OLD, new) == OLD


def test_a_change_elsewhere_leaves_the_file_alone() -> None:
    new = OLD.replace("90", "100")
    assert restore_tables("pyproject.toml", OLD, new) == new


def test_a_new_file_loses_its_pytest_table() -> None:
    merged = restore_tables("pyproject.toml", None, OLD) or ""
    assert "pytest" not in tomllib.loads(merged)["tool"]


def test_setup_cfg_is_treated_alike() -> None:
    old = "[metadata]\nname = x\n\n[tool:pytest]\naddopts = -ra\n"
    new = old.replace("-ra", "--co").replace("name = x", "name = y")
    merged = restore_tables("setup.cfg", old, new) or ""
    assert "addopts = -ra" in merged
    assert "name = y" in merged


def test_changed_lines_are_counted_in_the_new_file() -> None:
    diff = (
        "diff --git a/x.py b/x.py\n--- a/x.py\n+++ b/x.py\n@@ -1,3 +1,4 @@\n a\n-b\n+c\n+++ d\n e\n"
        "@@ -10,2 +11 @@\n f\n-g\n"
        "diff --git a/y.txt b/y.txt\n--- a/y.txt\n+++ b/y.txt\n@@ -0,0 +1 @@\n+z\n"
    )
    assert changed_lines(diff) == {"x.py": (2, 3, 11, 12)}


PACKAGE = '{"name": "x", "scripts": {"test": "jest"}}'


@pytest.mark.parametrize(
    ("old", "new", "merged"),
    [
        (PACKAGE, PACKAGE.replace("jest", "true").replace("x", "y"), PACKAGE.replace("x", "y")),
        (PACKAGE, '{"name": "x", "jest": {"testMatch": []}}', PACKAGE),
        (PACKAGE, "[" * 100_000, PACKAGE),
        (PACKAGE, "[1]", PACKAGE),
        (PACKAGE, None, PACKAGE),
        (None, PACKAGE, PACKAGE),
    ],
)
def test_a_package_keeps_the_bases_commands(old: Any, new: Any, merged: Any) -> None:
    assert json.loads(restore_tables("web/package.json", old, new) or "") == json.loads(merged)


async def test_pytests_tables_of_a_folder_come_from_the_base_too(tmp_path: Path) -> None:
    async with court(tmp_path, {**CALC, "api/pyproject.toml": OLD}) as it:
        change = await it.patch({"api/pyproject.toml": OLD.replace("-ra", "-p calc.forger")})
        found = await verdict_tree(it.repository, change, "", TestPaths.of(CALC))
        text = (await it.repository.read(found.tree, "api/pyproject.toml")).decode()
    assert tomllib.loads(text) == tomllib.loads(OLD)
    assert found.restored == ("api/pyproject.toml",)
