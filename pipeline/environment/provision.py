"""Provides a project's environment: detected, set up once in a sandbox, kept, and shown read-only.

A set-up that fails is no error of the run: the environment then says what the problem was, and
nothing that runs in it counts as verified.
"""

from __future__ import annotations

import asyncio
import hashlib
import platform
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

from pipeline.environment.blocked import Blocked, Mends, told
from pipeline.environment.build import Builder, SetUpFailed, run_variables
from pipeline.environment.detect import detect
from pipeline.environment.environment import Environment, bare_environment, environment_in
from pipeline.environment.guide import Guide
from pipeline.environment.interpreter import Interpreter
from pipeline.environment.interpreters import choose, installed
from pipeline.environment.modules import modules_mounts
from pipeline.environment.plan import Plan, Recipe
from pipeline.environment.project import Project, decoded, manifests
from pipeline.environment.registries import Registries
from pipeline.environment.shelf import Kept, Shelf
from pipeline.environment.workbench import Workbench
from pipeline.errors import SandboxError, WorkspaceError
from pipeline.sandbox.base import Mount, Sandbox

_LAYOUT = "3"


class Source(Protocol):
    """The repository, as much of it as a set-up needs."""

    async def paths(self, tree: str) -> Collection[str]:
        """Every path of a tree."""

    async def read(self, tree: str, path: str) -> bytes:
        """A file's bytes."""

    async def checkout(self, tree: str, directory: Path) -> None:
        """Write a tree's files into a new directory."""


@dataclass(frozen=True, slots=True)
class Base:
    """What an environment is made for: a tree of `source`, as `recipe` has it, for `tenant`."""

    source: Source
    tree: str
    recipe: Recipe = field(default_factory=Recipe)
    tenant: str = ""


class Provisioner:
    """Makes environments and keeps them below `home`. One for a process."""

    def __init__(
        self,
        home: Path,
        registries: Registries | None = None,
        *,
        most_bytes: int = 10 << 30,
        guide: Guide | None = None,
        mends: Mends | None = None,
    ) -> None:
        """Raises WorkspaceError where `registries` cannot be used.

        `mends` say to people what to set where something was blocked.
        """
        self._registries = registries or Registries()
        self._registries.check()
        self._guide = guide or Guide(self._registries)
        self._mends = mends or {}
        self._shelf = Shelf(home, most_bytes)

    @asynccontextmanager
    async def environment(self, sandbox: Sandbox, base: Base) -> AsyncIterator[Environment]:
        """The environment of a project; inside the block nobody throws it out."""
        project = await _project(base)
        plan = detect(project, base.recipe)
        if plan.problem:
            yield _broken(plan, plan.problem)
            return
        try:
            interpreter = await asyncio.to_thread(_interpreter, plan)
            kept = await self._kept(sandbox, base, plan, project, interpreter)
        except SetUpFailed as error:
            asked = told(error.blocked, self._mends)
            more = f"\nIt asked for what a set-up may not reach: {asked}" if asked else ""
            yield _broken(plan, f"{error}{more}")
            return
        except (SandboxError, WorkspaceError) as error:
            yield _broken(plan, str(error))
            return
        if kept is None:
            yield _as_is(plan)
            return
        try:
            apart = (await sandbox.probe()).pid_namespace
            made = await asyncio.to_thread(_made, plan, kept, interpreter, apart)
            yield replace(made, notes=self._notes(kept))
        finally:
            kept.release()

    def _notes(self, kept: Kept) -> tuple[str, ...]:
        found = (Blocked.of_json(one) for one in kept.meta.get("blocked", ()))
        asked = told([one for one in found if one], self._mends)
        return (f"the set-up asked for what it may not reach: {asked}",) if asked else ()

    async def _kept(
        self,
        sandbox: Sandbox,
        base: Base,
        plan: Plan,
        project: Project,
        interpreter: Interpreter,
    ) -> Kept | None:
        """The environment on the shelf; None where there is nothing to set up."""
        if plan.bare:
            return None

        async def build(home: Path) -> dict[str, Any]:
            bench = Workbench(home, interpreter, self._registries)
            return await Builder(plan, bench, self._guide, sandbox, checkout)()

        checkout: Callable[[Path], Awaitable[None]] = _checkout(base)
        facts = _facts(plan, project, interpreter)
        return await self._shelf.get(base.tenant, facts, build)


def _checkout(base: Base) -> Callable[[Path], Awaitable[None]]:
    return lambda directory: base.source.checkout(base.tree, directory)


async def _project(base: Base) -> Project:
    """The project's part of the tree, with the text of its manifests."""
    folder = "" if base.recipe.path in ("", ".") else f"{base.recipe.path.rstrip('/')}/"
    every = await base.source.paths(base.tree)
    paths = frozenset(path.removeprefix(folder) for path in every if path.startswith(folder))
    texts = {}
    for name in manifests(paths):
        try:
            texts[name] = decoded(await base.source.read(base.tree, folder + name))
        except FileNotFoundError:
            continue
    return Project(paths, texts)


def _interpreter(plan: Plan) -> Interpreter:
    return choose(plan.python if plan.language == "python" else "", installed())


def _facts(plan: Plan, project: Project, interpreter: Interpreter) -> list[str]:
    """Everything that decides what a set-up makes."""
    texts = [f"{name} {_digest(project.text(name))}" for name in sorted(plan.inputs)]
    steps = [repr(plan.steps), repr(plan.test), plan.path, plan.source]
    machine = [platform.system(), platform.machine(), *platform.libc_ver()]
    tools = [str(interpreter.python), interpreter.release, metadata.version("uv")]
    return [_LAYOUT, *steps, *texts, *machine, *tools]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _broken(plan: Plan, why: str) -> Environment:
    text = f"the environment could not be set up from {plan.source}: {why}"
    return replace(_planned(plan, bare_environment(remark="; the set-up failed")), problem=text)


def _as_is(plan: Plan) -> Environment:
    roots = () if plan.path == "." else (f"{plan.path}/src", plan.path)
    return _planned(plan, bare_environment(remark=_remark(plan)), roots)


def _planned(plan: Plan, found: Environment, roots: tuple[str, ...] = ()) -> Environment:
    """The environment with what the plan says of it; modules are looked for in `roots`."""
    env = {**found.env, "ACP_ROOTS": ":".join(roots)} if roots else found.env
    return replace(
        found,
        env=env,
        roots=roots,
        test=plan.test,
        report=plan.report,
        lint=plan.lint,
        folder=plan.path,
        inputs=plan.inputs,
    )


def _remark(plan: Plan) -> str:
    words = plan.test[2:] if plan.test[:2] == ("sh", "-c") else plan.test
    return "" if plan.language == "python" else f"; tests by {' '.join(words)}"


def _made(plan: Plan, kept: Kept, interpreter: Interpreter, apart: bool) -> Environment:  # noqa: FBT001
    """What was built, as a sandbox shows it. `apart`: in a file system of its own."""
    place, meta = kept.path / "env", kept.meta
    if plan.language == "python":
        pytest = f", pytest {meta['pytest']}" if meta.get("pytest") else ""
        label = f"Python {interpreter.release}{pytest} ({plan.source})"
        found = environment_in(place, interpreter, label, kept.path / "support")
        roots = tuple(str(root) for root in meta.get("roots", ()))
    else:
        found, roots = bare_environment(remark=_remark(plan)), ()
    found = _with_tools(found, plan, place, meta.get("modules", {}), apart)
    return _planned(plan, found, roots)


def _with_tools(
    found: Environment,
    plan: Plan,
    place: Path,
    kept: Mapping[str, str],
    apart: bool,  # noqa: FBT001
) -> Environment:
    """The environment, and beside it what another language's tool has fetched.

    `kept` are the folders of Node's packages. Where the sandbox has no file system of its own they
    cannot stand in the tree.
    """
    env = {**found.env, **run_variables(plan, place)}
    mounts = [] if plan.language == "python" else [Mount(place), *plan.mounts()]
    modules = modules_mounts(place, kept)
    if modules and apart:
        mounts += modules
    elif modules:
        env["NODE_PATH"] = str(modules[0].source)
    # Programs that the set-up has put there, such as a package manager.
    tools = [] if plan.language == "python" else [str(place / "bin")]
    path = (*found.path, *tools, *(f"{one.source}/.bin" for one in modules[:1]))
    return replace(found, read_only=(*found.read_only, *mounts), path=path, env=env)
