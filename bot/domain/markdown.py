"""Puts foreign text into Markdown so that it shows as it is, and does nothing else.

Foreign is whatever a model, a test or a stranger wrote: it pings nobody, refers to and closes no
issue, loads no image, and never leaves a fence or an element open.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from bot.domain.blocks import Chunk, chunks, spans

BUDGET = 60_000  # bytes of UTF-8 in a body; the forge takes 65,536 characters
_HEAD = 0.4
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\U000e0000-\U000e007f]"
)
_RUNS = re.compile(r"`+|~+")
_TICKS = re.compile(r"`+")
_FENCES = re.compile(r"`{3,}|~{3,}")
_REFERENCES = re.compile(
    r"@(?=\w)|#(?=\d)|\bGH-(?=\d)|(?<=/)(?:issues|pull|pulls|discussions|commit)/(?=\w)",
    re.IGNORECASE,
)
_NO_CHECKS = re.compile(
    r"\[(?=(?:skip[ -](?:ci|actions)|(?:ci|actions)[ -]skip|no[ -]ci)\])", re.IGNORECASE
)
_APART = "\u200b"  # no foreign text has one: `plain` takes them out
_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", "[": "&#91;", _APART: "&#8203;"})
_MARKS = str.maketrans(
    {"*": "&#42;", "_": "&#95;", "`": "&#96;", "~": "&#126;", "|": "&#124;", "\\": "&#92;"}
)


def size(text: str) -> int:
    """Bytes of UTF-8."""
    return len(text.encode("utf-8", "replace"))


def plain(text: str) -> str:
    """Without terminal sequences, control characters, and characters that hide or reorder."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _CONTROL.sub("", _ANSI.sub("", text))
    return text.encode("utf-8", "replace").decode("utf-8")


def one_line(text: str, limit: int = 200) -> str:
    """Plain text on one line of at most `limit` characters; not yet safe as Markdown."""
    flat = " ".join(plain(text).split())
    return flat if len(flat) <= limit else flat[: limit - 1].rstrip() + "…"


def cut(text: str, limit: int) -> str:
    """Head (40 %) and tail (60 %) of what is longer than `limit` bytes, and how much is missing.

    Secrets must be gone before: one that is cut in two is no longer found.
    """
    data = text.encode("utf-8", "replace")
    whole = len(data)
    if whole <= limit:
        return text
    room = limit - size(_omitted(whole, whole))
    if room <= 0:
        return data[: max(0, limit)].decode("utf-8", "ignore")
    first = int(room * _HEAD)
    head = data[:first].decode("utf-8", "ignore")
    tail = data[whole - (room - first) :].decode("utf-8", "ignore")
    return head + _omitted(whole - size(head) - size(tail), whole) + tail


def fence(text: str, info: str = "", *, limit: int = BUDGET) -> str:
    """A fenced block that nothing inside can close. `limit` is of the text, in bytes."""
    text = cut(plain(text), limit).rstrip("\n")
    longest = max((len(run) for run in _RUNS.findall(text)), default=0)
    mark = "`" * max(3, longest + 1)
    return f"{mark}{info}\n{text}\n{mark}"


def code(text: str, limit: int = 200) -> str:
    """A code span on one line, also good in a table."""
    text = one_line(text, limit)
    if not text:
        return ""
    ticks = "`" * (max((len(run) for run in _TICKS.findall(text)), default=0) + 1)
    pad = " " if text[0] == "`" or text[-1] == "`" else ""
    return f"{ticks}{pad}{text}{pad}{ticks}".replace("|", "\\|")


def inline(text: str, limit: int = 200) -> str:
    """Foreign words within a line of ours, also good in a table: nothing in them is Markdown."""
    return _apart(one_line(text, limit)).translate(_HTML | _MARKS)


def prose(text: str, limit: int = BUDGET) -> str:
    """Foreign Markdown of at most `limit` bytes: emphasis, lists, code stay, all else is text."""
    raw = limit
    while True:
        shown = "".join(_safe(chunk) for chunk in chunks(cut(plain(text), raw))).strip("\n")
        if size(shown) <= limit or not raw:
            return shown
        raw = raw * 3 // 4


def details(summary: str, body: str) -> str:
    """A folded part. `summary` is ours; `body` must be complete Markdown."""
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A table; the cells must be safe already."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def fit(build: Callable[[int], str], budget: int = BUDGET) -> str:
    """The body that `build` makes with the largest share of bytes for its long parts that fits.

    `build(0)` must fit in any case.
    """
    share = budget
    while True:
        body = build(share)
        if size(body) <= budget or share == 0:
            return body
        share = share * 3 // 4 if share > budget // 50 else 0


def subject(text: str, limit: int = 72) -> str:
    """The first line of a commit: foreign words that ping nobody, close nothing, skip no checks."""
    return _NO_CHECKS.sub(f"[{_APART}", _apart(one_line(text, limit)))


def _safe(chunk: Chunk) -> str:
    if chunk.kind == "code":
        opened, _, rest = chunk.text.partition("\n")
        mark = _FENCES.match(opened)
        lines = rest.rstrip("\n").split("\n")
        if mark and lines[-1].strip() and not lines[-1].strip().strip(mark[0][0]):
            lines = lines[:-1]
        info = re.sub(r"[^\w.+-]", "", opened.strip("`~ "))[:20]
        return fence("\n".join(lines), info) + "\n"
    done, at = [], 0
    for begin, end in spans(chunk.text) if chunk.spans else []:
        done += [_escaped(chunk.text[at:begin]), chunk.text[begin:end]]
        at = end
    return "".join([*done, _escaped(chunk.text[at:])])


def _escaped(text: str) -> str:
    text = _apart(text).translate(_HTML)
    return _FENCES.sub(lambda run: f"&#{ord(run[0][0])};" * len(run[0]), text)


def _apart(text: str) -> str:
    return _REFERENCES.sub(lambda found: f"{found[0]}{_APART}", text)


def _omitted(missing: int, whole: int) -> str:
    return f"\n… {missing:,} bytes of {whole:,} omitted …\n"
