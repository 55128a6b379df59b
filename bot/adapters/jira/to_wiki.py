"""Markdown to Jira's wiki text: what we say on tickets."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from html import unescape

from markdown_it import MarkdownIt
from markdown_it.token import Token

_SPECIAL = re.compile(r"[\\{}\[\]*_^~+!|]|(?<![^\s(])-(?=\S)|\?(?=\?)|(?<=\?)\?|#(?=\s)")
_TAG = re.compile(r"<!--.*?(?:-->|\Z)|</?[A-Za-z][^>]*>", re.DOTALL)
_SUMMARY = re.compile(r"<summary>(.*?)</summary>", re.DOTALL | re.IGNORECASE)
_WEB = re.compile(r"https?://", re.IGNORECASE)
_MENTION = re.compile(r"\[~")
_CODE = re.compile(r"\{code", re.IGNORECASE)
_NOFORMAT = re.compile(r"\{(?=noformat)", re.IGNORECASE)
# In place of a block in any other language Jira shows that it does not know that one.
_SAME = (
    "bash", "c", "css", "go", "html", "java", "javascript", "json", "lua", "perl", "php", "python",
    "ruby", "scala", "sql", "swift", "xml", "yaml",
)  # fmt: skip
_LANGUAGES = {
    **{name: name for name in _SAME},
    "js": "javascript", "py": "python", "rb": "ruby", "sh": "bash", "shell": "bash", "yml": "yaml",
}  # fmt: skip
_SIGNS = {"strong": "*", "em": "_", "s": "-"}
_ENDS = {
    "paragraph_close": "\n\n",
    "heading_close": "\n\n",
    "blockquote_open": "{quote}\n",
    "blockquote_close": "{quote}\n",
    "table_close": "\n",
}


def to_wiki(markdown: str) -> str:
    """The text for Jira; foreign text in it stays text."""
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    made = _Writer().write(parser.parse(markdown))
    return re.sub(r"\n{3,}", "\n\n", made).strip()


def escaped(text: str) -> str:
    """Text in which nothing means anything to Jira."""
    return _SPECIAL.sub(lambda found: "\\" + found[0], text.replace("\u200b", ""))


class _Writer:
    """Writes block after block."""

    def __init__(self) -> None:
        self._out: list[str] = []
        self._lists: list[str] = []
        self._head = False

    def write(self, tokens: Sequence[Token]) -> str:
        for token in tokens:
            self._token(token)
        return "".join(self._out)

    def _token(self, token: Token) -> None:
        kind = token.type
        if kind == "inline":
            # Two bars of an empty cell would begin a cell of the table's head.
            self._out.append(_inline(token.children or ()) or " ")
        elif kind in {"fence", "code_block"}:
            self._out.append(_code(token.content, token.info.split(" ")[0]))
        elif kind == "html_block":
            self._out.append(_plain_html(token.content))
        elif kind == "hr":
            self._out.append("----\n\n")
        elif kind in {"bullet_list_open", "ordered_list_open"}:
            self._lists.append("*" if kind.startswith("bullet") else "#")
            if len(self._lists) > 1:
                self._newline()
        elif kind in {"bullet_list_close", "ordered_list_close"}:
            self._lists.pop()
            self._out.append("" if self._lists else "\n")
        else:
            self._structure(kind, token)

    def _structure(self, kind: str, token: Token) -> None:
        if kind == "list_item_open":
            self._newline()
            self._out.append(f"{''.join(self._lists)} ")
        elif kind in {"thead_open", "thead_close"}:
            self._head = kind == "thead_open"
        elif kind in {"th_open", "td_open"}:
            self._out.append("||" if self._head else "|")
        elif kind == "tr_close":
            self._out.append("||\n" if self._head else "|\n")
        elif kind == "heading_open":
            self._out.append(f"h{token.tag[1]}. ")
        else:
            end = "\n" if self._lists else "\n\n"
            self._out.append(_ENDS.get(kind, "").replace("\n\n", end))

    def _newline(self) -> None:
        written = next((one for one in reversed(self._out) if one), "\n")
        if not written.endswith("\n"):
            self._out.append("\n")


def _inline(tokens: Sequence[Token]) -> str:
    made, links = [], []
    for token in tokens:
        if token.type == "link_open":
            links.append(str(token.attrs.get("href", "")))
            made.append("[" if _WEB.match(links[-1]) else "")
        elif token.type == "link_close":
            made.append(_target(links.pop()))
        elif token.type in _WORDS:
            made.append(_WORDS[token.type](token.content))
        else:
            made.append(_SIGNS.get(token.type.rpartition("_")[0], ""))
    return "".join(made)


def _target(href: str) -> str:
    """The end of a link. Addresses such as `~ana` or `^file` mean people and files to Jira."""
    if not _WEB.match(href):
        return f" ({escaped(href)})"
    return "|" + re.sub(r"[\s|\]\[{}]", lambda found: f"%{ord(found[0]):02X}", href) + "]"


def _code(content: str, language: str) -> str:
    """A block that nothing in it ends, and in which nobody is mentioned."""
    content = _MENTION.sub("[ ~", content.rstrip("\n"))
    name = "noformat" if _CODE.search(content) else "code"
    if name == "noformat":
        content = _NOFORMAT.sub("{ ", content)
    known = _LANGUAGES.get(language.lower(), "") if name == "code" else ""
    return f"{{{name}{known and ':' + known}}}\n{content}\n{{{name}}}\n\n"


def _plain_html(html: str, *, inline: bool = False) -> str:
    """The words of a piece of HTML; a summary becomes a line of its own."""
    text = _SUMMARY.sub(lambda found: f"\0{found[1]}\0", html)
    text = unescape(_TAG.sub("", text))
    words = escaped(text if inline else text.strip())
    said = re.sub("\0(.*?)\0", lambda found: f"*{found[1].strip()}*", words, flags=re.DOTALL)
    return said if inline else (f"{said}\n\n" if said else "")


_WORDS: Mapping[str, Callable[[str], str]] = {
    "text": escaped,
    "image": escaped,
    "code_inline": lambda content: "{{" + (escaped(content) or " ") + "}}",
    "softbreak": lambda _: "\n",
    "hardbreak": lambda _: "\n",
    "html_inline": lambda content: _plain_html(content, inline=True),
}
