"""Fixes and formats touched Python files with Ruff, as the repository has configured it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.verification.report import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.sandbox.base import ExecResult
    from pipeline.workspace.workspace import Workspace

_SUFFIXES = (".py", ".pyi")
_BATCH = 500
_SHOWN = 1500
# `--force-exclude` keeps to the repository's excludes although files are named.
_COMMANDS = (
    ("ruff", "check", "--fix", "--exit-zero", "--force-exclude", "--no-cache"),
    ("ruff", "format", "--force-exclude", "--no-cache"),
)
_TRIALS = (
    ("ruff", "check", "--diff", "--force-exclude", "--no-cache", "--quiet"),
    ("ruff", "format", "--diff", "--force-exclude", "--no-cache", "--quiet"),
)


@dataclass(frozen=True, slots=True)
class Formatted:
    """What Ruff did: `files` were handed to it; `problem` is what it complained about, or ""."""

    files: tuple[str, ...]
    problem: str = ""

    def describe(self) -> str:
        """One line for people."""
        if self.problem:
            return f"Ruff could not format: {self.problem.splitlines()[0]}"
        return f"Ruff went over {len(self.files)} file(s)" if self.files else "nothing to format"


async def format_paths(workspace: Workspace, paths: Sequence[str]) -> Formatted:
    """Run `ruff check --fix`, then `ruff format`, on those of `paths` that are Python files.

    Lint that cannot be fixed is no problem. A broken configuration or a file that does not parse
    is: it is reported, and formatting stops there. `ruff` is on the PATH of our environments.
    """
    files = tuple(path for path in paths if path.endswith(_SUFFIXES))
    for start in range(0, len(files), _BATCH):
        batch = files[start : start + _BATCH]
        for command in _COMMANDS:
            done = await workspace.exec([*command, "--", *batch])
            if not done.ok:
                return Formatted(files, _problem(done))
    return Formatted(files)


async def untidy(workspace: Workspace, paths: Sequence[str]) -> frozenset[str]:
    """Those of `paths` that Ruff would change as they stand, or cannot read."""
    found = set()
    for path in paths:
        for command in _TRIALS:
            done = await workspace.exec([*command, "--", path])
            if not done.ok:
                found.add(path)
                break
    return frozenset(found)


def _problem(done: ExecResult) -> str:
    said = clean(done.text).strip()[:_SHOWN]
    lines = [line for line in said.splitlines() if line.strip()]
    return "\n".join(lines) or f"it ended with {done.reason} {done.code}"
