"""Builds one environment: the SETUP phase over a throw-away checkout of the base."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.environment.blocked import Blocked
from pipeline.environment.generated import keep_generated, listing
from pipeline.environment.guide import Guide
from pipeline.environment.interpreter import pytest_of
from pipeline.environment.modules import OutOfPlace, keep_modules
from pipeline.environment.plan import ENV, PYTHON, Argv, Plan
from pipeline.environment.roots import import_roots
from pipeline.environment.workbench import LIMITS, Workbench
from pipeline.errors import WorkspaceError
from pipeline.sandbox.base import ExecResult, Sandbox, Session

Checkout = Callable[[Path], Awaitable[None]]
_PROGRAMS = "/usr/local/bin:/usr/bin:/bin"
_PIP = re.compile(r"(?<!uv )\bpip3? install")
_TAIL_LINES = 25
_TAIL_CHARS = 3000
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[^\S\n]*\r|[\x00-\x08\x0b-\x1f\x7f]")
# A tree without its history cannot tell its version; builds must not fail for that.
_UNVERSIONED = ("SETUPTOOLS_SCM_PRETEND_VERSION", "PBR_VERSION")


class SetUpFailed(WorkspaceError):
    """The project's environment could not be made; the message ends with the last lines of it.

    `blocked` is what it asked for and may not reach.
    """

    def __init__(self, message: str, blocked: Sequence[Blocked] = ()) -> None:
        super().__init__(message)
        self.blocked = tuple(blocked)


@dataclass(frozen=True, slots=True)
class Builder:
    """Everything that one build needs; `checkout` writes the base's files into a new directory."""

    plan: Plan
    bench: Workbench
    guide: Guide
    sandbox: Sandbox
    checkout: Checkout

    async def __call__(self) -> dict[str, Any]:
        """Fill `bench.target`; returns what is to be known of it.

        Raises SetUpFailed, SandboxError.
        """
        plan, bench = self.plan, self.bench
        for name in plan.programs:
            if shutil.which(name, path=_PROGRAMS) is None:
                raise SetUpFailed(
                    f"{plan.source} needs {name}, which is not in {_PROGRAMS.replace(':', ', ')} "
                    "where the bot runs: install it there"
                )
        bench.lay_out()
        gate = await self.guide.gate(self.sandbox, bench, plan.language)
        tree = bench.home / "tree"
        await self.checkout(tree)
        before = await asyncio.to_thread(listing, tree)
        await asyncio.to_thread(self._write)
        proxy = self.guide.proxy(gate)
        try:
            async with proxy.listening() as socket, self._session(tree, socket) as session:
                workdir = session.workdir
                await self._run(session)
        except SetUpFailed as error:
            raise SetUpFailed(str(error), _sorted(proxy.traffic.blocked)) from None
        facts = await asyncio.to_thread(self._collect, tree, workdir)
        if roots := facts.get("roots"):
            own = (tree, before, bench.target, roots)
            facts["generated"] = await asyncio.to_thread(keep_generated, *own)
        await asyncio.to_thread(self._tidy)
        blocked = [one.to_json() for one in _sorted(proxy.traffic.blocked)]
        return {**facts, "blocked": blocked, "source": plan.source}

    @contextlib.asynccontextmanager
    async def _session(self, tree: Path, socket: Path) -> AsyncIterator[Session]:
        env = {}
        if not (tree / self.plan.path / "PKG-INFO").exists():
            env = dict.fromkeys(_UNVERSIONED, "0.0.0")
        env |= run_variables(self.plan, self.bench.target)
        bench = replace(self.bench, env=env, more=self.plan.mounts())
        session = await self.sandbox.open(bench.spec(tree, socket))
        try:
            yield session
        finally:
            await session.close()

    async def _run(self, session: Session) -> None:
        """Every step until one fails, within the time of all together."""
        clock = asyncio.get_running_loop().time
        until = clock() + LIMITS.wall_s
        for argv in self._steps():
            limits = replace(LIMITS, wall_s=max(1.0, until - clock()))
            done = await session.exec(argv, cwd=self.plan.path, limits=limits)
            if not done.ok:
                told = tuple(word.removeprefix(f"{self.bench.target}/") for word in argv)
                raise SetUpFailed(_told(told, done))

    @property
    def _known(self) -> dict[str, str]:
        return {ENV: str(self.bench.target), PYTHON: str(self.bench.interpreter.python)}

    def _steps(self) -> list[Argv]:
        steps = list(self.plan.steps)
        if self.plan.language == "python":
            # Relocatable: it is built aside and moved when it is whole. pip is for set-up lines.
            seed = ("--seed",) if any(_PIP.search(argv[-1]) for argv in steps) else ()
            venv = ("uv", "venv", "-q", "--relocatable", "--allow-existing", *seed)
            steps.insert(0, (*venv, "--python", PYTHON, ENV))
        return [tuple(_filled(word, self._known) for word in argv) for argv in steps]

    def _write(self) -> None:
        for name, text in self.plan.files.items():
            path = Path(_filled(name, self._known))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            path.chmod(0o755)

    def _collect(self, tree: Path, workdir: str) -> dict[str, Any]:
        """Look at what the commands left, which may be hostile: no link is followed."""
        target = self.bench.target
        if target.is_symlink() or not target.is_dir():
            raise SetUpFailed("the set-up has put something else in the environment's place")
        try:
            modules = keep_modules(tree, self.plan.path, target)
        except OutOfPlace as error:
            told = f"the set-up has put something else in the place of {error}"
            raise SetUpFailed(told) from None
        if self.plan.language != "python":
            return {"modules": modules}
        base = self.bench.interpreter
        link = target / "bin" / "python"
        if not link.is_symlink() or link.readlink().resolve() != base.python.resolve():
            raise SetUpFailed("the set-up has put another interpreter in the environment's place")
        pytest = pytest_of(target, base.version)
        if not pytest and not self.plan.test:
            raise SetUpFailed("the set-up ended well, but pytest is not in the environment")
        roots = import_roots(target, workdir, self.plan.path)
        found = {"pytest": pytest, "roots": roots, "python": str(base.python)}
        return {**found, "modules": modules}

    def _tidy(self) -> None:
        """Keep the environment alone."""
        home = self.bench.home
        self.bench.target.rename(home / "env")
        for path in home.iterdir():
            if path.name != "env":
                shutil.rmtree(path, ignore_errors=True)


def run_variables(plan: Plan, target: Path) -> dict[str, str]:
    """The plan's own variables for an environment in `target`."""
    return {name: _filled(value, {ENV: str(target)}) for name, value in plan.env.items()}


def _filled(word: str, known: dict[str, str]) -> str:
    for name, value in known.items():
        word = word.replace(name, value)
    return word


def _told(argv: Argv, done: ExecResult) -> str:
    """Which command failed and how, with its last lines."""
    how = f"exit code {done.code}" if done.reason == "exit" else f"ended by {done.reason}"
    shown = argv[2] if argv[:2] == ("sh", "-ec") else " ".join(Path(argv[0]).parts[-1:] + argv[1:])
    lines = _CONTROL.sub("", done.text).strip().splitlines()[-_TAIL_LINES:]
    return f"`{shown[:300]}` failed ({how})\n" + "\n".join(lines)[-_TAIL_CHARS:]


def _sorted(blocked: Iterable[Blocked]) -> list[Blocked]:
    return sorted(blocked, key=str)
