"""Finds in a git diff the lines that a change put into Python files."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_NEW = re.compile(r'\+\+\+ "?b/(.+?)"?\t?$')


def changed_lines(diff: str) -> Mapping[str, tuple[int, ...]]:
    """Path -> line numbers in the new file. Where lines were only removed: their two neighbours."""
    found: dict[str, set[int]] = defaultdict(set)
    path, number, old, new = "", 0, 0, 0
    gap: set[int] = set()
    for line in diff.splitlines():
        if old <= 0 and new <= 0:
            if target := _NEW.match(line):
                path = target[1] if target[1].endswith(".py") else ""
            elif hunk := _HUNK.match(line):
                number, old, new = int(hunk[2]), int(hunk[1] or 1), int(hunk[3] or 1)
            continue
        mark = line[:1]
        if mark == "+":
            found[path].add(number)
            gap = set()
        elif mark == "-":
            gap = {number - 1, number}
        old -= mark in {"-", " ", ""}
        new -= mark in {"+", " ", ""}
        number += mark in {"+", " ", ""}
        if gap and (mark in {" ", ""} or old <= 0 >= new):
            found[path] |= gap
            gap = set()
    found.pop("", None)
    return {name: tuple(sorted(lines)) for name, lines in found.items()}
