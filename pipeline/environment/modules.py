"""Keeps Node's packages, which a set-up puts into the tree, for the trees that come after it.

Both directories were written by strangers' commands: nothing is moved or shown through a link.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from pipeline.sandbox.base import Mount
from pipeline.sandbox.layout import WORKDIR

NAME = "node_modules"
_WORKSPACES = "workspaces"
_MOST = 200


class OutOfPlace(Exception):
    """Something else stands where packages belong."""


def keep_modules(tree: Path, folder: str, env: Path) -> dict[str, str]:
    """Move every `node_modules` below `folder` of the tree into `env`.

    Returns the folder of the tree that each was in, and its place in `env`; those of the members of
    a workspace stand beside the project's own. Raises OutOfPlace.
    """
    start, top = tree / folder, env / NAME
    real = tree.resolve() / folder
    if top.is_symlink() or start.resolve() != real or (start / NAME).is_symlink():
        raise OutOfPlace(NAME)
    kept = {str(Path(folder)): NAME} if top.is_dir() else {}
    for number, found in enumerate(_found(real)):
        inner = str(found.parent.relative_to(tree.resolve()))
        place = NAME if found.parent == real else f"{_WORKSPACES}/{number}"
        own = env / place
        _make(own.parent, env)
        if own.exists() or own.is_symlink():
            raise OutOfPlace(NAME)
        found.rename(own)
        kept[inner] = place
    return kept


def modules_mounts(place: Path, kept: Mapping[str, str]) -> list[Mount]:
    """Each at its folder of the tree."""
    return [
        Mount(place / name, os.path.normpath(f"{WORKDIR}/{inner}/{NAME}"))
        for inner, name in kept.items()
        if (place / name).is_dir() and (place / name).resolve() == place.resolve() / name
    ]


def _make(folder: Path, env: Path) -> None:
    if folder == env or (folder.is_dir() and not folder.is_symlink()):
        return
    try:
        folder.mkdir()
    except FileExistsError:
        raise OutOfPlace(NAME) from None


def _found(start: Path) -> Iterator[Path]:
    """The outermost ones; links are not followed."""
    count = 0
    for folder, names, _ in os.walk(start):
        if NAME in names:
            names.remove(NAME)
            path = Path(folder, NAME)
            if not path.is_symlink() and count < _MOST:
                count += 1
                yield path
