"""Keeps the modules that a project's build wrote into the tree it was made from.

Later trees are checked out anew and do not hold them: compiled modules, a file with the version.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from importlib.resources import files
from pathlib import Path, PurePosixPath

from pipeline.sandbox.files import Tree

_SUFFIXES = (".py", ".so")
_BUILDS = frozenset({"build", "dist", "node_modules", "__pycache__", "venv", "site-packages"})
_FINDER = "acp_generated"
_LINK = 0o120000
_MOST_FILES = 500
_MOST_BYTES = 64 << 20


def listing(tree: Path) -> frozenset[str]:
    """Every path of the tree."""
    return frozenset(entry.path for entry in Tree(tree).entries())


def keep_generated(
    tree: Path, before: Collection[str], env: Path, roots: Sequence[str]
) -> list[str]:
    """Copy what was not there `before` into `env`, where imports find it; returns their names.

    Both directories were written by strangers: nothing is read or written through a link.
    """
    source, target, left = Tree(tree), Tree(env), _MOST_BYTES
    kept: list[str] = []
    for entry in source.entries():
        module = _module(entry.path, roots)
        is_new = entry.path not in before and entry.mode != _LINK
        if module is None or not is_new or entry.size > left or len(kept) >= _MOST_FILES:
            continue
        target.put(f"generated/{module}", source.get(entry.path, entry.size))
        left -= entry.size
        kept.append(module)
    if kept:
        text = files("pipeline.environment.inside").joinpath(f"{_FINDER}.py").read_bytes()
        for site in _sites(env):
            target.put(f"{site}/{_FINDER}.py", text)
            target.put(f"{site}/{_FINDER}.pth", f"import {_FINDER}\n".encode())
    return kept


def _module(path: str, roots: Sequence[str]) -> str | None:
    """The path below the innermost folder that is imported from; None for what is no module."""
    parts = PurePosixPath(path)
    if parts.suffix not in _SUFFIXES or _BUILDS.intersection(parts.parts):
        return None
    for root in sorted(roots, key=len, reverse=True):
        inner = PurePosixPath(path) if root == "." else None
        if inner is None and parts.is_relative_to(root):
            inner = parts.relative_to(root)
        if inner is not None:
            named = (*inner.parts[:-1], inner.name.partition(".")[0])
            return str(inner) if all(part.isidentifier() for part in named) else None
    return None


def _sites(env: Path) -> Iterator[str]:
    for site in sorted(env.glob("lib/python3*/site-packages")):
        yield str(site.relative_to(env))
