"""Fills a repository's pull request template: our parts go under the headings that ask for them."""

from __future__ import annotations

import re
from collections.abc import Mapping

_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.+?)[ \t]*#*[ \t]*$", re.MULTILINE)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_BLANKS = re.compile(r"\n{3,}")
_ASKS = {
    "closes": re.compile(r"\b(issues?|fix(es)?|clos(es|ing)|tickets?|links?)\b", re.IGNORECASE),
    "proof": re.compile(
        r"\b(test(s|ed|ing)?|verif\w+|proof|evidence|how .* test)\b", re.IGNORECASE
    ),
    "summary": re.compile(
        r"\b(summary|description|what|why|changes?|motivation|context|overview|purpose)\b",
        re.IGNORECASE,
    ),
}


def fill(template: str, parts: Mapping[str, str]) -> str:
    """The template with `parts` ("closes", "summary", "proof", ...) in it.

    A part goes under the first heading that asks for it; those that none asks for come first, in
    their order, so that nothing is lost. Instructions in HTML comments go; boxes stay unticked,
    as people are asked to tick them.
    """
    text = _BLANKS.sub("\n\n", _COMMENT.sub("", template.replace("\r\n", "\n"))).strip()
    left = {name: part for name, part in parts.items() if part}
    filled, at = [], 0
    for heading in _HEADING.finditer(text):
        wanted = next(
            (name for name in _ASKS if name in left and _ASKS[name].search(heading[1])), None
        )
        if wanted:
            filled += [text[at : heading.end()], f"\n\n{left.pop(wanted)}"]
            at = heading.end()
    filled.append(text[at:])
    body = "".join(filled).strip()
    return "\n\n".join([*left.values(), *([body] if body else [])])
