"""Reads a git diff: which files it touches, how, and which lines it adds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_MODE = re.compile(r"(old mode|new mode|deleted file mode|new file mode) ([0-7]{6})")
_INDEX = re.compile(r"index [0-9a-f]+\.\.[0-9a-f]+ ([0-7]{6})")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(r'\\([0-7]{3}|[abtnvfr"\\])')
_LETTERS = {"a": 7, "b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13, '"': 34, "\\": 92}


@dataclass(frozen=True, slots=True)
class FileDiff:
    """What a diff does to one file. Modes are git's, 0 where the file does not exist.

    `old_path` is "" for a new file; `path` is the old one for a deletion. `added` holds (line
    number in the new file, text); `removed` counts lines; a `binary` change shows no lines.
    """

    path: str
    old_path: str = ""
    old_mode: int = 0
    new_mode: int = 0
    added: tuple[tuple[int, str], ...] = ()
    removed: int = 0
    binary: bool = False

    @property
    def lines(self) -> int:
        """Lines added and removed."""
        return len(self.added) + self.removed


def parse(diff: str) -> tuple[FileDiff, ...]:
    """Every file of a diff as git writes it (`a/` and `b/` before the names)."""
    return tuple(
        _file(piece) for piece in re.split(r"^(?=diff --git )", diff, flags=re.MULTILINE)[1:]
    )


def _file(piece: str) -> FileDiff:
    lines = piece.split("\n")
    names = _Names(lines[0])
    body = 1
    for line in lines[1:]:
        if line.startswith(("@@ ", "GIT binary patch", "Binary files ")):
            break
        names.header(line)
        body += 1
    binary = body < len(lines) and not lines[body].startswith("@@ ")
    added: list[tuple[int, str]] = []
    removed = 0
    for sign, number, text in () if binary else _changes(lines[body:]):
        if sign == "+":
            added.append((number, text))
        else:
            removed += 1
    return FileDiff(
        path=names.new or names.old,
        old_path=names.old,
        old_mode=names.old_mode,
        new_mode=names.new_mode,
        added=tuple(added),
        removed=removed,
        binary=binary,
    )


def _changes(lines: list[str]) -> Iterator[tuple[str, int, str]]:
    """Added and removed lines. Hunks say how long they are, so that no content passes for one."""
    old = new = number = 0
    for line in lines:
        if old <= 0 and new <= 0:
            hunk = _HUNK.match(line)
            if hunk:
                old, new = int(hunk[1] or 1), int(hunk[3] or 1)
                number = int(hunk[2])
            continue
        sign, text = line[:1], line[1:]
        if sign == "\\":
            continue
        if sign in "+-" and sign:
            yield sign, number, text
        old -= sign != "+"
        new -= sign != "-"
        number += sign != "-"


class _Names:
    """Names and modes, gathered from the lines before the first hunk."""

    def __init__(self, first: str) -> None:
        self.old, self.new = _both(first.removeprefix("diff --git "))
        self.old_mode = self.new_mode = 0

    def header(self, line: str) -> None:
        if mode := _MODE.fullmatch(line):
            self._mode(mode[1], int(mode[2], 8))
        elif index := _INDEX.fullmatch(line):
            self.old_mode = self.new_mode = int(index[1], 8)
        elif line.startswith(("rename from ", "copy from ")):
            self.old = _plain(line.split(" from ", 1)[1])
        elif line.startswith(("rename to ", "copy to ")):
            self.new = _plain(line.split(" to ", 1)[1])
        elif line.startswith("--- "):
            self.old = _prefixed(line[4:])
        elif line.startswith("+++ "):
            self.new = _prefixed(line[4:])

    def _mode(self, what: str, mode: int) -> None:
        if what in {"old mode", "deleted file mode"}:
            self.old_mode = mode
        else:
            self.new_mode = mode
        if what == "deleted file mode":
            self.new = ""
        if what == "new file mode":
            self.old = ""


def _both(rest: str) -> tuple[str, str]:
    """The two names of the first line, which are the same unless later lines say otherwise."""
    if rest.startswith('"'):
        found = _QUOTED.findall(rest)
        if len(found) > 1:
            return _unquote(found[0])[2:], _unquote(found[1])[2:]
    half = (len(rest) - 1) // 2
    return rest[2:half], rest[half + 3 :]


def _plain(name: str) -> str:
    quoted = _QUOTED.fullmatch(name)
    return _unquote(quoted[1]) if quoted else name


def _prefixed(name: str) -> str:
    """A name of "---" or "+++"; git ends one that holds blanks with a tab."""
    name = _plain(name.removesuffix("\t"))
    return "" if name == "/dev/null" else name[2:]


def _unquote(text: str) -> str:
    out, at = bytearray(), 0
    for escape in _ESCAPE.finditer(text):
        out += text[at : escape.start()].encode("utf-8", "surrogateescape")
        code = escape[1]
        out.append(int(code, 8) & 0xFF if code.isdigit() else _LETTERS[code])
        at = escape.end()
    out += text[at:].encode("utf-8", "surrogateescape")
    return out.decode("utf-8", "surrogateescape")
