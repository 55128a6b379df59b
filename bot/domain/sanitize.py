"""Takes out of a task's text what its readers on the forge cannot see, and says what that was.

Hidden text is how strangers speak to models behind the backs of people. Code in fences, and code
spans that are certainly code, keep their HTML: there it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from bot.domain.blocks import NESTED, TAG, chunks, spans
from bot.domain.scrub import printable

_LINE_CHARS = 2000
_TEXT_CHARS = 60_000
_TITLE_CHARS = 300
_SAMPLE_CHARS = 160
_PASSES = 5
_MOST = 4  # times the limit: what is longer is not even looked at
_INVISIBLE = (
    ("control characters", re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")),
    ("tag characters", re.compile("[\U000e0000-\U000e007f]")),
    ("variation selectors", re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")),
    ("direction marks", re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")),
    (
        "zero-width characters",
        re.compile(
            "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2028\u2029"
            "\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a]"
        ),
    ),
)
# Markdown and browsers end all but comments differently: what is not plain goes to the very end.
_COMMENT = re.compile(
    r"<!--.*?(?:-->|\Z)|<\?(?:[^<>]*\?>|.*)|<!\[CDATA\[(?:[^<>]*\]\]>|.*)|<!(?:[^<>]*>|.*)"
    r"|</(?![A-Za-z])[^<>\n]*>",
    re.DOTALL,
)
_UNSEEN = re.compile(
    r"<(script|style|template|textarea|iframe)(?=[\s/>]).*?(?:</\1\s*>|\Z)"
    r"|<(noscript|svg|math|title|select)(?=[\s/>])(?:(?!<\2[\s/>]).)*?</\2\s*>",
    re.DOTALL | re.IGNORECASE,
)
# What a forge keeps of HTML; of any other tag not even the name is shown.
_SHOWN = """
    a abbr b bdo blockquote br caption cite code dd del details dfn div dl dt em figcaption figure
    h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p picture pre q rp rt ruby s samp small source
    span strike strong sub summary sup table tbody td tfoot th thead time tr tt ul var wbr
"""
_SHOWN_NAMES = frozenset(_SHOWN.split())
_ADDRESS = re.compile(r"""\s(href|src)\s*=\s*("[^"]*"|'[^']*'|[^\s"'=<>`]+)""", re.IGNORECASE)
_IMAGE = re.compile(r"!\[((?:\\.|[^\[\]\\]|\[(?:\\.|[^\[\]\\]|\[[^\[\]]*\])*\])+)\]", re.DOTALL)
_LINK_TITLE = re.compile(
    r"""(\]\(\s*(?:<[^<>\n]*>|[^\s()<>]*))\s+("[^"]*"|'[^']*'|\([^()]*\))\s*\)"""
)
_DEFINITION = re.compile(
    r"""^""" + NESTED + r"""\[(?!\^)([^\[\]]+)\]:[ \t]*\n?[ \t]*(<[^<>\n]*>|[^\s<]+)"""
    r"""((?:[ \t]+|[ \t]*\n[ \t]*)(?:"[^"]*"|'[^']*'|\([^()]*\)))?[ \t]*$""",
    re.MULTILINE,
)
_FOOTNOTE = re.compile(r"^" + NESTED + r"\[\^([^\[\]\s]+)\]:.*(?:\n(?: {4}|\t).*)*", re.MULTILINE)
_DATA = re.compile(r"\bdata:[\w.+-]*/?[\w.+;=-]*,[^\s\"'()<>]*", re.IGNORECASE)
_INFO = re.compile(
    rf"^({NESTED}(?:`{{3,}}(?=[^`\n]*$)|~{{3,}})[ \t]*[A-Za-z0-9+#._-]{{0,20}})(.*)$", re.MULTILINE
)
_ODD_DEFINITION = re.compile(
    rf"^{NESTED}\[[^\[\]]+\]:[ \t]*\n?[ \t]*[^\s<]+<.*", re.MULTILINE | re.DOTALL
)
_MASKED = re.compile("\0([0-9]+)\0")


@dataclass(frozen=True, slots=True)
class Stripped:
    """One sort of thing that was taken out: how often, and the beginning of the first."""

    kind: str
    count: int
    sample: str


@dataclass(frozen=True, slots=True)
class Clean:
    """The text as models may read it, and what was taken out of it, for people to see."""

    text: str
    stripped: tuple[Stripped, ...] = ()


def sanitize(text: str, *, limit: int = _TEXT_CHARS) -> Clean:
    """A body: Markdown of at most `limit` characters, without what the forge does not show."""
    notes = _Notes()
    if len(text) > _MOST * limit:
        notes.add("text beyond the limit", text[_MOST * limit :])
        text = text[: _MOST * limit]
    text = _visible(text.replace("\r\n", "\n").replace("\r", "\n"), notes)
    for _ in range(_PASSES):
        before, text = text, _without_html(text, notes)
        if text == before:
            break
    else:
        text = text.replace("<", "&lt;")  # whoever nests it so deep has something to hide
    text = notes.take(
        "overlong lines", re.compile(rf"^.{{{_LINE_CHARS},}}$", re.MULTILINE), text, _cut
    )
    if len(text) > limit:
        notes.add("text beyond the limit", text[limit:])
        text = text[:limit]
    return Clean(text.strip(), notes.all())


def sanitize_title(title: str) -> Clean:
    """A title: one line. Titles are shown as they are, so only invisible characters go."""
    notes = _Notes()
    line = " ".join(_visible(title.replace("\n", " ").replace("\r", " "), notes).split())
    return Clean(line[:_TITLE_CHARS].strip(), notes.all())


class _Notes:
    """Keeps count of what is taken out."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[int, str]] = {}

    def add(self, kind: str, what: str) -> None:
        count, first = self._found.get(kind, (0, what))
        self._found[kind] = (count + 1, first)

    def take(
        self, kind: str, pattern: re.Pattern[str], text: str, keep: Callable[[re.Match[str]], str]
    ) -> str:
        """Replace what the pattern finds by what `keep` makes of it, and note what was changed."""

        def replaced(found: re.Match[str]) -> str:
            kept = keep(found)
            if kept != found[0]:
                self.add(kind, found[0])
            return kept

        return pattern.sub(replaced, text)

    def all(self) -> tuple[Stripped, ...]:
        return tuple(
            Stripped(kind, count, _sample(first)) for kind, (count, first) in self._found.items()
        )


def _sample(text: str) -> str:
    """Readable and short: what cannot be seen is spelt out."""
    shown = "".join(
        char if char.isprintable() or char == "\n" else f"\\u{{{ord(char):x}}}"
        for char in _MASKED.sub("…", text[: 2 * _SAMPLE_CHARS])
    )
    return " ".join(printable(shown).split())[:_SAMPLE_CHARS]


def _visible(text: str, notes: _Notes) -> str:
    text = text.encode("utf-8", "replace").decode("utf-8")
    for kind, pattern in _INVISIBLE:
        text = notes.take(kind, pattern, text, lambda _: "")
    return text


def _without_html(text: str, notes: _Notes) -> str:
    """Work on the text with its code masked, so that nothing in code is touched."""
    kept: list[str] = []
    text = "".join(_masked(text, kept, notes))
    text = notes.take("words behind a fence", _INFO, text, lambda found: found[1])
    text = _definitions(text, notes)
    text = notes.take("HTML comments", _COMMENT, text, lambda _: " ")
    text = notes.take("alternative texts of images", _IMAGE, text, lambda _: "![]")
    text = notes.take("titles of links", _LINK_TITLE, text, lambda found: f"{found[1]})")
    text = notes.take("unseen HTML elements", _UNSEEN, text, lambda _: " ")
    text = notes.take("HTML tags and attributes", TAG, text, _bare)
    text = notes.take("data addresses", _DATA, text, lambda _: "(data)")
    return _MASKED.sub(lambda found: kept[int(found[1])], text)


def _masked(text: str, kept: list[str], notes: _Notes) -> list[str]:
    """The pieces of the text, with "NUL number NUL" for those of `kept`. NUL is never in a text."""
    pieces: list[str] = []
    start = 0
    for chunk in chunks(text):
        if chunk.kind == "broken":
            notes.add("text behind an HTML tag that never ends", text[start:])
            break
        start += len(chunk.text)
        cuts = spans(chunk.text) if chunk.spans else []
        if chunk.kind == "code":
            # The first line stays outside: only the language in it is ever looked at.
            first = len(chunk.text.partition("\n")[0]) + 1
            last = len(chunk.text) - chunk.text.endswith("\n")
            cuts = [(first, last)] if first < last else []
        at = 0
        for begin, end in cuts:
            pieces += [chunk.text[at:begin], f"\0{len(kept)}\0"]
            kept.append(chunk.text[begin:end])
            at = end
        pieces.append(chunk.text[at:])
    return pieces


def _bare(tag: re.Match[str]) -> str:
    """The tag with nothing but an address that can be seen or followed."""
    name, attributes = tag[1], tag[2]
    plain = (name or tag[0].strip("</ \t\n>")).lower()
    if plain not in _SHOWN_NAMES:
        return " "
    if not name:
        return tag[0]
    kept = [
        f' {found[1].lower()}="{found[2].strip(chr(34) + chr(39))}"'
        for found in _ADDRESS.finditer(attributes or "")
        if not found[2].strip("\"' \t\n").lower().startswith(("data:", "javascript:"))
    ]
    return f"<{name}{''.join(kept[:1])}>" if (attributes or "").strip() else tag[0]


def _definitions(text: str, notes: _Notes) -> str:
    """Definitions of links and footnotes are not shown; those that nobody refers to go."""
    lowered = text.lower()

    @cache
    def referred(label: str) -> bool:
        begun = f"[{label.lower()}]"
        return lowered.count(begun) > lowered.count(f"{begun}:")

    def link(found: re.Match[str]) -> str:
        if not referred(found[1]) or not set(found[2]) & set("/.#:"):
            return ""
        return f"[{found[1]}]: {found[2]}" if found[3] else found[0]

    def footnote(found: re.Match[str]) -> str:
        return found[0] if referred(f"^{found[1]}") else ""

    text = notes.take("text behind an odd definition", _ODD_DEFINITION, text, lambda _: "")
    text = notes.take("definitions of links", _DEFINITION, text, link)
    return notes.take("footnotes that nothing refers to", _FOOTNOTE, text, footnote)


def _cut(found: re.Match[str]) -> str:
    line = found[0]
    if len(line) <= _LINE_CHARS:
        return line
    note = f"… ({len(line):,} characters)"
    return line[: _LINE_CHARS - len(note)] + note
