"""The edit tool's rule: exact match, one tolerant fallback, or a refusal that says why.

The fallback forgives what models get wrong most: line numbers pasted in from `read` ("12| "),
other line endings, trailing blanks, and a uniform difference in indentation (the replacement is
then moved by the same difference). A match must be the only one: an edit never guesses.
"""

from __future__ import annotations

import ast
import difflib
import re
import warnings

from pipeline.errors import EditRejected
from pipeline.redaction import marks

_NUMBERED = re.compile(r"^\s*\d+\| ?")
_SHOWN_PLACES = 5


def replace(content: str, old: str, new: str) -> str:
    """`content` with its only occurrence of `old` replaced. Raises EditRejected with the reason."""
    if not old:
        raise EditRejected("old is empty: quote the lines to replace, or use create for a new file")
    check_marks(content, old + new)
    newline = "\r\n" if "\r\n" in content else "\n"
    old, new = _with_newlines(old, newline), _with_newlines(new, newline)
    if old == new:
        raise EditRejected("old and new are the same: nothing would change")
    found = content.count(old)
    if found == 1:
        return content.replace(old, new)
    if found > 1:
        raise EditRejected(_several(_lines_of(content, old)))
    return _replace_tolerantly(content, old, new, newline)


def check_marks(content: str, said: str) -> None:
    """Refuse a text that quotes what was taken out for the model: the file holds something else.

    What stands in the file itself is the file's own.
    """
    for marker in marks(said):
        if marker not in content:
            raise EditRejected(
                f"{marker} is not what the file holds: a secret stands there, which you were not "
                "shown. That line cannot be edited; leave it as it is, and quote lines around it"
            )


def check_python(path: str, before: str | None, after: str) -> None:
    """Refuse an edit after which a Python file no longer parses (unless it did not before)."""
    if not path.endswith((".py", ".pyi")):
        return
    problem = _syntax_problem(after)
    if problem and (before is None or not _syntax_problem(before)):
        raise EditRejected(f"refused: {path} would no longer parse: {problem}. Nothing was changed")


def _with_newlines(text: str, newline: str) -> str:
    return text.replace("\r\n", "\n").replace("\n", newline)


def _replace_tolerantly(content: str, old: str, new: str, newline: str) -> str:
    wanted, offered = _bare_lines(old), _bare_lines(new)
    lines = content.split(newline)
    places = [
        start
        for start in range(len(lines) - len(wanted) + 1)
        if _shift(lines[start : start + len(wanted)], wanted) is not None
    ]
    if len(places) > 1:
        raise EditRejected(_several([place + 1 for place in places]))
    if not places or not any(line.strip() for line in wanted):
        raise EditRejected(_nowhere(lines, wanted))
    start = places[0]
    shift = _shift(lines[start : start + len(wanted)], wanted) or ("", "")
    moved = [_moved(line, shift) for line in offered]
    return newline.join(lines[:start] + moved + lines[start + len(wanted) :])


def _bare_lines(text: str) -> list[str]:
    """Lines without a trailing newline's empty one and, if all carry them, without line numbers."""
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    if all(_NUMBERED.match(line) for line in lines if line.strip()):
        return [_NUMBERED.sub("", line) for line in lines]
    return lines


def _shift(found: list[str], wanted: list[str]) -> tuple[str, str] | None:
    """The one difference in indentation (remove, add) that makes `wanted` read like `found`."""
    shift: tuple[str, str] | None = None
    for have, want in zip(found, wanted, strict=True):
        if have.strip() != want.strip():
            return None
        if not have.strip():
            continue
        pair = _indents(have, want)
        if pair is None or shift not in (None, pair):
            return None
        shift = pair
    return shift or ("", "")


def _indents(have: str, want: str) -> tuple[str, str] | None:
    ours = have[: len(have) - len(have.lstrip())]
    theirs = want[: len(want) - len(want.lstrip())]
    if ours.endswith(theirs):
        return ("", ours.removesuffix(theirs))
    if theirs.endswith(ours):
        return (theirs.removesuffix(ours), "")
    return None


def _moved(line: str, shift: tuple[str, str]) -> str:
    remove, add = shift
    return add + line.removeprefix(remove) if line.strip() else line


def _lines_of(content: str, old: str) -> list[int]:
    places, at = [], content.find(old)
    while at >= 0:
        places.append(content.count("\n", 0, at) + 1)
        at = content.find(old, at + 1)
    return places


def _several(places: list[int]) -> str:
    shown = ", ".join(map(str, places[:_SHOWN_PLACES]))
    return (
        f"old matches {len(places)} places (lines {shown}): add lines around it until only one fits"
    )


def _nowhere(lines: list[str], wanted: list[str]) -> str:
    first = next((line.strip() for line in wanted if line.strip()), "")
    near = difflib.get_close_matches(first, [line.strip() for line in lines], n=1, cutoff=0.6)
    if not near:
        return "old is not in the file: read the lines again and quote them exactly"
    number = next(n for n, line in enumerate(lines, 1) if line.strip() == near[0])
    return f"old is not in the file; the nearest line is {number}| {lines[number - 1]}"


def _syntax_problem(source: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(source)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        return str(error) or type(error).__name__
    return ""
