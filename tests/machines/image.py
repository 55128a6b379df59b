"""Makes the file system of a small machine: an archive that a kernel unpacks into memory.

It holds the host's own interpreter, a few programs and their libraries, and what a test names.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePath

TOOLS = (
    *("sh", "env", "setpriv", "bwrap", "cat", "sleep", "true", "ls", "id", "touch", "ln", "stat"),
    *("flock", "setsid", "unshare", "mkdir", "rm", "head", "seq", "tr", "tail", "yes", "chmod"),
)
# Of the standard library: what no sandboxed program here needs.
LEFT_OUT = {"site-packages", "test", "tests", "idlelib", "tkinter", "ensurepip", "lib2to3", "dbm"}
LEFT_OUT |= {"turtledemo", "pydoc_data", "distutils", "curses", "sqlite3", "pydoc"}
NO_MODULES = ("_tkinter", "_sqlite3", "_curses", "_dbm", "_gdbm", "_test", "nis", "readline", "xx")
_MAGIC = b"070701"


def interpreter() -> Path:
    """The system's, if it is new enough: an emulator feels that it is optimised. Else our own."""
    system = Path("/usr/bin/python3")
    if system.exists() and _told(system, "sys.version_info >= (3, 11)") == "True":
        return system.resolve()
    return Path(os.path.realpath(sys.executable))


def _told(python: Path, expression: str) -> str:
    argv = [str(python), "-I", "-S", "-c", f"import os, sys; print({expression})"]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


def host_files() -> dict[str, Path | str]:
    """The interpreter with its library, and the tools, each with the libraries that they load."""
    tools = {path for name in TOOLS if (path := Path("/usr/bin", name)).exists()}
    python = interpreter()
    tag = _told(python, "sys.implementation.cache_tag")
    modules = set(_below(Path(_told(python, "os.__file__")).parent, tag))
    needed = libraries({python, *tools, *(path for path in modules if path.suffix == ".so")})
    found = {*tools, *(path.resolve() for path in tools), *modules, *needed, python}
    named: dict[str, Path | str] = {str(path.parent.resolve() / path.name): path for path in found}
    links = (Path("/", name) for name in ("bin", "sbin", "lib", "lib64"))
    return named | {str(link): str(link.readlink()) for link in links if link.is_symlink()}


def _below(directory: Path, tag: str) -> Iterator[Path]:
    for path in directory.iterdir():
        if path.stem in LEFT_OUT or path.name.startswith(("config-", *NO_MODULES)):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _below(path, tag)
        elif path.suffix in {".py", ".so"} or path.name.endswith(f"{tag}.pyc"):
            yield path


def libraries(programs: Iterable[Path]) -> set[Path]:
    """The shared libraries of `programs`, by every name under which they are looked for."""
    words = subprocess.run(
        ["ldd", *map(str, programs)], capture_output=True, text=True, check=False
    ).stdout.split()
    named = {Path(word) for word in words if word.startswith("/") and not word.endswith(":")}
    return {path for path in named | {p.resolve() for p in named} if path.exists()}


def archive(entries: Mapping[str, bytes | Path | str]) -> bytes:
    """The archive (the format "newc" of cpio): content, a file of the host, or a link's target.

    Directories above an entry come by themselves, open to everybody.
    """
    parts: list[bytes] = []
    above: set[str] = set()
    for name, entry in sorted(entries.items()):
        for parent in map(str, reversed(PurePath(name).parents[:-1])):
            if parent not in above:
                above.add(parent)
                parts.append(_record(parent, stat.S_IFDIR | 0o755))
        parts.append(_entry(name, entry))
    return b"".join([*parts, _record("TRAILER!!!", 0)])


def _entry(name: str, entry: bytes | Path | str) -> bytes:
    if isinstance(entry, str):
        return _record(name, stat.S_IFLNK | 0o777, entry.encode())
    if isinstance(entry, bytes):
        return _record(name, stat.S_IFREG | 0o755, entry)
    if entry.is_symlink():
        return _record(name, stat.S_IFLNK | 0o777, bytes(entry.readlink()))
    mode = 0o755 if os.access(entry, os.X_OK) else 0o644
    return _record(name, stat.S_IFREG | mode, entry.read_bytes())


def _record(name: str, mode: int, data: bytes = b"") -> bytes:
    path = name.strip("/").encode() + b"\0"
    # Inode, mode, owner, group, links, time, size, four device numbers, length of the name, sum.
    fields = (0, mode, 0, 0, 1, 1, len(data), 0, 0, 0, 0, len(path), 0)
    head = _MAGIC + b"".join(b"%08X" % field for field in fields) + path
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)
