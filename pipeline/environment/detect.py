"""From a project's files to a plan: a pure function, so that every rule is a line in a table."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from importlib import resources

from pipeline.environment.node_plan import node_plan
from pipeline.environment.plan import ENV, Argv, Plan, Recipe
from pipeline.environment.project import Project, manifests
from pipeline.environment.python_plan import python_plan
from pipeline.environment.reports import reported

_TARGET = re.compile(r"^(test|check)\s*:(?!=)", re.MULTILINE)
_MAKEFILES = ("GNUmakefile", "makefile", "Makefile")
# It writes into what it has fetched, and its wrapper fetches a release of itself.
_GRADLE = (
    "projects of gradle are not set up by themselves: give `setup` and `test` in .github/acp.yml"
)
# Debian keeps these outside of /usr. Settings with passwords are not among them.
_JAVA = ("java-*/security", "java-*/*.properties", "java-*/*.cfg", "maven/m2.conf", "maven/logging")
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
            problem="",
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
    # What tests are made of is compiled now; what does not compile, the tests will say.
    compile_all = ("sh", "-c", "go test -exec /bin/true ./... >/dev/null 2>&1 || true")
    steps = (*(() if own else (("go", "mod", "download"),)), compile_all)
    env = {"GOMODCACHE": f"{ENV}/go", "GOTOOLCHAIN": "local"}
    env["GOFLAGS"] = "-modcacherw"  # else nobody but root could throw it out
    helper = resources.files("pipeline.environment.inside").joinpath("acp_go.sh")
    files = {f"{ENV}/bin/go": helper.read_text("utf-8")}
    return Plan(
        "go",
        "go.mod",
        steps,
        inputs,
        ("go", "test", "./..."),
        programs=("go",),
        env=env,
        files=files,
    )


def _rust(project: Project) -> Plan | None:
    if "Cargo.toml" not in project.paths:
        return None
    names = (".cargo/config.toml", "Cargo.toml", "Cargo.lock")
    inputs = tuple(name for name in names if name in project.paths)
    locked = ("--locked",) if "Cargo.lock" in project.paths else ()
    test = ("cargo", "test", "--offline", *locked)
    steps = (("cargo", "fetch", *locked),)
    env = {"CARGO_HOME": f"{ENV}/cargo"}
    return Plan("rust", inputs[-1], steps, inputs, test, programs=("cargo",), env=env)


def _maven(project: Project) -> Plan | None:
    if "pom.xml" not in project.paths:
        return None
    # A run of no test: only this fetches what runs them as well.
    none = ("-Dtest=*#none", "-DfailIfNoTests=false", "-Dsurefire.failIfNoSpecifiedTests=false")
    steps = (("mvn", "-q", "-B", "test", *none),)
    test = ("mvn", "-B", "-o", "test")
    env = {"MAVEN_OPTS": f"-Dmaven.repo.local={ENV}/maven"}
    return Plan("java", "pom.xml", steps, ("pom.xml",), test, programs=("mvn",), env=env, etc=_JAVA)


def _gradle(project: Project) -> Plan | None:
    built = project.first(["build.gradle", "build.gradle.kts"])
    test = ("gradle", "--no-daemon", "--offline", "test")
    return Plan("java", built, test=test, etc=_JAVA, problem=_GRADLE) if built else None


def _make(project: Project) -> Plan | None:
    name = project.first(_MAKEFILES)
    found = _TARGET.search(project.text(name)) if name else None
    if found is None:
        return None
    return Plan("make", name, (), (name,), ("make", found[1]), programs=("make",), bare=True)
