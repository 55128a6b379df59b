"""Where the tester may write its test: by the runner of the project, beside the tests there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.environment import Environment
from pipeline.verification.paths import TestPaths
from pipeline.verification.placing import test_path as path_of
from pipeline.verification.stacks import how_to_write

PYTHON = Environment("python", "label", "launcher", "last")
NODE = replace(PYTHON, test=("sh", "-c", "node --test"), report=("node",))
GO = replace(PYTHON, test=("go", "test", "./..."), report=("go",))
JUNIT = replace(PYTHON, test=("make", "test"), report=("junit", "out/*.xml"))
MAKE = replace(PYTHON, test=("make", "test"))
BOTH = replace(PYTHON, parts=(replace(PYTHON, folder="api"), replace(NODE, folder="web")))
PLACES = {
    "node, beside its tests": (NODE, ["a.js", "test/a.test.js"], "test/acp_fix_it.test.js"),
    "node, as most of them end": (
        NODE,
        ["src/a.test.ts", "src/b.test.ts", "test/c.test.js"],
        "src/acp_fix_it.test.ts",
    ),
    "node, without tests": (NODE, ["a.js"], "test/acp_fix_it.test.mjs"),
    "node, in a folder": (
        replace(NODE, folder="web"),
        ["web/a.js"],
        "web/test/acp_fix_it.test.mjs",
    ),
    "go": (GO, ["calc/a.go", "calc/a_test.go"], "calc/acp_fix_it_test.go"),
    "go, without tests": (GO, ["a.go"], "acp_fix_it_test.go"),
    "java": (JUNIT, ["src/test/java/d/CalcTest.java"], "src/test/java/d/AcpFixItTest.java"),
    "ruby": (JUNIT, ["spec/calc_spec.rb"], "spec/acp_fix_it_spec.rb"),
    "php": (JUNIT, ["tests/CalcTest.php"], "tests/AcpFixItTest.php"),
    "a report, but no test of a known form": (JUNIT, ["calc.c"], "tests/test_acp_fix_it.py"),
    "a command that tells of none": (MAKE, ["a.test.js"], "tests/test_acp_fix_it.py"),
    "python": (PYTHON, ["tests/test_a.py", "web/a.test.js"], "tests/test_acp_fix_it.py"),
    "the project with more tests": (
        BOTH,
        ["api/test_a.py", "web/a.test.js", "web/b.test.js"],
        "web/acp_fix_it.test.js",
    ),
    "the other one with more": (
        BOTH,
        ["api/test_a.py", "api/test_b.py", "web/a.test.js"],
        "api/test_acp_fix_it.py",
    ),
}


@pytest.mark.parametrize(("known", "paths", "place"), PLACES.values(), ids=PLACES)
def test_the_tester_writes_beside_the_tests_of_the_runner(
    known: Environment, paths: list[str], place: str
) -> None:
    assert path_of(paths, "Fix it", known) == place
    assert TestPaths.of(paths).match(place)


def test_a_name_that_is_taken_is_passed_over() -> None:
    paths = ["test/a.test.js", "test/acp_fix_it.test.js"]
    assert path_of(paths, "Fix it", NODE) == "test/acp_fix_it2.test.js"


def test_the_tester_is_told_how_tests_are_written_here() -> None:
    assert how_to_write(MAKE, "tests/test_a.py") == ""
    assert "node:test" in how_to_write(NODE, "a.test.js")
    assert "t.Errorf" in how_to_write(GO, "a_test.go")
    assert "`make test`" in how_to_write(JUNIT, "a_spec.rb")
