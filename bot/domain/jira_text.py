"""The task as models read it: each text of a ticket cleaned by itself, then put together."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.jira import Part
from bot.domain.sanitize import Stripped, sanitize, sanitize_title


def compose(parts: Sequence[Part]) -> tuple[str, tuple[Stripped, ...]]:
    """The text, its title first, and what was taken out of it."""
    said: list[str] = []
    stripped: list[Stripped] = []
    for number, part in enumerate(parts):
        clean = sanitize_title(part.text) if number == 0 else sanitize(part.text)
        heading = sanitize_title(part.heading).text
        said.append(f"{heading}:\n{clean.text}" if heading and clean.text else clean.text)
        stripped += clean.stripped
    return "\n\n".join(one for one in said if one), tuple(stripped)
