"""Jira's wiki text to Markdown, line by line and in linear time: strangers write tickets.

What Jira does not show (white text, anchors) becomes an HTML comment, which the sanitiser takes out
and tells of; what it shows as it stands, such as HTML, stays to be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_BLOCK = re.compile(r"\{(code|noformat)(?::([^{}\n]{0,200}))?\}")
_HEADING = re.compile(r"^\s{0,3}h([1-6])\.\s+(.*)$")
_ITEM = re.compile(r"^\s{0,3}([*#]{1,10}|-)\s+(.*)$")
_PANEL = re.compile(r"\{panel(?::([^{}\n]{0,300}))?\}")
_TITLE = re.compile(r"(?:^|\|)title=([^|]*)")
_LANGUAGE = re.compile(r"[A-Za-z0-9+#_-]{1,20}")
_WHITE = frozenset({"white", "#fff", "#ffffff", "transparent"})
_COLOR = re.compile(r"\{color(?::([^{}\n]{1,40}))?\}")
_CELLS = re.compile(r"\|\|?(?![^\[\]\n]{0,1000}\])")
_SPAN = re.compile(
    r"\\(?P<escaped>[^\w\s])"
    r"|\{\{(?P<mono>[^{}\n]{1,500})\}\}"
    r"|\{anchor:(?P<anchor>[^{}\n]{0,300})\}"
    r"|!(?P<image>[^\s!|][^!|\n]{0,200})(?:\|(?P<how>[^!\n]{0,300}))?!"
    r"|\[~(?:accountid:)?(?P<person>[^\[\]\n]{1,100})\]"
    r"|\[(?P<link>[^\[\]\n]{1,1000})\]"
    r"|(?<!\w)\*(?=\S)(?P<bold>[^*\n]{1,500})(?<=\S)\*(?!\w)"
    r"|(?<!\w)_(?=\S)(?P<italic>[^_\n]{1,500})(?<=\S)_(?!\w)"
    r"|(?<![\w-])-(?=[^\s-])(?P<gone>[^-\n]{1,500})(?<=\S)-(?![\w-])"
)


def to_markdown(text: str) -> str:
    """The text as Markdown; what is no wiki markup stays as it is."""
    text = _without_colors(text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", ""))
    parts = []
    for kind, piece in _pieces(text):
        parts.append(piece if kind == "code" else "\n".join(_Lines().read(piece.split("\n"))))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts)).strip()


def hidden(text: str) -> str:
    """Text that readers do not see, in the form that the sanitiser takes out."""
    return f"<!-- {text.replace('--', '- -').replace('>', '&gt;')} -->"


def fenced(code: str, language: str = "") -> str:
    """A block of code as Markdown; its fence is longer than any inside."""
    longest = max((len(run) for run in re.findall(r"`{3,}", code)), default=2)
    ticks = "`" * (longest + 1)
    return f"\n{ticks}{language}\n{code.strip(chr(10))}\n{ticks}\n"


def span(code: str) -> str:
    """A span of code as Markdown."""
    longest = max((len(run) for run in re.findall(r"`+", code)), default=0)
    ticks = "`" * (longest + 1)
    pad = " " if code.startswith("`") or code.endswith("`") else ""
    return f"{ticks}{pad}{code}{pad}{ticks}"


def shown(text: str) -> str:
    """Text that Jira shows as it stands, so that Markdown does as well."""
    return text.replace("<", "&lt;")


def _without_colors(text: str) -> str:
    """Colours go; white text, which is hidden on a white page, stands between two NULs."""
    pieces, at, white = [], 0, False
    for found in _COLOR.finditer(text):
        piece = text[at : found.start()]
        pieces.append(f"\0{piece}\0" if white and piece.strip() else piece)
        white = (found[1] or "").strip().lower() in _WHITE
        at = found.end()
    return "".join([*pieces, text[at:]])


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """("code", Markdown) and ("text", wiki text) in turn."""
    at = 0
    while found := _BLOCK.search(text, at):
        end = text.find(f"{{{found[1]}}}", found.end())
        if end < 0:
            break
        yield "text", text[at : found.start()]
        code = text[found.end() : end].replace("\0", "")
        yield "code", fenced(code, _language(found[2] or "") if found[1] == "code" else "")
        at = end + len(found[1]) + 2
    yield "text", text[at:]


def _language(params: str) -> str:
    first = params.split("|", maxsplit=1)[0].strip()
    return first.lower() if _LANGUAGE.fullmatch(first) else ""


class _Lines:
    """Reads the lines between blocks; Markdown wants a blank line where their kind changes."""

    def __init__(self) -> None:
        self._quoted = False
        self._kind = ""

    def read(self, lines: list[str]) -> Iterator[str]:
        for line in _hidden_lines(lines):
            if line.strip() == "{quote}":
                self._quoted, self._kind = not self._quoted, ""
                yield ""
                continue
            kind, made = _line(_PANEL.sub(_panel, line), self._kind)
            if kind and self._kind and kind != self._kind:
                yield ">" if self._quoted else ""
            self._kind = kind
            for one in made:
                yield f"> {one}".rstrip() if self._quoted else one


def _line(line: str, before: str) -> tuple[str, list[str]]:
    """What kind of line it is ("" for an empty one), and its Markdown."""
    text = line.strip()
    if text.startswith("|"):
        return "table", _row(text, first=before != "table")
    if heading := _HEADING.match(line):
        return "heading", [f"{'#' * int(heading[1])} {_inline(heading[2])}"]
    if item := _ITEM.match(line):
        mark = "1. " if item[1].endswith("#") else "- "
        return "list", [f"{'   ' * (len(item[1]) - 1)}{mark}{_inline(item[2])}"]
    if line.startswith("bq. "):
        return "quote", [f"> {_inline(line[4:])}"]
    if text in {"----", "-----"}:
        return "rule", ["---"]
    return "text" if text else "", _inline(line.replace("\\\\", "\n")).split("\n")


def _hidden_lines(lines: list[str]) -> Iterator[str]:
    """The lines, with hidden text as comments that are lines of their own."""
    for number, piece in enumerate("\n".join(lines).split("\0")):
        if number % 2:
            yield hidden(" ".join(piece.split()))
        else:
            yield from piece.split("\n")


def _panel(found: re.Match[str]) -> str:
    title = _TITLE.search(found[1] or "")
    return f"*{title[1].strip()}*" if title and title[1].strip() else ""


def _row(line: str, *, first: bool) -> list[str]:
    cells = [_inline(cell).strip() for cell in _CELLS.split(line.strip("|"))]
    row = f"| {' | '.join(cells)} |"
    return [row, f"|{' --- |' * len(cells)}"] if first else [row]


def _inline(text: str) -> str:
    if text.startswith("<!--"):
        return text
    made, at = [], 0
    for found in _SPAN.finditer(text):
        made.append(shown(text[at : found.start()]))
        kind = found.lastgroup or ""
        name = "image" if kind == "how" else kind
        made.append(_SPANS[name](found))
        at = found.end()
    made.append(shown(text[at:]))
    return "".join(made)


def _link(found: re.Match[str]) -> str:
    words, _, rest = found["link"].rpartition("|")
    if not words:
        return f"<{rest}>" if re.match(r"https?://\S+$", rest) else shown(found[0])
    address, tip = rest, ""
    if "|" in words:
        words, address, tip = found["link"].split("|", 2)
    title = f' "{tip}"'.replace("<", "") if tip else ""
    return f"[{shown(words)}]({address.strip().replace(' ', '%20')}{title})"


def _image(found: re.Match[str]) -> str:
    alt = re.search(r"(?:^|,|\|)\s*(?:alt|title)=([^,|]*)", found["how"] or "")
    words = alt[1].strip(' "') if alt else ""
    return f"![{words}]({found['image'].replace(' ', '%20')})"


_SPANS: dict[str, Callable[[re.Match[str]], str]] = {
    "escaped": lambda found: shown(found[0]),
    "mono": lambda found: span(found["mono"]),
    "anchor": lambda found: hidden(found["anchor"]),
    "image": _image,
    "person": lambda found: f"@{found['person']}",
    "link": _link,
    "bold": lambda found: f"**{_inline(found['bold'])}**",
    "italic": lambda found: f"_{_inline(found['italic'])}_",
    "gone": lambda found: f"~~{_inline(found['gone'])}~~",
}
