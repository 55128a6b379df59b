"""How a JavaScript project is set up: its package manager, in the version that it asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources

from pipeline.environment.plan import ENV, Argv, Plan
from pipeline.environment.project import Project, table_of

_NO_TEST = "no test specified"
_INPUTS = ("package.json", ".npmrc", ".yarnrc.yml", "pnpm-workspace.yaml")
_KINDS = ("d", "devD", "optionalD", "peerD")
# Scripts of packages do not run: a set-up line can ask for it.
_NPM = ("npm", "--ignore-scripts", "--no-audit", "--no-fund")
_ASKED = re.compile(r"(npm|pnpm|yarn)@(\d+\.\d+\.\d+(?:-[\w.]+)?)(?:\+.*)?")
_FORMAT = re.compile(r"lockfileVersion: '?(\d+)")
_CLASSIC = "# yarn lockfile v1"
_RUN_YARN = f"{ENV}/acp_yarn.cjs"
# The newest releases that write the formats of locks before 9.
_PNPM = {"5": "7", "6": "8"}
_PNPM_NOW, _YARN_NOW = "10", "4"


@dataclass(frozen=True, slots=True)
class _Manager:
    """`package` is what npm installs to have it; "" for npm itself, which comes with Node."""

    name: str
    package: str
    lock: str
    install: Argv
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


def node_plan(project: Project) -> Plan | None:
    """The plan of a project whose package.json tells how it is tested."""
    package = table_of(project.text("package.json"))
    scripts = package.get("scripts")
    script = scripts.get("test") if isinstance(scripts, dict) else None
    if not isinstance(script, str) or _NO_TEST in script:
        return None
    manager = _manager(project, str(package.get("packageManager", "")))
    needs = any(package.get(f"{kind}ependencies") for kind in _KINDS) or "workspaces" in package
    fetch = (*_NPM, "install", "--global", "--prefix", ENV, manager.package)
    steps = ((fetch,) if manager.package else ()) + ((manager.install,) if needs else ())
    return Plan(
        "node",
        manager.lock or "package.json",
        steps,
        tuple(name for name in (*_INPUTS, manager.lock) if name in project.paths),
        (manager.name, "test"),
        programs=("node", "npm"),
        bare=not steps,
        env=manager.env,
        files=manager.files,
    )


def _manager(project: Project, asked: str) -> _Manager:
    """By its lock, else by `packageManager`."""
    found = _ASKED.fullmatch(asked)
    name, version = (found[1], found[2]) if found else (asked.partition("@")[0], "")
    if "pnpm-lock.yaml" in project.paths or name == "pnpm":
        return _pnpm(project, version if name == "pnpm" else "")
    if "yarn.lock" in project.paths or name == "yarn":
        return _yarn(project, version if name == "yarn" else "")
    lock = project.first(["package-lock.json", "npm-shrinkwrap.json"])
    words = ("ci",) if lock else ("install", "--no-package-lock")
    return _Manager("npm", "", lock, (*_NPM, *words))


def _pnpm(project: Project, version: str) -> _Manager:
    lock = project.first(["pnpm-lock.yaml"])
    written = _FORMAT.search(project.text(lock)) if lock else None
    version = version or _PNPM.get(written[1] if written else "", _PNPM_NOW)
    frozen = ("--frozen-lockfile",) if lock else ()
    install = ("pnpm", "install", "--ignore-scripts", *frozen)
    # A link into the store would leave the environment, and so would another release of itself.
    env = {
        "npm_config_package_import_method": "copy",
        "npm_config_store_dir": f"{ENV}/../cache/pnpm",
        "npm_config_manage_package_manager_versions": "false",
    }
    return _Manager("pnpm", f"pnpm@{version}", lock, install, env)


def _yarn(project: Project, version: str) -> _Manager:
    lock = project.first(["yarn.lock"])
    classic = version.startswith("1.") if version else _CLASSIC in project.text(lock)[:200]
    helper = resources.files("pipeline.environment.inside").joinpath("acp_yarn.cjs")
    files = {_RUN_YARN: helper.read_text("utf-8")}
    install: Argv = ("node", _RUN_YARN, "install")
    if classic or (not version and not lock):
        install += ("--ignore-scripts", *(("--frozen-lockfile",) if lock else ()))
        return _Manager("yarn", f"yarn@{version or 1}", lock, install, files=files)
    # With plug'n'play the packages would lie in the tree, which is made anew for every run.
    env = {
        "YARN_NODE_LINKER": "node-modules",
        "YARN_ENABLE_SCRIPTS": "false",
        "YARN_ENABLE_TELEMETRY": "false",
        "YARN_INSTALL_STATE_PATH": f"{ENV}/yarn-state.gz",
    }
    package = f"@yarnpkg/cli-dist@{version or _YARN_NOW}"
    install += ("--immutable",) if lock else ()
    return _Manager("yarn", package, lock, install, env, files)
