"""From a project's files to a plan: a pure function, so that every rule is a line in a table."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import replace

from pipeline.environment.node_plan import node_plan
from pipeline.environment.plan import ENV, Argv, Plan, Recipe
from pipeline.environment.project import Project, manifests
from pipeline.environment.python_plan import python_plan
from pipeline.environment.reports import reported

_TARGET = re.compile(r"^(test|check)\s*:(?!=)", re.MULTILINE)
_MAKEFILES = ("GNUmakefile", "makefile", "Makefile")
_PYTHON = ("pyproject.toml", "setup.py", "setup.cfg", "uv.lock", "pylock.toml", "tox.ini")


def detect(project: Project, recipe: Recipe | None = None) -> Plan:
    """How to set `project` up. What `recipe` says comes before what the files say."""
    recipe = recipe or Recipe()
    rules: tuple[Callable[[Project], Plan | None], ...] = (
        _python,
        node_plan,
        _go,
        _rust,
        _maven,
        _gradle,
        _make,
    )
    found = next((plan for rule in rules if (plan := rule(project))), None)
    plan = found or Plan("python", "nothing to install", bare=True)
    if recipe.setup:
        plan = replace(
            plan,
            source="the setup lines of .github/acp.yml",
            steps=tuple(("sh", "-ec", line) for line in recipe.setup),
            inputs=manifests(project.paths),
            bare=False,
        )
    if recipe.test:
        plan = replace(plan, test=_command(recipe.test))
    plan = reported(plan, project, recipe)
    return replace(plan, path=recipe.path, lint=recipe.lint)


def _command(line: str) -> Argv:
    """The words of a test command; pytest's own is () so that its tests are told apart."""
    try:
        words = shlex.split(line)
    except ValueError:
        words = []
    return () if words in (["pytest"], ["python", "-m", "pytest"]) else ("sh", "-c", line)


def _python(project: Project) -> Plan | None:
    named = project.first(_PYTHON) or (project.requirements and project.requirements[0])
    tests = any(
        path.endswith(".py") and path.rsplit("/", 1)[-1].startswith("test_")
        for path in project.paths
    )
    return python_plan(project) if named or tests else None


def _go(project: Project) -> Plan | None:
    if "go.mod" not in project.paths:
        return None
    inputs = tuple(name for name in ("go.mod", "go.sum") if name in project.paths)
    own = "vendor/modules.txt" in project.paths or "require" not in project.text("go.mod")
    # What tests are made of is compiled now: later the environment is read-only.
    steps = (*(() if own else (("go", "mod", "download"),)), ("go", "test", "-run=^$", "./..."))
    env = {"GOMODCACHE": f"{ENV}/go", "GOCACHE": f"{ENV}/go-build", "GOTOOLCHAIN": "local"}
    env["GOFLAGS"] = "-modcacherw"  # else nobody but root could throw it out
    test = ("go", "test", "./...")
    return Plan("go", "go.mod", steps, inputs, test, programs=("go",), env=env)


def _rust(project: Project) -> Plan | None:
    if "Cargo.toml" not in project.paths:
        return None
    inputs = tuple(name for name in ("Cargo.toml", "Cargo.lock") if name in project.paths)
    locked = ("--locked",) if "Cargo.lock" in project.paths else ()
    test = ("cargo", "test", "--offline", *locked)
    steps = (("cargo", "fetch", *locked),)
    env = {"CARGO_HOME": f"{ENV}/cargo"}
    return Plan("rust", inputs[-1], steps, inputs, test, programs=("cargo",), env=env)


def _maven(project: Project) -> Plan | None:
    if "pom.xml" not in project.paths:
        return None
    # A run of no test: only this fetches what runs them as well.
    none = ("-Dtest=none", "-DfailIfNoTests=false", "-Dsurefire.failIfNoSpecifiedTests=false")
    steps = (("mvn", "-q", "-B", "test", *none),)
    test = ("mvn", "-B", "-o", "test")
    env = {"MAVEN_OPTS": f"-Dmaven.repo.local={ENV}/maven"}
    return Plan("java", "pom.xml", steps, ("pom.xml",), test, programs=("mvn",), env=env)


def _gradle(project: Project) -> Plan | None:
    built = project.first(["build.gradle", "build.gradle.kts"])
    if not built:
        return None
    steps = (("gradle", "--no-daemon", "-q", "testClasses"),)
    inputs = tuple(name for name in (built, "gradle.lockfile") if name in project.paths)
    test = ("gradle", "--no-daemon", "--offline", "test")
    env = {"GRADLE_USER_HOME": f"{ENV}/gradle"}
    return Plan("java", built, steps, inputs, test, programs=("gradle",), env=env)


def _make(project: Project) -> Plan | None:
    name = project.first(_MAKEFILES)
    found = _TARGET.search(project.text(name)) if name else None
    if found is None:
        return None
    return Plan("make", name, (), (name,), ("make", found[1]), programs=("make",), bare=True)
