"""Reading and writing a tree from the host side without ever following a link that lies in it."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import UnsafePath, WorkspaceError
from pipeline.sandbox.base import Entry
from pipeline.sandbox.beneath import DIRECTORY, open_directory, parts_of, step

_LINK, _PROGRAM, _FILE = 0o120000, 0o100755, 0o100644
_DEEPEST = 256
_MOST_ENTRIES = 1_000_000
_CHUNK = 1 << 20


class Tree:
    """The files beneath `root`. What is written belongs to `owner` (uid, gid), where given."""

    def __init__(self, root: Path, owner: tuple[int, int] | None = None) -> None:
        self.root = root.resolve()
        self._owner = owner

    def get(self, path: str, max_bytes: int) -> bytes:
        """A file's bytes, or a link's target. Raises as Session.get does."""
        *above, name = parts_of(path)
        with _explained(path), self._opened(above) as directory:
            found = os.stat(name, dir_fd=directory, follow_symlinks=False)
            if stat.S_ISLNK(found.st_mode):
                return os.fsencode(os.readlink(name, dir_fd=directory))
            return _read(directory, name, max_bytes)

    def put(self, path: str, data: bytes, mode: int = _FILE) -> None:
        """Write a file or link in one step, making directories. Raises as Session.put does."""
        if mode not in {_FILE, _PROGRAM, _LINK}:
            raise WorkspaceError(f"{path}: mode {mode:o} is not one of a file, a program or a link")
        *above, name = parts_of(path)
        with _explained(path), self._opened(above, make=True) as directory:
            part = f".acp-{secrets.token_hex(8)}.part"
            try:
                _write(directory, part, data, mode)
                self._own(directory, part)
                os.rename(part, name, src_dir_fd=directory, dst_dir_fd=directory)
            except OSError:
                _drop(directory, part)
                raise

    def delete(self, path: str) -> None:
        """Remove a file or link, and directories left empty. Raises as Session.delete does."""
        *above, name = parts_of(path)
        with _explained(path), self._opened(above) as directory:
            os.unlink(name, dir_fd=directory)
        while above:
            *above, name = above
            try:
                with self._opened(above) as directory:
                    os.rmdir(name, dir_fd=directory)
            except (OSError, UnsafePath):
                return

    def entries(self) -> list[Entry]:
        """Every file and link, sorted by path. Raises WorkspaceError where one cannot be read."""
        entries: list[Entry] = []
        with _explained("."), self._opened(()) as top:
            for found in _walk(top, skip=".git"):
                status = self._adopted(found)
                if not stat.S_ISDIR(status.st_mode):
                    entries.append(_entry(found.path, status))
                if len(entries) > _MOST_ENTRIES:
                    raise WorkspaceError(f"the workspace has more than {_MOST_ENTRIES} files")
        return sorted(entries, key=lambda entry: entry.path)

    def holds_directory(self, path: str) -> bool:
        """Whether `path` ("." for the root) is a directory. Raises UnsafePath for a link."""
        try:
            with self._opened(() if path == "." else parts_of(path)):
                return True
        except OSError:
            return False

    def give(self, uid: int, gid: int) -> None:
        """Make everything belong to `uid`; a file with a second name elsewhere stays as it is."""
        with _explained("."), self._opened(()) as top:
            for found in _walk(top):
                _chown(found.directory, found.name, (uid, gid))
            os.chown(top, uid, gid)

    def _adopted(self, found: _Found) -> os.stat_result:
        # An agent that edits on disk writes as us, beside put(): the commands need it as theirs.
        if not self._owner or found.status.st_uid == self._owner[0]:
            return found.status
        self._own(found.directory, found.name)
        return os.stat(found.name, dir_fd=found.directory, follow_symlinks=False)

    def _own(self, directory: int, name: str) -> None:
        if self._owner:
            _chown(directory, name, self._owner)

    @contextmanager
    def _opened(self, parts: Sequence[str], *, make: bool = False) -> Iterator[int]:
        try:
            directory = open_directory(self.root, parts)
        except (FileNotFoundError, NotADirectoryError) as error:
            if not make:
                raise FileNotFoundError("/".join(parts)) from error
            directory = self._made(parts)
        try:
            yield directory
        finally:
            os.close(directory)

    def _made(self, parts: Sequence[str]) -> int:
        current = os.open(self.root, DIRECTORY)
        for part in parts:
            try:
                below = self._stepped(current, part)
            finally:
                os.close(current)
            current = below
        return current

    def _stepped(self, directory: int, name: str) -> int:
        try:
            os.mkdir(name, 0o755, dir_fd=directory)
        except FileExistsError:
            return step(directory, name)
        self._own(directory, name)
        return step(directory, name)


@contextmanager
def _explained(path: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise WorkspaceError(f"{path}: {error.strerror}") from error


def _read(directory: int, name: str, max_bytes: int) -> bytes:
    # O_NONBLOCK: opening a pipe that was put in the place of the file must not wait for a writer.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(name, flags, dir_fd=directory)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        chunks: list[bytes] = []
        left = max_bytes + 1
        while left > 0 and (chunk := file.read(min(left, _CHUNK))):
            chunks.append(chunk)
            left -= len(chunk)
    if left <= 0:
        raise WorkspaceError(f"{name}: larger than {max_bytes} bytes")
    return b"".join(chunks)


def _write(directory: int, name: str, data: bytes, mode: int) -> None:
    if mode == _LINK:
        os.symlink(data, os.fsencode(name), dir_fd=directory)
        return
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(name, flags, 0o600, dir_fd=directory)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        os.fchmod(descriptor, mode & 0o777)


def _drop(directory: int, name: str) -> None:
    try:
        os.unlink(name, dir_fd=directory)
    except FileNotFoundError:
        return


@dataclass(frozen=True, slots=True)
class _Found:
    """What a walk met; `directory` is open only until the walk goes on."""

    directory: int
    name: str
    path: str
    status: os.stat_result


def _entry(path: str, status: os.stat_result) -> Entry:
    mode = _PROGRAM if status.st_mode & stat.S_IXUSR else _FILE
    if stat.S_ISLNK(status.st_mode):
        mode = _LINK
    stamp = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return Entry(path, mode, status.st_size, stamp)


def _walk(top: int, prefix: str = "", depth: int = 0, *, skip: str = "") -> Iterator[_Found]:
    """Files, links and directories (before what they hold) below `top`, but no special files."""
    if depth > _DEEPEST:
        raise WorkspaceError(f"the workspace has directories nested deeper than {_DEEPEST}")
    with os.scandir(top) as listing:
        names = [entry.name for entry in listing if entry.name != skip]
    for name in names:
        status = _status(top, name)
        if status is None or not _kept(status):
            continue
        yield _Found(top, name, prefix + name, status)
        if stat.S_ISDIR(status.st_mode):
            yield from _below(top, name, prefix, depth)


def _below(top: int, name: str, prefix: str, depth: int) -> Iterator[_Found]:
    try:
        below = step(top, name)
    except (FileNotFoundError, NotADirectoryError, UnsafePath):
        return  # replaced since it was listed: the tree may be in use
    try:
        yield from _walk(below, f"{prefix}{name}/", depth + 1)
    finally:
        os.close(below)


def _chown(directory: int, name: str, owner: tuple[int, int]) -> None:
    status = os.stat(name, dir_fd=directory, follow_symlinks=False)
    # A hard link may have its other name outside the tree: giving it away would give that away.
    if status.st_nlink == 1 or not stat.S_ISREG(status.st_mode):
        os.chown(name, *owner, dir_fd=directory, follow_symlinks=False)


def _status(directory: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _kept(status: os.stat_result) -> bool:
    tests: tuple[Callable[[int], bool], ...] = (stat.S_ISREG, stat.S_ISLNK, stat.S_ISDIR)
    return any(test(status.st_mode) for test in tests)
