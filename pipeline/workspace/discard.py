"""Removes a directory that hostile code wrote: read-only, absurdly deep, or full of links."""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp

from pipeline.errors import WorkspaceError

_DIRECTORY = getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
_READ = os.O_RDONLY | _DIRECTORY
_HANDLE = getattr(os, "O_PATH", os.O_RDONLY) | _DIRECTORY


def discard(directory: Path) -> None:
    """Remove `directory` and all below it; nothing to do where it does not exist.

    Follows no link. Directories are moved up into a flat bin before they are emptied, so neither
    the length of paths nor the depth of the tree matters. Raises WorkspaceError.
    """
    try:
        if os.path.lexists(directory):
            _discard(directory)
    except OSError as error:
        raise WorkspaceError(f"cannot remove {directory}: {error.strerror}") from error


def _discard(directory: Path) -> None:
    if os.name == "nt":
        shutil.rmtree(directory)
        return
    bin_path = Path(mkdtemp(prefix="discarded-", dir=directory.parent))
    bin_fd, parent_fd = os.open(bin_path, _READ), os.open(directory.parent, _READ)
    try:
        _move(directory.name, parent_fd, bin_fd, "0")
        moved = 0
        while names := os.listdir(bin_fd):  # noqa: PTH208 - pathlib takes no descriptor
            for name in names:
                moved = _empty(name, bin_fd, moved)
    finally:
        os.close(bin_fd)
        os.close(parent_fd)
    bin_path.rmdir()


def _empty(name: str, bin_fd: int, moved: int) -> int:
    """Unlink what is directly in one directory, and move its directories into the bin."""
    fd = os.open(name, _READ, dir_fd=bin_fd)
    try:
        for child in os.listdir(fd):  # noqa: PTH208 - pathlib takes no descriptor
            if stat.S_ISDIR(os.stat(child, dir_fd=fd, follow_symlinks=False).st_mode):
                moved += 1
                _move(child, fd, bin_fd, str(moved))
            else:
                os.unlink(child, dir_fd=fd)
    finally:
        os.close(fd)
    os.rmdir(name, dir_fd=bin_fd)
    return moved


def _move(name: str, parent_fd: int, bin_fd: int, new_name: str) -> None:
    """Give the owner all rights on a directory, then move it: a locked one cannot be moved."""
    handle = os.open(name, _HANDLE, dir_fd=parent_fd)
    try:
        with suppress(PermissionError):
            _unlock(handle)
    finally:
        os.close(handle)
    os.rename(name, new_name, src_dir_fd=parent_fd, dst_dir_fd=bin_fd)


def _unlock(handle: int) -> None:
    if hasattr(os, "O_PATH"):
        # A handle opened by path alone needs no rights on the directory, but takes no fchmod.
        Path(f"/proc/self/fd/{handle}").chmod(0o700)
    else:
        os.fchmod(handle, 0o700)
