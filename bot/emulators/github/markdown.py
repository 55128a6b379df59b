"""Markdown as GitHub shows it, as far as a glance needs it; what people wrote never runs."""

from __future__ import annotations

import html
import re
from collections.abc import MutableMapping, Sequence
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

_KEPT = re.compile(r"</?(?:details|summary|sub|sup|kbd|br|hr|b|i|em|strong|code)(?: open)?\s*/?>")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


def render(text: str | None) -> str:
    """Safe HTML. Raw HTML is escaped but for a few bare tags; HTML comments vanish."""
    return str(_parser().render(text or ""))


def only_bare_tags(text: str) -> str:
    """Raw HTML with everything escaped that is not on the list."""
    shown, at = [], 0
    text = _COMMENT.sub("", text)
    for found in _KEPT.finditer(text):
        shown += [html.escape(text[at : found.start()]), found[0]]
        at = found.end()
    return "".join([*shown, html.escape(text[at:])])


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    parser.add_render_rule("html_block", _raw)
    parser.add_render_rule("html_inline", _raw)
    parser.add_render_rule("image", _image)
    return parser


def _raw(_: Any, tokens: Sequence[Token], index: int, *_more: MutableMapping[str, Any]) -> str:
    return only_bare_tags(tokens[index].content)


def _image(_: Any, tokens: Sequence[Token], index: int, *_more: MutableMapping[str, Any]) -> str:
    """A page of the emulator fetches nothing from elsewhere."""
    return f"[image: {html.escape(tokens[index].content)}]"
