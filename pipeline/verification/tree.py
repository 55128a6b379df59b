"""Builds the clean tree that a verdict is given on, out of git objects, never a work tree."""

from __future__ import annotations

import configparser
import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.errors import StateOwnershipError
from pipeline.verification.paths import is_unasked

if TYPE_CHECKING:
    from pipeline.verification.paths import TestPaths
    from pipeline.workspace.repository import Repository

_HEADER = re.compile(r"^\[{1,2}\s*([^\[\]]+?)\s*\]{1,2}\s*(?:[#;].*)?$")
_PACKAGE = "package.json"
_NODE = ("scripts", "jest", "mocha", "ava", "vitest")
_Table = tuple[Callable[[str], bool], Callable[[str], tuple[object, object]]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is judged: a tree id, and three sets of paths.

    The files that `tests` adds, what the patch changed, and what of that comes from the base after
    all.
    """

    tree: str
    authored: tuple[str, ...]
    changed: tuple[str, ...]
    restored: tuple[str, ...]


async def verdict_tree(
    repository: Repository, code: str, tests: str, paths: TestPaths, *, own: bool = False
) -> Verdict:
    """Base, then `code`, then the base's test paths and pytest tables, then `tests`.

    With `own` the patch's own tests stay, where they are what is judged.
    Raises PatchError if a diff does not apply, and what `with_tests` raises.
    """
    back = is_unasked if own else paths.restored
    base = repository.base_tree
    patched = await repository.apply(base, code)
    changes = await repository.changes(base, patched)
    touched = {change.path for change in changes}
    touched |= {change.old_path for change in changes if change.old_path}
    tree = await repository.overlay(patched, base, back)
    restored = {path for path in touched if back(path)}
    # A project may stand in a folder of its own, with settings of its own.
    for name in sorted(path for path in touched if _base(path) in _SHARED and not back(path)):
        kept = await _with_base_tables(repository, tree, name)
        restored |= {name} if kept != tree else set()
        tree = kept
    final, authored = await with_tests(repository, tree, tests, paths)
    return Verdict(
        tree=final,
        authored=authored,
        changed=tuple(sorted(touched)),
        restored=tuple(sorted(restored)),
    )


async def with_tests(
    repository: Repository, tree: str, tests: str, paths: TestPaths
) -> tuple[str, tuple[str, ...]]:
    """`tree` with the tester's diff, and the files that it adds.

    Raises StateOwnershipError if the diff does more than add tests: nothing of the base and nothing
    of the product is the tester's.
    """
    after = await repository.apply(tree, tests)
    changes = await repository.changes(tree, after)
    for change in changes:
        if change.status != "A" or not paths.match(change.path):
            raise StateOwnershipError(
                f"the proposed tests touch {change.path}, which is not theirs"
            )
    return after, tuple(change.path for change in changes)


async def _with_base_tables(repository: Repository, tree: str, name: str) -> str:
    old = await _text(repository, repository.base_tree, name)
    new = await _text(repository, tree, name)
    text = restore_tables(name, old, new)
    if text == new:
        return tree
    return await repository.write(tree, name, None if text is None else text.encode())


async def _text(repository: Repository, tree: str, name: str) -> str | None:
    try:
        return (await repository.read(tree, name)).decode("utf-8", "replace")
    except FileNotFoundError:
        return None


def restore_tables(name: str, old: str | None, new: str | None) -> str | None:
    """The new text of a shared configuration file with pytest's tables as in the old one.

    None stands for a file that is not there. Where the text cannot be taken apart for certain, the
    whole file is the old one.
    """
    if _base(name) == _PACKAGE:
        return _with_scripts(old, new)
    ours, load = _TABLES[_base(name)]
    try:
        table_old, _ = load(old or "")
        table_new, rest_new = load(new or "")
        if table_old == table_new:
            return new
        kept = [text for title, text in _sections(new or "") if not ours(title)]
        back = [text for title, text in _sections(old or "") if ours(title)]
        merged = "".join(text if text.endswith("\n") else text + "\n" for text in [*kept, *back])
        if load(merged) == (table_old, rest_new):
            return merged
    except (tomllib.TOMLDecodeError, configparser.Error, RecursionError):
        return old
    return old


def _base(path: str) -> str:
    return path.rpartition("/")[2]


def _sections(text: str) -> list[tuple[str, str]]:
    """The text in pieces, each with the name of its table; the first piece has none."""
    pieces: list[tuple[str, list[str]]] = [("", [])]
    for line in text.splitlines(keepends=True):
        if header := _HEADER.match(line.rstrip()):
            pieces.append((header[1], []))
        pieces[-1][1].append(line)
    return [(title, "".join(lines)) for title, lines in pieces]


def _load_toml(text: str) -> tuple[object, object]:
    data: dict[str, Any] = tomllib.loads(text)
    tool = dict(data.get("tool", {}))
    table = tool.pop("pytest", None)
    rest = {**data, "tool": tool} if tool else {k: v for k, v in data.items() if k != "tool"}
    return table, rest


def _load_cfg(text: str) -> tuple[object, object]:
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(text)
    data = {title: dict(parser[title]) for title in parser.sections()}
    return data.pop("tool:pytest", None), data


def _with_scripts(old: str | None, new: str | None) -> str | None:
    """package.json with the base's commands and settings of tests; a new one is as it is."""
    if old is None:
        return new
    try:
        (before, _), (after, rest) = _load_package(old), _load_package(new or "")
    except (ValueError, TypeError, RecursionError):
        return old
    return new if before == after else json.dumps({**rest, **before}, indent=2) + "\n"


def _load_package(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    data: dict[str, Any] = dict(json.loads(text))
    table = {key: data.pop(key) for key in _NODE if key in data}
    return table, data


def _is_toml_table(title: str) -> bool:
    name = title.replace('"', "").replace("'", "").replace(" ", "")
    return name == "tool.pytest" or name.startswith("tool.pytest.")


_TABLES: Mapping[str, _Table] = {
    "pyproject.toml": (_is_toml_table, _load_toml),
    "setup.cfg": (lambda title: title == "tool:pytest", _load_cfg),
}
_SHARED = frozenset({*_TABLES, _PACKAGE})
