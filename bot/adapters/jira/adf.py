"""Atlassian's document format to Markdown; what is not known gives its content."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bot.adapters.jira.wiki import fenced, hidden, shown, span
from bot.adapters.jira.wiki import to_markdown as from_wiki

_DEEPEST = 40
_WHITE = frozenset({"#fff", "#ffffff", "white"})
Node = Mapping[str, Any]


def to_markdown(value: object) -> str:
    """Markdown of what a field holds: a document, wiki text, or nothing."""
    if isinstance(value, str):
        return from_wiki(value)
    if not isinstance(value, dict):
        return ""
    return "\n\n".join(part for part in _blocks(value, 0) if part.strip()).strip()


def _children(node: Node) -> list[Node]:
    found = node.get("content")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _attr(node: Node, *names: str) -> str:
    attrs = node.get("attrs")
    for name in names:
        value = attrs.get(name) if isinstance(attrs, dict) else None
        if isinstance(value, str | int) and value != "":
            return str(value)
    return ""


def _blocks(node: Node, depth: int) -> Iterator[str]:
    """The blocks inside a node, each as Markdown."""
    if depth > _DEEPEST:
        return
    for child in _children(node):
        kind = str(child.get("type"))
        if kind in _BLOCKS:
            yield _BLOCKS[kind](child, depth + 1)
        elif kind in _INLINE or kind == "text":
            yield _inline({"content": [child]}, depth + 1)
        else:
            yield from _blocks(child, depth + 1)


def _inside(node: Node, depth: int) -> str:
    return "\n\n".join(part for part in _blocks(node, depth) if part.strip())


def _inline(node: Node, depth: int) -> str:
    if depth > _DEEPEST:
        return ""
    made = []
    for child in _children(node):
        kind = str(child.get("type"))
        if kind == "text":
            made.append(_text(child))
        elif kind in _INLINE:
            made.append(_INLINE[kind](child))
        else:
            made.append(_inline(child, depth + 1))
    return "".join(made)


def _text(node: Node) -> str:
    text = str(node.get("text", ""))
    marks = [mark for mark in node.get("marks") or () if isinstance(mark, dict)]
    kinds = {str(mark.get("type")): mark for mark in marks}
    color = _attr(kinds["textColor"], "color").lower() if "textColor" in kinds else ""
    if color in _WHITE:
        return hidden(text)
    if "code" in kinds:
        return span(text)
    made = shown(text)
    for kind, sign in (("strong", "**"), ("em", "_"), ("strike", "~~")):
        if kind in kinds and text.strip():
            made = f"{sign}{made}{sign}"
    if "link" in kinds:
        title = _attr(kinds["link"], "title").replace('"', "")
        tip = f' "{title}"' if title else ""
        made = f"[{made}]({_attr(kinds['link'], 'href').replace(' ', '%20')}{tip})"
    return made


def _prefixed(text: str, first: str, rest: str) -> str:
    lines = text.split("\n")
    return "\n".join([first + lines[0], *(f"{rest}{line}".rstrip() for line in lines[1:])])


def _list(node: Node, depth: int) -> str:
    ordered = node.get("type") == "orderedList"
    items = []
    for number, child in enumerate(_children(node), 1):
        body = "\n".join(part for part in _blocks(child, depth) if part.strip())
        if child.get("type") == "taskItem":
            done = "x" if _attr(child, "state") == "DONE" else " "
            body = f"[{done}] {_inline(child, depth)}"
        items.append(_prefixed(body, f"{number}. " if ordered else "- ", "   "))
    return "\n".join(items)


def _table(node: Node, depth: int) -> str:
    lines: list[str] = []
    for row in _children(node):
        cells = [
            " ".join(_inside(cell, depth).split()).replace("|", "\\|") for cell in _children(row)
        ]
        lines.append(f"| {' | '.join(cells)} |")
        if len(lines) == 1:
            lines.append(f"|{' --- |' * len(cells)}")
    return "\n".join(lines)


def _code(node: Node, _depth: int) -> str:
    code = "".join(str(child.get("text", "")) for child in _children(node))
    language = _attr(node, "language")
    return fenced(code, language if language.isalnum() else "").strip("\n")


def _heading(node: Node, depth: int) -> str:
    level = _attr(node, "level")
    return f"{'#' * (int(level) if level in set('123456') else 3)} {_inline(node, depth)}"


def _titled(node: Node, depth: int) -> str:
    title = _attr(node, "title")
    return f"**{shown(title)}**\n\n{_inside(node, depth)}" if title else _inside(node, depth)


def _media(node: Node, _depth: int = 0) -> str:
    return f"![{_attr(node, 'alt')}]({_attr(node, 'url', 'id') or 'file'})"


_BLOCKS: Mapping[str, Callable[[Node, int], str]] = {
    "paragraph": _inline,
    "heading": _heading,
    "bulletList": _list,
    "orderedList": _list,
    "taskList": _list,
    "codeBlock": _code,
    "blockquote": lambda node, depth: _prefixed(_inside(node, depth), "> ", "> "),
    "panel": lambda node, depth: _prefixed(_inside(node, depth), "> ", "> "),
    "expand": _titled,
    "nestedExpand": _titled,
    "table": _table,
    "rule": lambda _node, _depth: "---",
    "media": _media,
}
_INLINE: Mapping[str, Callable[[Node], str]] = {
    "hardBreak": lambda _: "\n",
    "mention": lambda node: "@" + _attr(node, "text", "id").lstrip("@"),
    "emoji": lambda node: _attr(node, "text", "shortName"),
    "inlineCard": lambda node: f"<{_attr(node, 'url')}>",
    "status": lambda node: _attr(node, "text"),
    "date": lambda node: _attr(node, "timestamp"),
    "mediaInline": _media,
}
