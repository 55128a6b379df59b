"""A sandbox without commands: files are read and written, and nothing is ever started."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pipeline.errors import SandboxError, SandboxUnavailable
from pipeline.sandbox.base import Caps, ExecResult, Session, Spec
from pipeline.sandbox.local import Job, LocalSession

if TYPE_CHECKING:
    from pathlib import Path


class FilesOnly:
    """For a replay: what a command did comes from the journal."""

    async def probe(self) -> Caps:
        """Nothing runs here, so there is nothing to measure. Raises SandboxUnavailable."""
        raise SandboxUnavailable("a replay runs nothing, so it has no sandbox to measure")

    async def open(self, spec: Spec) -> Session:
        """A session whose commands are refused."""
        from pipeline.sandbox.files import Tree

        tree = Tree(spec.tree)
        return LocalSession(spec, tree, _Nobody(tree.root))


class _Nobody:
    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def workdir(self) -> str:
        return str(self._root)

    async def run(self, job: Job, stop: asyncio.Event) -> ExecResult:
        del stop
        raise SandboxError(f"a replay runs nothing, and was asked for {job.argv[0]}")

    async def close(self) -> None:
        return
