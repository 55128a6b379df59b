"""Test runs of a base, kept on disk for the next run on the same base."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.journal import digest_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.environment import Environment

_FILES = 500


@dataclass(frozen=True, slots=True)
class Kept:
    """A directory of runs, each in a file named by the digest of what was run.

    `sandbox` tells in which one: what passes in one need not pass in another, which may have no
    local servers, or hold nothing back. Only what cannot change behind that name belongs here: see
    `lasts`. The oldest files go first.
    """

    directory: Path
    sandbox: str = ""

    async def get(self, digest: str) -> Mapping[str, Any] | None:
        """The run as JSON, or None; a damaged file counts as none."""
        return await asyncio.to_thread(self._read, digest)

    async def put(self, digest: str, run: Mapping[str, Any]) -> None:
        """Keep a run; who reads at the same time sees all of it or nothing."""
        await asyncio.to_thread(self._write, digest, json.dumps(run))

    def _file(self, digest: str) -> Path:
        return self.directory / f"{digest_of(f'{self.sandbox} {digest}')}.json"

    def _read(self, digest: str) -> Mapping[str, Any] | None:
        try:
            found = json.loads(self._file(digest).read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def _write(self, digest: str, text: str) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=self.directory, delete=False) as file:
            file.write(text)
        Path(file.name).replace(self._file(digest))
        files = sorted(self.directory.glob("*.json"), key=os.path.getmtime)
        for path in files[:-_FILES]:
            path.unlink(missing_ok=True)


def lasts(environment: Environment) -> bool:
    """Whether what runs in the environment is told by its description.

    A user's own venv is not: packages come and go in it under the same path.
    """
    return environment.order == "last" or bool(environment.inputs)


def identity(environment: Environment) -> str:
    """What two environments must share for a run in one to stand for a run in the other."""
    facts = [environment.label, environment.python, environment.launcher, *environment.inputs]
    facts += environment.report
    return json.dumps(
        [*facts, *environment.test, environment.lint, environment.folder, *environment.notes]
    )
