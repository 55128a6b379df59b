"""What a model sees of a repository before it asks: instruction files and the top level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from pipeline.errors import WorkspaceError
from pipeline.workspace.repository import Repository
from pipeline.workspace.workspace import Workspace

INSTRUCTION_FILES = ("AGENTS.md", "CLAUDE.md", "GEMINI.md", ".github/copilot-instructions.md")
_CAP_CHARS = 8_000
_LISTED = 60


@dataclass(frozen=True, slots=True)
class Instructions:
    """An instruction file as it is, up to a cap in characters."""

    path: str
    text: str


async def instructions(repository: Repository) -> tuple[Instructions, ...]:
    """The base's own instruction files, each text once, all together within the cap.

    Of the base: what a model writes into such a file never instructs the next one.
    """
    base = repository.base_tree
    present = set(await repository.paths(base))
    found: list[Instructions] = []
    left = _CAP_CHARS
    for path in INSTRUCTION_FILES:
        if path not in present or left <= 0:
            continue
        text = _text(await repository.read(base, path))[:left]
        if all(text != other.text for other in found):
            found.append(Instructions(path, text))
            left -= len(text)
    return tuple(found)


async def nearest_instructions(workspace: Workspace, path: str) -> Instructions | None:
    """The instruction file nearest to `path`, below the top level (that one all have read)."""
    for parent in PurePosixPath(path).parents:
        for name in INSTRUCTION_FILES:
            if parent.name and "/" not in name:
                try:
                    data = await workspace.read_bytes(f"{parent}/{name}")
                except (FileNotFoundError, NotADirectoryError, WorkspaceError):
                    continue
                return Instructions(f"{parent}/{name}", _text(data)[:_CAP_CHARS])
    return None


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def listing(paths: Sequence[str], *, limit: int = _LISTED) -> str:
    """The top level: files by name, directories with the number of files below them."""
    counts: dict[str, int] = {}
    for path in paths:
        head, slash, _ = path.partition("/")
        counts[head + slash] = counts.get(head + slash, 0) + 1
    rows = [
        f"{name} ({n} files)" if name.endswith("/") else name for name, n in sorted(counts.items())
    ]
    more = [f"... {len(rows) - limit} more"] if len(rows) > limit else []
    return "\n".join(rows[:limit] + more) or "(an empty repository)"
