"""How a Python project is set up: the first of its lock files, lists and tables that says it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pipeline.environment.locked import listed, pins, poetry_needs
from pipeline.environment.plan import ENV, Argv, Plan
from pipeline.environment.project import Project, ini

# For tests alone first; what developers install as well comes second, as it is often much more.
_FOR_TESTS = ("test", "tests", "testing")
_FOR_ALL = ("dev", "develop", "development")
_LISTS = (
    (r"requirements", r"requirements/(base|main|requirements)"),
    (r"(requirements[-_.]|requirements/)(tests?|testing|ci)", r"tests?[-_]?requirements"),
    (r"tests?/requirements", r"testing[-_]requirements"),
    (r"(requirements[-_.]|requirements/)(dev|develop|development)", r"dev[-_]?requirements"),
)
_LOCK = f"{ENV}/locked.txt"
_INSTALL = ("uv", "pip", "install")
# A factor before the dependency (`py38: six`) chooses the environments that it is for.
_FACTOR = re.compile(r"^[\w,{}!.-]+:\s")


def python_plan(project: Project) -> Plan:
    """The plan of a project that holds Python."""
    for rule in (_uv_lock, _poetry_lock, _pdm_lock, _pylock):
        if plan := rule(project):
            return plan
    words, told = _listed(project)
    if not words:
        return Plan("python", "nothing to install", bare=True, python=_wish(project))
    return _plan(project, " and ".join(told), ((*_INSTALL, *words),))


def _plan(project: Project, source: str, steps: Sequence[Argv]) -> Plan:
    names = ("pyproject.toml", "setup.py", "setup.cfg", "tox.ini", ".python-version", "PKG-INFO")
    locks = ("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml")
    inputs = [name for name in (*names, *locks) if name in project.paths]
    # The last step finds pytest there already, unless nothing has asked for it.
    every = (*steps, (*_INSTALL, "pytest"))
    inputs += project.requirements
    return Plan("python", source, every, tuple(inputs), python=_wish(project))


def _uv_lock(project: Project) -> Plan | None:
    if "uv.lock" not in project.paths:
        return None
    extras = _chosen(project.table("project", "optional-dependencies"))
    groups = [name for name in _chosen(project.table("dependency-groups")) if name != "dev"]
    words = [*_each("--extra", extras), *_each("--group", groups)]
    if project.table("tool", "uv", "workspace"):
        words.append("--all-packages")
    # Not `uv sync`: a lock names the addresses of its files, and the operator may have a mirror.
    export = ("uv", "export", "-q", "--frozen", "--no-header", *words, "-o", _LOCK)
    return _plan(project, "uv.lock", (export, (*_INSTALL, "--no-deps", "-r", _LOCK)))


def _poetry_lock(project: Project) -> Plan | None:
    if "poetry.lock" not in project.paths:
        return None
    poetry = project.table("tool", "poetry")
    main = (
        [] if _declared(project) else poetry_needs(project.table("tool", "poetry", "dependencies"))
    )
    groups = {name: of.get("dependencies") for name, of in _groups_of_poetry(poetry)}
    if "dev-dependencies" in poetry:
        groups.setdefault("dev", poetry["dev-dependencies"])
    chosen = _chosen([*groups, *project.table("dependency-groups")])
    for name in chosen:
        main += poetry_needs(groups.get(name))
    return _pinned(project, "poetry.lock", main, chosen)


def _pdm_lock(project: Project) -> Plan | None:
    if "pdm.lock" not in project.paths:
        return None
    own = project.table("tool", "pdm", "dev-dependencies")
    chosen = _chosen([*own, *project.table("dependency-groups")])
    words = [need for name in chosen for need in listed(own.get(name))]
    return _pinned(project, "pdm.lock", words, chosen)


def _groups_of_poetry(poetry: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    found = poetry.get("group")
    pairs = found.items() if isinstance(found, dict) else ()
    return ((name, group) for name, group in pairs if isinstance(group, dict))


def _pinned(project: Project, lock: str, words: Sequence[str], groups: Sequence[str]) -> Plan:
    """What the project and these words ask for, at the lock's versions."""
    known = project.table("dependency-groups")
    words = [*_own(project), *words, *_each("--group", [one for one in groups if one in known])]
    steps = ((*_INSTALL, "-c", _LOCK, *words),) if words else ()
    return replace(_plan(project, lock, steps), files={_LOCK: pins(project.text(lock))})


def _own(project: Project) -> list[str]:
    """The project itself with what its tests need, or only its dependencies if it is no package."""
    extras = _extras(project)
    if _installable(project) and project.table("tool", "poetry").get("package-mode") is not False:
        return ["-e", f".[{','.join(extras)}]" if extras else "."]
    return ["-r", "pyproject.toml", *_each("--extra", extras)] if _declared(project) else []


def _declared(project: Project) -> bool:
    """Whether what it depends on stands where every tool looks."""
    return bool(project.table("project").get("dependencies"))


def _pylock(project: Project) -> Plan | None:
    if "pylock.toml" not in project.paths:
        return None
    locked = (*_INSTALL, "-r", "pylock.toml")
    return _plan(project, "pylock.toml", (locked, *_alone(project)))


def _alone(project: Project) -> tuple[Argv, ...]:
    return ((*_INSTALL, "--no-deps", "-e", "."),) if _installable(project) else ()


def _listed(project: Project) -> tuple[list[str], list[str]]:
    """Words for the installer from everything that is not a lock, and what told them."""
    lists = _lists(project)
    words, told = _each("-r", lists), list(lists)
    tested = any(not re.fullmatch(_LISTS[0][0], path.removesuffix(".txt")) for path in lists)
    extras = [] if tested else _extras(project)
    groups = [] if tested else _chosen(project.table("dependency-groups"))
    if _installable(project):
        words += ["-e", f".[{','.join(extras)}]" if extras else "."]
        told += [f"extra {name}" for name in extras] or [_builder(project)]
    elif _declared(project):
        words += ["-r", "pyproject.toml", *_each("--extra", extras)]
        told.append("pyproject.toml")
    words += _each("--group", groups)
    told += [f"group {name}" for name in groups]
    if not (tested or extras or groups):
        more, name = _by_tox(project)
        words += more or _tests_require(project)
        told += [name] if more else []
    return words, told


def _lists(project: Project) -> list[str]:
    """Files of requirements: the main one, and those for tests, or else for developers."""
    named = [(path, path.removesuffix(".txt")) for path in project.requirements]

    def of(patterns: Iterable[str]) -> list[str]:
        whole = re.compile("|".join(f"(?:{pattern})" for pattern in patterns))
        return [path for path, stem in named if whole.fullmatch(stem)]

    return [*of(_LISTS[0]), *(of((*_LISTS[1], *_LISTS[2])) or of(_LISTS[3]))]


def _installable(project: Project) -> bool:
    """Whether the project is a package; a pyproject.toml alone may only hold settings."""
    metadata = project.setup_cfg.has_section("metadata") or project.setup_cfg.has_section("options")
    return "build-system" in project.pyproject or "setup.py" in project.paths or metadata


def _builder(project: Project) -> str:
    return project.first(("setup.py", "pyproject.toml", "setup.cfg"))


def _extras(project: Project) -> list[str]:
    tables = (
        project.table("project", "optional-dependencies"),
        project.table("tool", "poetry", "extras"),
        project.table("tool", "flit", "metadata", "requires-extra"),
        _section(project, "options.extras_require"),
        _argument(project, "extras_require"),
    )
    return next((chosen for table in tables if (chosen := _chosen(table))), [])


def _section(project: Project, name: str) -> Sequence[str]:
    return project.setup_cfg.options(name) if project.setup_cfg.has_section(name) else ()


def _chosen(names: Iterable[str]) -> list[str]:
    """Of the names of extras or groups those that tests need."""
    known = list(names)
    for wanted in (_FOR_TESTS, _FOR_ALL):
        if found := [name for name in known if name.lower() in wanted]:
            return found
    return []


def _by_tox(project: Project) -> tuple[list[str], str]:
    """Words from the `deps` and `extras` of tox's environment for tests."""
    for name in ("tox.ini", "setup.cfg"):
        tox = ini(project.text(name))
        if tox.has_section("testenv"):
            lines = tox.get("testenv", "deps", fallback="").splitlines()
            words = [word for line in lines for word in _tox_words(line)]
            if words:
                return words, f"the deps of {name}"
    return [], ""


def _tox_words(line: str) -> list[str]:
    line = line.partition(" #")[0].strip().replace("{toxinidir}/", "")
    if not line or line.startswith("#") or "{" in line or _FACTOR.match(line):
        return []
    if line.startswith(("-r", "-c")):
        return [line[:2], line[2:].strip()]
    return [] if line.startswith("-") else [line]


def _tests_require(project: Project) -> list[str]:
    found = project.setup_cfg.get("options", "tests_require", fallback="").splitlines()
    return [line.strip() for line in found if line.strip()] or _argument(project, "tests_require")


def _argument(project: Project, name: str) -> list[str]:
    """Literal strings of a list, or keys of a dict, that setup.py hands to `setup`."""
    try:
        tree = ast.parse(project.text("setup.py"))
    except (SyntaxError, ValueError, RecursionError):
        return []
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        for keyword in call.keywords:
            if keyword.arg == name:
                value = keyword.value
                inner = value.keys if isinstance(value, ast.Dict) else getattr(value, "elts", [])
                plain = (one.value for one in inner if isinstance(one, ast.Constant))
                return [text for text in plain if isinstance(text, str)]
    return []


def _wish(project: Project) -> str:
    """The interpreter that is asked for: an exact version, or a specifier, or ""."""
    lines = project.text(".python-version").split()
    if lines and re.fullmatch(r"\d+\.\d+(\.\d+)?", lines[0]):
        return lines[0]
    told = (
        project.table("project").get("requires-python"),
        project.setup_cfg.get("options", "python_requires", fallback=""),
        project.table("tool", "poetry", "dependencies").get("python"),
    )
    return next((text for text in told if isinstance(text, str) and text), "")


def _each(flag: str, names: Iterable[str]) -> list[str]:
    return [word for name in names for word in (flag, name)]
