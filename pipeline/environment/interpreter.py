"""Reads what an interpreter is from its files, without running it.

A `.venv` may have been committed by a stranger: nothing of it runs outside a sandbox, not even to
ask for its version.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import WorkspaceError
from pipeline.sandbox.base import Mount

# Every sandbox shows these read-only anyway.
_SYSTEM = ("/usr/", "/bin/", "/lib/", "/lib64/")


@dataclass(frozen=True, slots=True)
class Interpreter:
    """`python` as it is to be called, and what a sandbox must show for it to start.

    `version` is (major, minor), `release` what is known of it. `pytest` is the version that its own
    site-packages hold, or "". `virtual` tells a venv from a base installation.
    """

    python: Path
    version: tuple[int, int]
    release: str
    pytest: str
    virtual: bool
    mounts: tuple[Mount, ...]


def own_base() -> Path:
    """The base interpreter of this process, outside any venv."""
    named = Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")
    return named if named.exists() else Path(sys.executable).resolve()


def inspect(python: Path) -> Interpreter:
    """Describe the interpreter at `python`. Raises WorkspaceError that names the mend."""
    python = Path.cwd() / python  # not resolved: a venv is known by where its link stands
    if not os.access(python, os.X_OK) or not python.is_file():
        raise WorkspaceError(f"{python} is not an executable file; name a Python interpreter")
    with python.open("rb") as file:
        if file.read(2) == b"#!":
            raise WorkspaceError(
                f"{python} is a script; name the Python interpreter that it starts"
            )
    prefix = python.parent.parent
    settings = _settings(prefix / "pyvenv.cfg")
    release = settings.get("version") or settings.get("version_info") or _release(python.resolve())
    found = re.match(r"(\d+)\.(\d+)", release)
    if found is None:
        raise WorkspaceError(
            f"{python} has no standard library beside it; name another interpreter"
        )
    version = (int(found[1]), int(found[2]))
    calls = [python, *_links(python)]
    if home := settings.get("home"):
        calls.append(Path(home) / python.name)
    mounts: list[Mount | None] = []
    if settings:
        mounts.append(Mount(prefix))
        calls = [call for call in calls if prefix not in call.parents]
    mounts += [_mount(call) for call in calls]
    unique = dict.fromkeys(mount for mount in mounts if mount is not None)
    pytest = pytest_of(prefix if settings else python.resolve().parent.parent, version)
    return Interpreter(python, version, _short(release), pytest, bool(settings), tuple(unique))


def _short(release: str) -> str:
    return ".".join(release.split(".")[:3])


def _settings(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    pairs = (line.partition("=") for line in path.read_text("utf-8", "replace").splitlines())
    return {key.strip().lower(): value.strip() for key, mark, value in pairs if mark}


def _release(real: Path) -> str:
    """The version of a base interpreter: from its name, else from the library beside it."""
    if real == own_base().resolve():
        return platform.python_version()
    if named := re.fullmatch(r"python(\d+\.\d+)", real.name):
        return named[1]
    libraries = sorted(real.parent.parent.glob("lib*/python3.*/os.py"))
    return libraries[-1].parent.name.removeprefix("python") if libraries else ""


def _links(path: Path) -> list[Path]:
    """Every stop on the way from a symbolic link to the file, without the start."""
    stops: list[Path] = []
    while path.is_symlink():
        path = Path(os.path.normpath(path.parent / path.readlink()))
        stops.append(path)
    return stops


def _mount(call: Path) -> Mount | None:
    """What makes `call` exist inside: its installation, or just the file where there is none."""
    if str(call).startswith(_SYSTEM):
        return None
    prefix = call.parent.parent
    if not any(prefix.glob("lib*/python3*/os.py")):
        return Mount(call)
    home = Path.home()
    if prefix == home or prefix in home.parents:
        raise WorkspaceError(
            f"Python is installed right in {prefix}, which a sandbox must not see; use another one"
        )
    return Mount(prefix)


def pytest_of(prefix: Path, version: tuple[int, int]) -> str:
    """The version of pytest that the site-packages below `prefix` hold, or ""."""
    library = f"python{version[0]}.{version[1]}"
    folders = (
        *(prefix / lib / library / "site-packages" for lib in ("lib", "lib64")),
        prefix / "lib" / "python3" / "dist-packages",
        prefix / "local" / "lib" / library / "dist-packages",
    )
    for folder in folders:
        for info in folder.glob("pytest-*.dist-info"):
            return info.name.removeprefix("pytest-").removesuffix(".dist-info")
    return ""
