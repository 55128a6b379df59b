"""The directories that a session may write, and to whom they belong."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from pipeline.errors import WorkspaceError
from pipeline.sandbox.base import Spec
from pipeline.sandbox.files import Tree
from pipeline.sandbox.watchdog import Disk

Owners = Mapping[Path, tuple[int, int]]


def owners(spec: Spec) -> Owners:
    """The tree and what else may be written, with user and group id."""
    found = (spec.tree.resolve(), *(place.source.resolve() for place in spec.writable))
    return {path: (path.stat().st_uid, path.stat().st_gid) for path in found}


def disk(spec: Spec, home: Path | None = None) -> Disk:
    """How much each of them may hold; `home` stands for the temporary directory."""
    most = {place.source.resolve(): place.most_mb for place in spec.writable}
    most[spec.tree.resolve()] = spec.limits.disk_mb
    return Disk(most | ({home: spec.limits.tmp_mb} if home else {}))


def give(paths: Iterable[Path], uid: int) -> None:
    """Make all of it belong to `uid`. Raises WorkspaceError."""
    for path in paths:
        Tree(path).give(uid, uid)


def give_back(before: Owners) -> None:
    """Make it belong to whom it belonged."""
    for path, owner in before.items():
        # One that cannot be walked to its end stays with the job's id: root can remove it. And one
        # that is gone already needs no owner.
        with contextlib.suppress(WorkspaceError, FileNotFoundError):
            Tree(path).give(*owner)
