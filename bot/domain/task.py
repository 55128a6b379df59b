"""The task: a title, a body, and where it came from."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from bot.errors import UserError

_SLUG = 40


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done. `source` is "acme/shop#7", "KEY-1", or "text"; `url` is "" for a text."""

    title: str
    body: str = ""
    source: str = "text"
    url: str = ""

    @classmethod
    def from_text(cls, text: str) -> Task:
        """The first line is the title, the rest the body. Raises UserError if there is none."""
        if not text.isascii() and text.encode("utf-8", "replace").decode() != text:
            raise UserError("the task is not UTF-8 text; convert it first")
        title, _, body = text.strip().partition("\n")
        if not title.strip():
            raise UserError("the task is empty; write what is to be done")
        return cls(title.strip(), body.strip())

    @property
    def text(self) -> str:
        """What the models read: the title, a blank line, the body."""
        return f"{self.title}\n\n{self.body}".strip()

    @property
    def slug(self) -> str:
        """A short name for branches and files: lower-case ASCII letters, digits and dashes."""
        words = self.title if self.source == "text" else f"{self.source} {self.title}"
        plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().lower()
        slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
        if len(slug) > _SLUG:
            slug = slug[: _SLUG + 1].rpartition("-")[0] or slug[:_SLUG]
        return slug or "task"
