"""Opening directories beneath a root so that no symbolic link and no ".." leads out of it."""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from pipeline.errors import UnsafePath

Opener = Callable[[int, Sequence[str]], int]

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# The number is the same on every architecture: openat2 is younger than the unified table.
_OPENAT2 = 437
_RESOLVE = 0x02 | 0x04 | 0x08  # NO_MAGICLINKS, NO_SYMLINKS, BENEATH


class _OpenHow(ctypes.Structure):
    _fields_ = (
        ("flags", ctypes.c_uint64),
        ("mode", ctypes.c_uint64),
        ("resolve", ctypes.c_uint64),
    )


def parts_of(path: str) -> tuple[str, ...]:
    """Split a relative path. Raises UnsafePath if it is absolute, empty, or has ".." or "."."""
    parts = tuple(path.split("/"))
    if "\0" in path or any(part in {"", ".", ".."} for part in parts):
        raise UnsafePath(f"{path!r} is not a plain path inside the workspace")
    return parts


def open_directory(root: Path, parts: Sequence[str]) -> int:
    """A descriptor of `root/parts`. Raises UnsafePath, FileNotFoundError, NotADirectoryError."""
    top = os.open(root, DIRECTORY)
    try:
        return (by_openat2 if openat2_works() else by_steps)(top, parts)
    finally:
        os.close(top)


def by_openat2(top: int, parts: Sequence[str]) -> int:
    """Open in one call that the kernel holds beneath `top`."""
    path = "/".join(parts) or "."
    for _ in range(16):  # the kernel answers EAGAIN when a rename elsewhere raced with the look-up
        try:
            return _openat2(top, path)
        except BlockingIOError:
            continue
        except OSError as error:
            if error.errno in {errno.ELOOP, errno.EXDEV}:
                raise UnsafePath(f"{path!r} runs through a symbolic link") from error
            raise
    raise UnsafePath(f"{path!r} is being moved while it is opened")


def by_steps(top: int, parts: Sequence[str]) -> int:
    """Open component by component, for kernels without openat2 and for macOS."""
    current = os.dup(top)
    for part in parts:
        try:
            below = step(current, part)
        finally:
            os.close(current)
        current = below
    return current


def step(directory: int, name: str) -> int:
    """A descriptor of the directory `name` in `directory`. Raises UnsafePath for a link."""
    try:
        return os.open(name, DIRECTORY | os.O_NOFOLLOW, dir_fd=directory)
    except OSError as error:
        # Linux and macOS differ in the error for a link (ENOTDIR, ELOOP): the file itself tells.
        if error.errno not in {errno.ENOTDIR, errno.ELOOP} or not is_link(directory, name):
            raise
        raise UnsafePath(f"{name!r} is a symbolic link") from error


def is_link(directory: int, name: str) -> bool:
    """Whether `name` in `directory` is a symbolic link; False when it is gone."""
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False


@cache
def openat2_works() -> bool:
    """Whether the kernel (and the filter of a container) lets us use openat2."""
    try:
        top = os.open("/", DIRECTORY)
        try:
            os.close(_openat2(top, "."))
        finally:
            os.close(top)
    except (OSError, AttributeError):
        return False
    return True


@cache
def _syscall() -> Callable[..., int]:
    call: Callable[..., int] = ctypes.CDLL(None, use_errno=True).syscall
    return call


def _openat2(directory: int, path: str) -> int:
    how = _OpenHow(flags=DIRECTORY | os.O_NONBLOCK, mode=0, resolve=_RESOLVE)
    descriptor = _syscall()(
        ctypes.c_long(_OPENAT2),
        ctypes.c_int(directory),
        ctypes.c_char_p(os.fsencode(path)),
        ctypes.byref(how),
        ctypes.c_size_t(ctypes.sizeof(how)),
    )
    if descriptor < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)
    return descriptor
