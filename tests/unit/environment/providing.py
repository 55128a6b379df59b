"""Directories as repositories, and a machine that reaches no registry."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.environment.environment import Environment
from pipeline.environment.guide import Guide
from pipeline.environment.plan import Recipe
from pipeline.environment.provision import Base, Provisioner
from pipeline.environment.registries import Registries
from pipeline.sandbox.base import ExecResult, Sandbox
from pipeline.verification.report import TestRun
from pipeline.verification.runner import canary_name, run_tests


@dataclass(frozen=True)
class Folder:
    """A directory as a repository."""

    root: Path

    async def paths(self, tree: str) -> Collection[str]:
        every = self.root.rglob("*")
        return [str(path.relative_to(self.root)) for path in every if path.is_file()]

    async def read(self, tree: str, path: str) -> bytes:
        return (self.root / path).read_bytes()

    async def checkout(self, tree: str, directory: Path) -> None:
        await asyncio.to_thread(shutil.copytree, self.root, directory, symlinks=True)


@dataclass(frozen=True)
class Based(Folder):
    """The same, as what a run starts from."""

    @property
    def base_tree(self) -> str:
        return ""


def written(root: Path, files: Mapping[str, str]) -> Folder:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return Folder(root)


async def nowhere(host: str, port: int) -> Sequence[str]:
    raise OSError("no network")


@dataclass
class Machine:
    """A provisioner, a sandbox, and room for trees."""

    sandbox: Sandbox
    provisioner: Provisioner
    room: Path

    @classmethod
    def offline(cls, sandbox: Sandbox, room: Path) -> Machine:
        guide = Guide(Registries(), resolve=nowhere)
        return cls(sandbox, Provisioner(room / "kept", guide=guide), room)

    def base(self, folder: Folder, *setup: str, test: str = "") -> Base:
        return Base(folder, "", Recipe(".", setup, test), "acme")

    async def tried(self, base: Base) -> Environment:
        """The environment, which may be thrown out from now on."""
        async with self.provisioner.environment(self.sandbox, base) as environment:
            return environment

    async def suite(self, base: Base) -> TestRun:
        async with self.provisioner.environment(self.sandbox, base) as environment:
            session = await self.sandbox.open(environment.spec(self.tree(base)))
            try:
                return await run_tests(session, environment, canary=canary_name())
            finally:
                await session.close()

    async def command(self, base: Base, line: str) -> ExecResult:
        """A line for a shell in RUN."""
        async with self.provisioner.environment(self.sandbox, base) as environment:
            session = await self.sandbox.open(environment.spec(self.tree(base)))
            try:
                return await session.exec(["sh", "-c", line])
            finally:
                await session.close()

    def tree(self, base: Base) -> Path:
        assert isinstance(base.source, Folder)
        number = len(list(self.room.glob("tree-*")))
        tree = self.room / f"tree-{number}"
        shutil.copytree(base.source.root, tree, symlinks=True)
        return tree
