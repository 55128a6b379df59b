"""Chooses among the interpreters of this machine, which are found by looking at files alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from pipeline.environment.interpreter import Interpreter, inspect, own_base
from pipeline.errors import WorkspaceError

_SYSTEM = ("/usr/local", "/usr")
_COLLECTIONS = ("/opt", "/opt/python")
_NAME = re.compile(r"python3\.\d+")
_POETRY = re.compile(r"\^\s*(\d+)(?:\.(\d+))?[\d.]*|~\s*(\d+)\.(\d+)[\d.]*")


def installed() -> tuple[Interpreter, ...]:
    """Ours first, then the others from the newest to the oldest, one a version."""
    own = inspect(own_base())
    found = {own.version: own}
    for python in _candidates():
        try:
            one = inspect(python)
        except WorkspaceError:
            continue
        found.setdefault(one.version, one)
    others = sorted((key for key in found if key != own.version), reverse=True)
    return (own, *(found[key] for key in others))


def choose(wish: str, among: Sequence[Interpreter]) -> Interpreter:
    """The first of `among` that fits: a version such as "3.12", a specifier, or "" for any.

    Raises WorkspaceError that says what is asked for and what is here.
    """
    fitting = [one for one in among if one.version >= (3, 8) and _fits(one, wish)]
    if not fitting:
        here = ", ".join(f"{one.version[0]}.{one.version[1]}" for one in among)
        raise WorkspaceError(
            f"the project asks for Python {wish}, and this machine has {here}: install that Python "
            "where the bot runs, or name one with --python"
        )
    return fitting[0]


def _fits(one: Interpreter, wish: str) -> bool:
    if not wish:
        return True
    if re.fullmatch(r"\d+\.\d+(\.\d+)?", wish):
        return wish.split(".")[:2] == [str(part) for part in one.version]
    try:
        wanted = SpecifierSet(_standard(wish))
    except InvalidSpecifier:
        return True
    # The newest release of that version is not known to be here, so only its first two parts count.
    releases = (one.release, "{}.{}".format(*one.version), "{}.{}.99".format(*one.version))
    return any(release in wanted for release in releases)


def _standard(wish: str) -> str:
    """Poetry's `^3.9` and `~3.9` as specifiers that all tools know."""

    def spelled(found: re.Match[str]) -> str:
        major, minor = found[1] or found[3], found[2] or found[4] or "0"
        end = f"{int(major) + 1}" if found[1] else f"{major}.{int(minor) + 1}"
        return f">={major}.{minor},<{end}"

    return wish if "~=" in wish else _POETRY.sub(spelled, wish)


def _candidates() -> Iterator[Path]:
    """Interpreters of the system, and those that stand beside ours in a collection of versions."""
    prefixes = [Path(name) for name in _SYSTEM]
    beside = own_base().resolve().parent.parent.parent
    for home in (beside, *map(Path, _COLLECTIONS)):
        prefixes += _folders(home)
    for prefix in prefixes:
        yield from (path for path in _folders(prefix / "bin") if _NAME.fullmatch(path.name))


def _folders(home: Path) -> Iterable[Path]:
    try:
        return sorted(home.iterdir())
    except OSError:
        return ()
