"""Builds the read-only directory that goes beside a target's interpreter.

For a bare environment it is a venv of its own: the base interpreter with the standard library, and
pytest with its dependencies copied from our installation: none of our other packages comes along.
"""

from __future__ import annotations

import compileall
import hashlib
import json
import os
import re
import shutil
import stat
import sys
import tempfile
from importlib import metadata
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import WorkspaceError

if TYPE_CHECKING:
    from pipeline.environment.interpreter import Interpreter

_LAYOUT = "1"
_INSIDE = (
    *("acp_pytest.py", "acp_probe.py", "acp_unittest.py", "acp_children.py"),
    *("acp_node.mjs", "acp_node_held.mjs"),
)
_LAUNCH = '#!/bin/sh\nexec "{python}" "{launcher}" {order} "$@"\n'


def support_directory(
    interpreter: Interpreter, ruff: str, *, bare: bool, cache: Path | None = None
) -> Path:
    """The finished directory for `interpreter`, built on first use and shared after that.

    Holds `probe/` (launcher, plugin, report log), `bin/pytest`, a link to the binary `ruff`, and
    for a bare environment a venv.
    `cache` defaults to a directory of this user under the system's temporary one.
    Raises WorkspaceError if our own installation cannot be copied.
    """
    packages = _closure("pytest") if bare else {}
    home = _private(cache)
    facts = [_LAYOUT, str(interpreter.python), interpreter.release, str(bare), ruff]
    facts += [f"{name} {found.version}" for name, found in sorted(packages.items())]
    facts += [_distribution("pytest-reportlog").version]
    facts += [_inside(name) for name in _INSIDE]
    final = home / hashlib.sha256("\0".join(facts).encode()).hexdigest()[:20]
    if _whole(final):
        return final
    made = Path(tempfile.mkdtemp(prefix="making-", dir=home))
    _fill(made, final, interpreter, packages, ruff)
    (made / "MANIFEST").write_text(json.dumps(_sizes(made)), "utf-8")
    made.chmod(0o755)
    return _publish(made, final)


def _private(cache: Path | None) -> Path:
    """A directory that only this user can write.

    The default's name can be guessed, so one that somebody else made first is never used.
    """
    if cache is not None:
        cache.mkdir(parents=True, exist_ok=True)
        return cache.resolve()
    home = Path(tempfile.gettempdir(), f"acp-support-{os.geteuid()}")
    home.mkdir(mode=0o755, exist_ok=True)
    facts = home.lstat()
    mine = stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.geteuid()
    if mine and not facts.st_mode & 0o022:
        return home.resolve()
    fresh = Path(tempfile.mkdtemp(prefix="acp-support-"))
    fresh.chmod(0o755)
    return fresh


def _inside(name: str) -> str:
    return files("pipeline.environment.inside").joinpath(name).read_text("utf-8")


def _distribution(name: str) -> metadata.Distribution:
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        raise WorkspaceError(
            f"{name} is not installed beside this program; install it again"
        ) from None


def _closure(name: str) -> dict[str, metadata.Distribution]:
    """A distribution and all that it needs on this platform, by name."""
    from packaging.requirements import Requirement

    found: dict[str, metadata.Distribution] = {}
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current in found:
            continue
        found[current] = _distribution(current)
        needs = [Requirement(line) for line in found[current].requires or ()]
        waiting += [n.name for n in needs if n.marker is None or n.marker.evaluate({"extra": ""})]
    return found


def _fill(
    made: Path,
    final: Path,
    interpreter: Interpreter,
    packages: dict[str, metadata.Distribution],
    ruff: str,
) -> None:
    probe = made / "probe"
    probe.mkdir()
    for name in _INSIDE:
        (probe / name).write_text(_inside(name), "utf-8")
    _copy(_distribution("pytest-reportlog"), probe, only="pytest_reportlog/")
    (made / "bin").mkdir()
    (made / "bin" / "ruff").symlink_to(ruff)
    python = interpreter.python
    if packages:
        python = final / "bin" / "python"
        _venv(made, interpreter, packages)
    _compile(made, interpreter)
    launch = made / "bin" / "pytest"
    order = "last" if packages else "first"
    text = _LAUNCH.format(python=python, launcher=final / "probe" / _INSIDE[0], order=order)
    launch.write_text(text, "utf-8")
    launch.chmod(0o755)


def _venv(made: Path, interpreter: Interpreter, packages: dict[str, metadata.Distribution]) -> None:
    major, minor = interpreter.version
    site = made / "lib" / f"python{major}.{minor}" / "site-packages"
    site.mkdir(parents=True)
    for found in packages.values():
        _copy(found, site)
    real = interpreter.python.resolve()
    for name in ("python", "python3", f"python{major}.{minor}"):
        (made / "bin" / name).symlink_to(real)
    settings = (
        f"home = {real.parent}",
        "include-system-site-packages = false",
        f"version = {interpreter.release}",
    )
    (made / "pyvenv.cfg").write_text("\n".join(settings) + "\n", "utf-8")


def _copy(found: metadata.Distribution, target: Path, only: str = "") -> None:
    """Copy a distribution's files with their times, so that compiled files stay valid."""
    if found.files is None:
        raise WorkspaceError(f"{found.name} keeps no list of its files; install it with pip or uv")
    for path in found.files:
        source = Path(str(found.locate_file(path)))
        if ".." in path.parts or not str(path).startswith(only) or not source.is_file():
            continue
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target / path)


def _compile(made: Path, interpreter: Interpreter) -> None:
    """Compile now: the directory is read-only later. Lexers that pytest never loads stay out."""
    if interpreter.version == sys.version_info[:2]:
        rare = re.compile(r"pygments/(lexers/(?!__init__|python|diff|_mapping)|styles/)")
        compileall.compile_dir(made, quiet=2, rx=rare)


def _sizes(directory: Path) -> dict[str, int]:
    """Size in bytes of each file, without the manifest itself."""
    return {
        str(path.relative_to(directory)): path.stat().st_size
        for path in sorted(directory.rglob("*"))
        if path.is_file() and not path.is_symlink() and path.name != "MANIFEST"
    }


def _whole(directory: Path) -> bool:
    """Whether nothing is missing: cleaners of temporary directories remove single old files."""
    try:
        listed = json.loads((directory / "MANIFEST").read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return False
    return bool(listed == _sizes(directory))


def _publish(made: Path, final: Path) -> Path:
    """Move into place in one step; whoever finished first wins, a damaged one is put aside."""
    if final.exists() and not _whole(final):
        aside = Path(tempfile.mkdtemp(prefix="damaged-", dir=final.parent))
        final.rename(aside / "old")
        shutil.rmtree(aside)
    try:
        made.rename(final)
    except OSError:
        shutil.rmtree(made)
        if not _whole(final):
            raise WorkspaceError(f"{final} cannot be replaced; remove it") from None
    return final
