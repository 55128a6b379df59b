"""Reads locks of poetry and pdm, so that uv installs what they have chosen without either tool.

uv resolves what the project asks for, and the lock's versions and hashes are its constraints: of
the tools' own releases, which break now and then, nothing is needed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from packaging.markers import InvalidMarker, Marker

_NAME = re.compile(r"[\w.-]+")
_VERSION = re.compile(r"[\w.!+-]+")
_HASH = re.compile(r"sha\d+:[0-9a-f]+")
# What does not come from an index has no version that could be asked for.
_ELSEWHERE = ("git", "url", "path", "hg", "svn")


def pins(lock: str) -> str:
    """The versions of poetry.lock or pdm.lock as a file of constraints; "" if it is none."""
    try:
        read = tomllib.loads(lock)
    except (tomllib.TOMLDecodeError, RecursionError):
        return ""
    hashes = _table(_table(read.get("metadata")).get("files"))
    named: dict[str, list[dict[str, Any]]] = {}
    for package in _tables(read.get("package")):
        if _pinned(package):
            named.setdefault(package["name"], []).append(package)
    lines = (line for name, same in named.items() for line in _lines(same, hashes.get(name)))
    return "".join(f"{line}\n" for line in lines)


def poetry_needs(table: object) -> list[str]:
    """A table of poetry's dependencies in words for uv, without versions: the lock has those."""
    return [
        word
        for name, said in _table(table).items()
        if name.lower() != "python" and _NAME.fullmatch(name)
        for word in _need(name, said)
    ]


def listed(needs: object) -> list[str]:
    """A list of requirements, without what is not one."""
    found = needs if isinstance(needs, list) else []
    return [need for need in found if isinstance(need, str) and not need.startswith("-")]


def _need(name: str, said: object) -> list[str]:
    if isinstance(said, list):  # several versions, each for some machines: the lock knows which
        return [name]
    how = _table(said)
    if how.get("optional"):
        return []
    if isinstance(how.get("path"), str):
        return ["-e", how["path"]] if how.get("develop") else [how["path"]]
    if isinstance(how.get("git"), str):
        ref = next((f"@{how[key]}" for key in ("rev", "tag", "branch") if key in how), "")
        return [f"{name} @ git+{how['git']}{ref}"]
    if isinstance(how.get("url"), str):
        return [f"{name} @ {how['url']}"]
    extras = ",".join(listed(how.get("extras")))
    marker = how.get("markers")
    when = f" ; {marker}" if isinstance(marker, str) and _valid(marker) else ""
    return [f"{name}[{extras}]{when}" if extras else f"{name}{when}"]


def _pinned(package: Mapping[str, Any]) -> bool:
    name, version = str(package.get("name", "")), str(package.get("version", ""))
    source = _table(package.get("source")).get("type", "legacy")
    outside = source != "legacy" or any(key in package for key in _ELSEWHERE)
    return bool(_NAME.fullmatch(name) and _VERSION.fullmatch(version)) and not outside


def _lines(same: Collection[Mapping[str, Any]], more: object) -> Iterator[str]:
    """One package's constraints. Of several versions each holds where its marker does."""
    for package in same:
        marker = _marker(package) if len(same) > 1 else ""
        if marker is None:
            continue
        files = [*_tables(package.get("files")), *_tables(more)]
        wanted = {file["hash"] for file in files if _HASH.fullmatch(str(file.get("hash", "")))}
        words = [f"{package['name']}=={package['version']}", *([f"; {marker}"] if marker else [])]
        yield " ".join([*words, *(f"--hash={one}" for one in sorted(wanted))])


def _marker(package: Mapping[str, Any]) -> str | None:
    """Where a version holds; None if that is not told."""
    said = package.get("markers", package.get("marker"))
    each = list(said.values()) if isinstance(said, dict) else [said]
    if not all(isinstance(one, str) and _valid(one) for one in each):
        return None
    return " or ".join(f"({one})" for one in each)


def _valid(marker: str) -> bool:
    try:
        Marker(marker)
    except InvalidMarker:
        return False
    return "\n" not in marker


def _table(found: object) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}


def _tables(found: object) -> Iterable[dict[str, Any]]:
    return (one for one in found if isinstance(one, dict)) if isinstance(found, list) else ()
