"""Tells what of a Markdown text is certainly shown as code, whatever surrounds it.

A forge hides HTML comments and attributes, but shows them inside code. Whoever strips what is
hidden must leave code alone, and must never be talked into taking hidden text for code: so text
counts as code only where no reading of Markdown and HTML could make it anything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["code", "text", "html", "broken"]
NESTED = r"(?:[ \t]*(?:>|[-*+]|[0-9]{1,9}[.)]))*[ \t]*"  # marks of quotes and lists
_FENCE = re.compile(r"(`{3,}(?=[^`]*$)|~{3,})")  # at column 0: no list or quote can end it
# A fence that a list or quote may end: whoever miscounts them takes text for code.
_UNSURE = re.compile(r"(?=[^`~])[ \t>*+0-9.)-]*(?:`{3,}|~{3,})")
# CommonMark's names of block elements, and a few that a browser treats like them
_BLOCK = re.compile(
    NESTED
    + r"</?(?:address|article|aside|audio|base|basefont|blockquote|body|button|canvas|caption|"
    r"center|col|colgroup|dd|details|dialog|dir|div|dl|dt|embed|fieldset|figcaption|figure|footer|"
    r"form|frame|frameset|h[1-6]|head|header|hr|html|iframe|input|legend|li|link|main|map|marquee|"
    r"math|menu|menuitem|meta|nav|noframes|noscript|object|ol|optgroup|option|p|param|picture|"
    r"progress|search|section|select|source|summary|svg|table|tbody|td|template|tfoot|th|thead|"
    r"title|tr|track|ul|video)(?=[\s>/]|$)",
    re.IGNORECASE,
)
_OPENINGS = (
    (re.compile(NESTED + r"<!--"), re.compile("-->")),
    (re.compile(NESTED + r"<\?"), re.compile(r"\?>")),
    (re.compile(NESTED + r"<!\[CDATA\["), re.compile(r"\]\]>")),
    (re.compile(NESTED + r"<![A-Za-z]"), re.compile(">")),
    (
        re.compile(NESTED + r"<(?:pre|script|style|textarea)(?=[\s>]|$)", re.IGNORECASE),
        re.compile(r"</(?:pre|script|style|textarea)>", re.IGNORECASE),
    ),
)
_VALUE = r"""(?:[^\s"'=<>`]+|'[^']*'|"[^"]*")"""
TAG = re.compile(
    rf"<([A-Za-z][A-Za-z0-9-]*)((?:\s+[A-Za-z_:][\w.:-]*(?:\s*=\s*{_VALUE})?)*)\s*/?>"
    r"|</[A-Za-z][A-Za-z0-9-]*\s*>"
)
_ALONE = re.compile(rf"{NESTED}(?:{TAG.pattern})\s*")
_BEGUN = re.compile(r"<[A-Za-z/]")
_HIDDEN = re.compile(r"<!--.*?(-->|\Z)|<[!?][^>]*(>|\Z)", re.DOTALL)
_SPAN = re.compile(r"(?<!`)(`+)(?!`)[^\n]*?(?<!`)\1(?!`)")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Lines that belong together, with their ends.

    code    inside a fence, with the fence
    text    a paragraph; its code spans are certain if `spans` is set
    html    raw HTML, where Markdown has no say
    broken  raw HTML with a tag that never ends: it may hide everything from there on
    """

    kind: Kind
    text: str
    spans: bool = False


def chunks(text: str) -> Iterator[Chunk]:
    """The whole text in pieces; joined, they give it back. Lines must end in LF alone."""
    reader = _Reader()
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        yield from reader.read(line)
    yield from reader.flush()


def spans(paragraph: str) -> list[tuple[int, int]]:
    """Where the code spans of a chunk with `spans` lie."""
    return [found.span() for found in _SPAN.finditer(paragraph)]


class _Reader:
    """Gathers lines to chunks."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._kind: Kind = "text"
        self._fence = ""
        self._until: re.Pattern[str] | None = None
        self._nested = False  # a list or quote may end the HTML before its own end does
        self._lost = False  # from something unsure on, nothing counts as code

    def read(self, line: str) -> Iterator[Chunk]:
        if self._fence:
            self._lines.append(line)
            if _closes(line, self._fence):
                yield from self.flush()
        elif self._until:
            self._lines.append(line)
            if self._until.search(line):
                yield from self.flush()
        elif not line.strip():
            self._lines.append(line)
            yield from self.flush()
        elif self._kind == "html":
            self._lines.append(line)
        else:
            yield from self._open(line)

    def _open(self, line: str) -> Iterator[Chunk]:
        """A line that may begin something new."""
        self._lost = self._lost or _UNSURE.match(line) is not None
        fence = _FENCE.match(line.rstrip("\n"))
        if fence and not self._lost:
            yield from self.flush()
            self._kind, self._fence = "code", fence[1]
        elif (end := _end_of(line)) or _BLOCK.match(line) or _ALONE.fullmatch(line):
            yield from self.flush()
            self._kind, self._until = "html", end
            self._nested = not line.lstrip(" ").startswith("<")
        self._lines.append(line)
        if self._kind == "html" and self._until and _ends_here(line, self._until):
            yield from self.flush()

    def flush(self) -> Iterator[Chunk]:
        """What has been gathered, and ready for the next."""
        text, kind = "".join(self._lines), self._kind
        self._lines, self._kind, self._fence, self._until = [], "text", "", None
        if not text:
            return
        split = self._nested and "\n" in text.strip("\n")
        if kind == "html" and (split or _unfinished(text)):
            self._lost = True
            kind = "broken"
        certain = kind == "text" and not self._lost and _certain(text)
        yield Chunk(kind, text, certain)


def _closes(line: str, fence: str) -> bool:
    indent = len(line) - len(line.lstrip(" "))
    mark = line.strip(" \t\n")
    return indent <= 3 and len(mark) >= len(fence) and not mark.strip(fence[0])  # noqa: PLR2004


def _end_of(line: str) -> re.Pattern[str] | None:
    return next((end for begin, end in _OPENINGS if begin.match(line)), None)


def _ends_here(line: str, end: re.Pattern[str]) -> bool:
    """Whether the end stands on the line that begins the block, behind its first characters."""
    return end.search(line, line.index("<") + 2) is not None


def _unfinished(html: str) -> bool:
    """Whether something begins that is not plainly ended: a browser may read on from there."""
    if any("" in (found[1], found[2]) for found in _HIDDEN.finditer(html)):
        return True
    return _BEGUN.search(TAG.sub("", _HIDDEN.sub("", html))) is not None


def _certain(paragraph: str) -> bool:
    """Whether every code span begins and ends on its line, and nothing could shift them."""
    if "|" in paragraph or "\\`" in paragraph:
        return False
    outside = _SPAN.sub("", paragraph)
    return "`" not in outside and "<" not in outside
