"""From a project's files to a plan: a pure function, so that every rule is a line in a table."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pipeline.environment.plan import Argv, Plan, Recipe
from pipeline.environment.project import Project, manifests
from pipeline.environment.python_plan import python_plan

_NO_TEST = "no test specified"
_TARGET = re.compile(r"^(test|check)\s*:(?!=)", re.MULTILINE)
_MAKEFILES = ("GNUmakefile", "makefile", "Makefile")
_PYTHON = ("pyproject.toml", "setup.py", "setup.cfg", "uv.lock", "pylock.toml", "tox.ini")


def detect(project: Project, recipe: Recipe | None = None) -> Plan:
    """How to set `project` up. What `recipe` says comes before what the files say."""
    recipe = recipe or Recipe()
    rules: tuple[Callable[[Project], Plan | None], ...] = (
        _python,
        _node,
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


def _node(project: Project) -> Plan | None:
    package = _json(project.text("package.json"))
    scripts = package.get("scripts")
    script = scripts.get("test") if isinstance(scripts, dict) else None
    if not isinstance(script, str) or _NO_TEST in script:
        return None
    tool, lock, install = _node_install(project, str(package.get("packageManager", "")))
    needs = any(package.get(f"{kind}ependencies") for kind in ("d", "devD", "optionalD", "peerD"))
    return Plan(
        "node",
        lock or "package.json",
        (install,) if needs else (),
        tuple(name for name in ("package.json", lock) if name),
        (tool, "test"),
        programs=("node", tool),
        bare=not needs,
    )


def _node_install(project: Project, manager: str) -> tuple[str, str, Argv]:
    """Tool, lock file and command. Scripts of packages do not run: a set-up line can ask for it."""
    if "pnpm-lock.yaml" in project.paths or manager.startswith("pnpm"):
        lock = project.first(["pnpm-lock.yaml"])
        frozen = ("--frozen-lockfile",) if lock else ()
        return "pnpm", lock, ("pnpm", "install", "--ignore-scripts", *frozen)
    if "yarn.lock" in project.paths or manager.startswith("yarn"):
        lock = project.first(["yarn.lock"])
        if manager.startswith("yarn@") and not manager.startswith("yarn@1"):
            return "yarn", lock, ("yarn", "install", "--immutable", "--mode=skip-build")
        frozen = ("--frozen-lockfile",) if lock else ()
        return "yarn", lock, ("yarn", "install", "--ignore-scripts", *frozen)
    lock = project.first(["package-lock.json", "npm-shrinkwrap.json"])
    words = ("ci",) if lock else ("install", "--no-package-lock")
    return "npm", lock, ("npm", *words, "--ignore-scripts", "--no-audit", "--no-fund")


def _go(project: Project) -> Plan | None:
    if "go.mod" not in project.paths:
        return None
    inputs = tuple(name for name in ("go.mod", "go.sum") if name in project.paths)
    needs = "require" in project.text("go.mod")
    steps = (("go", "mod", "download"),) if needs else ()
    return Plan("go", "go.mod", steps, inputs, ("go", "test", "./..."), programs=("go",))


def _rust(project: Project) -> Plan | None:
    if "Cargo.toml" not in project.paths:
        return None
    inputs = tuple(name for name in ("Cargo.toml", "Cargo.lock") if name in project.paths)
    locked = ("--locked",) if "Cargo.lock" in project.paths else ()
    test = ("cargo", "test", "--offline", *locked)
    steps = (("cargo", "fetch", *locked),)
    return Plan("rust", inputs[-1], steps, inputs, test, programs=("cargo",))


def _maven(project: Project) -> Plan | None:
    if "pom.xml" not in project.paths:
        return None
    steps = (("mvn", "-q", "-B", "dependency:go-offline"),)
    test = ("mvn", "-B", "-o", "test")
    return Plan("java", "pom.xml", steps, ("pom.xml",), test, programs=("mvn",))


def _gradle(project: Project) -> Plan | None:
    built = project.first(["build.gradle", "build.gradle.kts"])
    if not built:
        return None
    steps = (("gradle", "--no-daemon", "-q", "testClasses"),)
    inputs = tuple(name for name in (built, "gradle.lockfile") if name in project.paths)
    test = ("gradle", "--no-daemon", "--offline", "test")
    return Plan("java", built, steps, inputs, test, programs=("gradle",))


def _make(project: Project) -> Plan | None:
    name = project.first(_MAKEFILES)
    found = _TARGET.search(project.text(name)) if name else None
    if found is None:
        return None
    return Plan("make", name, (), (name,), ("make", found[1]), programs=("make",), bare=True)


def _json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
