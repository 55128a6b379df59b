"""Diffs between two trees, as text that survives JSON and applies back to the identical tree."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, cast

from pipeline.errors import PatchError, WorkspaceError
from pipeline.workspace.gitcmd import Git, GitError
from pipeline.workspace.objects import (
    LINK,
    NOTHING,
    Item,
    bytes_of,
    changed_tree,
    private_index,
    text_of,
)

Status = Literal["A", "M", "D", "R", "T"]

_DIFF_TREE = ("diff-tree", "-r", "-l2000", "--no-ext-diff", "--no-textconv")
_RAW = ("--raw", "-z", "--abbrev=40")
_PATCH = (
    "-p",
    "--binary",
    "--full-index",
    "--no-color",
    "--unified=3",
    "--diff-algorithm=histogram",
    "--src-prefix=a/",
    "--dst-prefix=b/",
)
# Only headers begin so: lines of content begin with a blank, "+", "-" or "\", base85 has no blank.
_PIECE = re.compile(rb"^(?=diff --git )", re.MULTILINE)
_INDEX = re.compile(rb"^index ([0-9a-f]{40})\.\.([0-9a-f]{40})", re.MULTILINE)
_HEADING = re.compile(rb"^(@@ -[0-9,]+ \+[0-9,]+ @@)(.*)$", re.MULTILINE)
# git apply cannot tell the two names apart where a directory's name ends with a blank.
_BLANK_NAME = re.compile(rb"^diff --git (a/(.* /.*)) (b/\2)$", re.MULTILINE)
_GLOB = re.compile(r"([\\*?\[\]])")


@dataclass(frozen=True, slots=True)
class Change:
    """One changed path. Modes are git's, 0 where the path does not exist.

    `old_path` is given for renames alone; `old_id` and `new_id` are blob ids (forty zeros: none).
    """

    path: str
    status: Status
    old_path: str = ""
    old_mode: int = 0
    new_mode: int = 0
    old_id: str = ""
    new_id: str = ""


async def changes(git: Git, old: str, new: str, paths: Sequence[str] = ()) -> tuple[Change, ...]:
    """What differs, renames found, sorted by path as git sorts."""
    return await _changes(git, "-M", (old, new, "--", *paths))


async def _changes(git: Git, renames: str, range_: Sequence[str]) -> tuple[Change, ...]:
    out = await git.run(*_DIFF_TREE, *_RAW, renames, *range_)
    fields = iter(out.split(b"\0")[:-1])
    return tuple(_change(facts, fields) for facts in fields)


def _change(facts: bytes, fields: Iterable[bytes]) -> Change:
    names = iter(fields)
    old_mode, new_mode, old_id, new_id, status = facts[1:].decode("ascii").split(" ")
    letter = cast("Status", status[0])
    path, old_path = text_of(next(names)), ""
    if letter == "R":
        path, old_path = text_of(next(names)), path
    return Change(path, letter, old_path, int(old_mode, 8), int(new_mode, 8), old_id, new_id)


async def diff(git: Git, old: str, new: str, paths: Sequence[str] = ()) -> str:
    """The git diff from tree `old` to tree `new`; "" when equal.

    Content that is not valid UTF-8, or holds a NUL, travels as a binary patch. The diff is tried
    before it is given: there are renames (of a link whose name becomes a directory) that git
    writes and does not apply, and those are written as deletion and creation.
    """
    if old == new:
        return ""
    range_ = (old, new, "--", *paths)
    wanted = new if not paths else await _limited(git, old, range_)
    for renames in ("-M", "--no-renames"):
        patch = await _patch(git, renames, range_)
        with suppress(PatchError):
            if await apply(git, old, patch) == wanted:
                return patch
    raise WorkspaceError("the change cannot be written as a diff that applies: undo odd file names")


async def _limited(git: Git, old: str, range_: Sequence[str]) -> str:
    found = await _changes(git, "--no-renames", range_)
    items = {c.path: Item(c.new_mode, c.new_id) if c.new_mode else None for c in found}
    return await changed_tree(git, old, items)


async def _patch(git: Git, renames: str, range_: Sequence[str]) -> str:
    make = (*_DIFF_TREE, *_PATCH, renames, *range_)
    patch = _tidy(await git.run(*make))
    pieces = [piece for piece in _PIECE.split(patch) if not _is_text(piece)]
    if pieces:
        unreadable = {pair for piece in pieces for pair in _ids(piece)}
        found = await _changes(git, renames, range_)
        with TemporaryDirectory(prefix="acp-diff-") as directory:
            chosen = [c for c in found if not unreadable.isdisjoint(_pairs(c))]
            patch = _tidy(await git.run(*_binary_pins(Path(directory), chosen), *make))
    return patch.decode("utf-8")


def _is_text(piece: bytes) -> bool:
    if b"\0" in piece:
        return False
    try:
        piece.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _ids(piece: bytes) -> list[tuple[str, str]]:
    return [(m[1].decode("ascii"), m[2].decode("ascii")) for m in _INDEX.finditer(piece)]


def _pairs(change: Change) -> set[tuple[str, str]]:
    """The ids that the diff gives for a change; a change of kind is a deletion and a creation."""
    if change.status == "T":
        return {(change.old_id, NOTHING), (NOTHING, change.new_id)}
    return {(change.old_id, change.new_id)}


def _tidy(patch: bytes) -> bytes:
    """Git cuts the text after a hunk's "@@" at a byte, which may be the middle of a character."""
    patch = _BLANK_NAME.sub(rb'diff --git "\1" "\3"', patch)
    return _HEADING.sub(
        lambda m: m[1] + m[2].decode("utf-8", "ignore").replace("\0", "").encode(), patch
    )


def _binary_pins(directory: Path, unreadable: Iterable[Change]) -> list[str]:
    """Options of git that make these paths binary."""
    lines, pins = ["* diff=plain"], []
    for change in unreadable:
        names = {change.path, change.old_path} - {""}
        lines += [f"{_pattern(name)} -diff" for name in sorted(names)]
        if LINK in (change.old_mode, change.new_mode):
            # Attributes do not reach symbolic links; git takes the driver "default" for them.
            pins = ["-c", "diff.default.binary=true"]
    attributes = directory / "attributes"
    attributes.write_bytes(b"\n".join(bytes_of(line) for line in lines) + b"\n")
    return ["-c", f"core.attributesFile={attributes}", *pins]


def _pattern(path: str) -> str:
    """The attribute pattern that matches this one path and no other."""
    literal = "/" + _GLOB.sub(r"\\\1", path)
    quoted = "".join(_quoted(byte) for byte in bytes_of(literal))
    return f'"{quoted}"'


def _quoted(byte: int) -> str:
    char = chr(byte)
    return char if char.isascii() and char.isprintable() and char not in '"\\' else f"\\{byte:03o}"


async def apply(git: Git, tree: str, patch: str) -> str:
    """The tree that `patch` makes of `tree`, worked out in an index. Raises PatchError."""
    if not patch.strip():
        return tree
    try:
        data = patch.encode("utf-8")
    except UnicodeEncodeError:
        raise PatchError("the diff is not valid text: it holds half a character") from None
    data += b"" if data.endswith(b"\n") else b"\n"
    args = ("apply", "--cached", "--binary", "--whitespace=nowarn", "-p1", "-")
    async with private_index(git) as indexed:
        await indexed.run("read-tree", tree)
        try:
            await indexed.run(*args, stdin=data)
            return await indexed.line("write-tree")
        except GitError as error:
            raise PatchError(f"the diff does not apply to its base: {error}") from error
