"""Which paths a workspace accepts, and which files never count as content."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from pipeline.errors import UnsafePath

_GIT_NAME = re.compile(r"(?:\.git|git~1)[ .]*(?:[:\\].*)?", re.IGNORECASE | re.DOTALL)
_CACHES = frozenset(
    {"__pycache__", ".pytest_cache", ".ruff_cache", ".mypy_cache", ".hypothesis"},
)


def check_path(path: str) -> str:
    """The path in its plain form ("./a//b" is "a/b"). Raises UnsafePath with the reason."""
    if not path or "\0" in path:
        raise UnsafePath(f"{path!r} is not a path: give one relative to the workspace")
    try:
        path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise UnsafePath(f"{path!r} is not a path: it cannot be encoded") from None
    if path.startswith("/"):
        raise UnsafePath(f"{path!r} is absolute: give a path relative to the workspace")
    parts = PurePosixPath(path).parts
    if ".." in parts:
        raise UnsafePath(f"{path!r} leaves the workspace: '..' is not allowed")
    if any(is_git_name(part) for part in parts):
        raise UnsafePath(f"{path!r} runs through a git directory, which is off limits")
    if not parts or path.endswith("/"):
        raise UnsafePath(f"{path!r} names a directory: give the path of a file")
    return "/".join(parts)


def is_git_name(part: str) -> bool:
    """Whether some file system takes this name for ".git"."""
    return _GIT_NAME.fullmatch(part) is not None


def in_git_directory(path: str) -> bool:
    """Whether a part of the path is a ".git"."""
    # Almost every path ends here: the regular expression runs only where "git" occurs at all.
    return "git" in path.lower() and any(is_git_name(part) for part in path.split("/"))


def is_cache(path: str) -> bool:
    """Whether the path is what Python tools leave behind."""
    return path.endswith(".pyc") or not _CACHES.isdisjoint(path.split("/"))
