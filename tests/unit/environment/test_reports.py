"""Which commands tell of single tests, and where the files of a report are looked for."""

from __future__ import annotations

import json

import pytest

from pipeline.environment.detect import detect
from pipeline.environment.plan import Recipe
from pipeline.environment.project import Project
from pipeline.environment.reports import files_named, matches

SUREFIRE = ("junit", "**/target/surefire-reports/TEST-*.xml")


def package(script: str, **more: str) -> dict[str, str]:
    return {"package.json": json.dumps({"scripts": {"test": script, **more}})}


NODE = {
    "its own search": "node --test",
    "a folder": "node --test test/",
    "a pattern": "node --test 'test/**/*.test.js'",
    "what is loaded first": "node --import tsx --test test/a.ts",
    "a flag": "node --test --test-concurrency=1",
}


@pytest.mark.parametrize("script", NODE.values(), ids=NODE)
def test_nodes_own_runner_tells_of_single_tests(script: str) -> None:
    plan = detect(Project.of(package(script)))
    assert (plan.test, plan.report) == (("sh", "-c", script), ("node",))


def test_a_reporter_that_the_script_names_gives_way_to_ours() -> None:
    plan = detect(Project.of(package("node --test --test-reporter=spec --test-reporter dot a.js")))
    assert plan.test == ("sh", "-c", "node --test a.js")


NOT_PLAINLY = {
    "another runner": package("vitest run"),
    "two commands": package("tsc && node --test"),
    "a pipe": package("node --test | cat"),
    "a variable": package("X=1 node --test"),
    "a script with that argument": package("node run.js --test"),
    "a choice of tests": package("node --test --test-name-pattern=a"),
    "what only some tests are": package("node --test --test-only"),
    "a command before": package("node --test", pretest="tsc"),
    "a command behind": package("node --test", posttest="rm x"),
    "yarn": {**package("node --test"), "yarn.lock": "# yarn lockfile v1\n"},
    "quotes without an end": package("node --test 'a"),
    "make": {"Makefile": "test:\n\tnode --test\n"},
}


@pytest.mark.parametrize("files", NOT_PLAINLY.values(), ids=NOT_PLAINLY)
def test_what_is_not_plainly_that_runner_counts_as_one(files: dict[str, str]) -> None:
    assert detect(Project.of(files)).report == ()


TOLD = {
    "go": ({"go.mod": "module x\n"}, Recipe(), ("go",)),
    "go by its line": ({"Makefile": "test:\n"}, Recipe(test="go test -race ./..."), ("go",)),
    "a choice of go's tests": ({}, Recipe(test="go test -run X ./..."), ()),
    "node by its line": ({}, Recipe(test="node --test src"), ("node",)),
    "maven": ({"pom.xml": ""}, Recipe(), SUREFIRE),
    "maven by another line": ({"pom.xml": ""}, Recipe(test="mvn verify"), ()),
    "gradle": (
        {"build.gradle": ""},
        Recipe(),
        ("junit", "**/build/test-results/**/TEST-*.xml"),
    ),
    "a glob beside a command": (
        {"Makefile": "test:\n"},
        Recipe(report="out/*.xml"),
        ("junit", "out/*.xml"),
    ),
    "a glob before what is known": (
        package("node --test"),
        Recipe(report="out/*.xml"),
        ("junit", "out/*.xml"),
    ),
    "pytest, which tells by itself": ({}, Recipe(test="pytest", report="out/*.xml"), ()),
}


@pytest.mark.parametrize(("files", "recipe", "report"), TOLD.values(), ids=TOLD)
def test_what_tells_of_single_tests(
    files: dict[str, str], recipe: Recipe, report: tuple[str, ...]
) -> None:
    assert detect(Project.of(files), recipe).report == report


def test_a_module_of_maven_that_fails_keeps_no_other_from_running() -> None:
    assert detect(Project.of({"pom.xml": ""})).test == ("mvn", "-B", "-o", "test", "-fae")


@pytest.mark.parametrize(
    ("line", "files"),
    [
        ("node --test", []),
        ("node --import tsx --test --test-timeout=9 a.ts b/", ["a.ts", "b/"]),
        ("node --test --import tsx a.ts", ["a.ts"]),
    ],
)
def test_the_files_of_a_line_are_known(line: str, files: list[str]) -> None:
    assert files_named(line) == files


@pytest.mark.parametrize(
    ("path", "glob", "is_meant"),
    [
        ("reports/a.xml", "reports/*.xml", True),
        ("reports/deep/a.xml", "reports/*.xml", False),
        ("reports/a.xml", "reports/**/*.xml", True),
        ("reports/deep/er/a.xml", "reports/**/*.xml", True),
        ("other/reports/a.xml", "reports/**/*.xml", False),
        ("a/target/surefire-reports/TEST-b.xml", SUREFIRE[1], True),
        ("target/surefire-reports/b.xml", SUREFIRE[1], False),
        ("a.xml", "./a.xml", True),
        ("a/" * 500 + "b", "**/" * 66 + "c", False),
    ],
)
def test_a_glob_means_paths(path: str, glob: str, is_meant: bool) -> None:
    assert matches(path, glob) is is_meant
