from __future__ import annotations

from typing import Any

import pytest

from pipeline.verification.kinds import Claim, Kind, misfit
from pipeline.verification.paths import (
    TestPaths,
    command_files,
    is_document,
    is_setting,
    reproduction_path,
)

BASE = ("pkg/core.py", "pkg/testing/api.py", "pkg/test/test_core.py", "pkg/test/data.json")


@pytest.mark.parametrize(
    "path",
    [
        "tests/test_x.py",
        "tests/data/golden.json",
        "pkg/tests/helpers.py",
        "test/anything.py",
        "pkg/test/data.json",
        "test_x.py",
        "pkg/x_test.py",
        "conftest.py",
        "pkg/conftest.py",
        "pytest.ini",
        "tox.ini",
        "pytest.toml",
        "pkg/__snapshots__/a.ambr",
        "app/tests.py",
        "pkg/x_test.go",
        "web/page.test.tsx",
        "web/page.spec.mjs",
        "web/jest.config.js",
    ],
)
def test_tests_and_what_belongs_to_them_are_test_paths(path: Any) -> None:
    assert TestPaths.of(BASE).match(path)


@pytest.mark.parametrize(
    "path",
    [
        "pkg/core.py",
        "pkg/testing/api.py",
        "pkg/contest.py",
        "pkg/attest/x.py",
        "latest.py",
        "api.spec.json",
    ],
)
def test_product_is_not_a_test_path(path: Any) -> None:
    assert not TestPaths.of(BASE).match(path)


@pytest.mark.parametrize(
    "path",
    ["a.pyc", "pkg/__pycache__/a.cpython-311.pyc", "sitecustomize.py", "x.pth", "e.egg-info/x"],
)
def test_code_that_runs_unasked_comes_from_the_base(path: Any) -> None:
    assert TestPaths.of(()).restored(path)


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ((), "tests/test_acp_fix_the_sieve.py"),
        (("pkg/a.py",), "tests/test_acp_fix_the_sieve.py"),
        (("a.py", "test_a.py"), "test_acp_fix_the_sieve.py"),
        (("pkg/tests/test_a.py",), "pkg/tests/test_acp_fix_the_sieve.py"),
        (("t/test_a.py", "u/test_a.py", "u/test_b.py"), "u/test_acp_fix_the_sieve.py"),
        (("tests/test_acp_fix_the_sieve.py",), "tests/test_acp_fix_the_sieve_2.py"),
    ],
)
def test_the_reproduction_fits_the_layout_and_is_new(paths: Any, expected: Any) -> None:
    assert reproduction_path(paths, "Fix the sieve!\n\nPlease.") == expected


@pytest.mark.parametrize("task", ["", "修复", "!!!", "\ud800"])
def test_a_task_without_latin_words_still_gets_a_path(task: Any) -> None:
    path = reproduction_path((), task)
    assert path.startswith("tests/test_acp_")
    assert path.isascii()


@pytest.mark.parametrize(
    "path", ["README.md", "docs/a.py", "pkg/README.rst", "LICENSE", "notes.txt"]
)
def test_documents(path: Any) -> None:
    assert is_document(path)


@pytest.mark.parametrize(
    "path", ["pkg/prompt.md", "requirements.txt", "a.py", "changes.py", "pkg/data.txt"]
)
def test_not_documents(path: Any) -> None:
    assert not is_document(path)


def test_settings_stand_at_the_top_or_are_hidden() -> None:
    assert is_setting("pyproject.toml")
    assert is_setting(".github/workflows/ci.yml")
    assert is_setting("requirements-dev.txt")
    assert not is_setting("pkg/data.json")


@pytest.mark.parametrize(
    ("kind", "changed", "said"),
    [
        (Kind.BUG, ["pkg/a.py"], ""),
        (Kind.BUG, ["pkg/data.json", "README.md"], ""),
        (Kind.BUG, [], "empty"),
        (Kind.BUG, ["README.md"], "only tests and documentation"),
        (Kind.FEATURE, ["tests/test_a.py"], "only tests"),
        (Kind.TESTS, ["tests/test_a.py", "tests/conftest.py"], ""),
        (Kind.TESTS, ["tests/test_a.py", "pkg/a.py"], "changes pkg/a.py"),
        (Kind.REFACTORING, ["README.md", "tests/test_a.py"], "only tests and documentation"),
        (Kind.DOCS, ["README.md", "mkdocs.yml"], ""),
        (Kind.DOCS, ["README.md", "pkg/a.py"], "changes pkg/a.py"),
    ],
)
def test_the_change_must_be_of_the_claimed_kind(kind: Any, changed: Any, said: Any) -> None:
    found = misfit(kind, changed, TestPaths.of(()))
    assert said in found
    assert bool(found) is bool(said)


def test_a_quote_must_stand_in_the_task_whatever_the_line_breaks() -> None:
    task = "It is\n  wrong.  Really."
    assert Claim(Kind.BUG, "It is wrong.").problem(task) == ""
    assert "word for word" in Claim(Kind.BUG, "it is fine").problem(task)
    assert "quotes nothing" in Claim(Kind.BUG, "  ").problem(task)


@pytest.mark.parametrize(
    ("argv", "files"),
    [
        (("make", "test"), {"web/GNUmakefile", "web/makefile", "web/Makefile"}),
        (("sh", "-c", "./run.sh --all && ../check.py"), {"web/run.sh", "check.py"}),
        (("npm", "test"), set()),
    ],
)
def test_the_files_of_a_command_are_known(argv: Any, files: Any) -> None:
    assert command_files(["web/run.sh", "check.py", "run.sh"], "web", argv) == files
