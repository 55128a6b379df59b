"""What all messages are made of: a text with its hidden marker, and how numbers are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.domain.markdown import code, details, inline
from bot.domain.sanitize import Stripped

Kind = Literal["status", "answer", "pull", "test_output", "qa_output"]


@dataclass(frozen=True, slots=True)
class Comment:
    """A text for the forge. It holds `marker`, by which it is found again and edited in place."""

    text: str
    marker: str


@dataclass(frozen=True, slots=True)
class Place:
    """The issue that we speak of, and the run: `url` is its page, "" if there is none.

    `ticket` is a tracker's key where the run comes from there, and `issue` then only a number.
    """

    repository_id: int
    issue: int
    run_id: str = ""
    url: str = ""
    ticket: str = ""
    ticket_url: str = ""

    @property
    def name(self) -> str:
        """`#7`, or a ticket's key."""
        return self.ticket or f"#{self.issue}"

    @property
    def closes(self) -> str:
        """The words that tie a pull request to its issue or ticket."""
        return f"For [{self.ticket}]({self.ticket_url})" if self.ticket else f"Closes {self.name}"

    @property
    def run(self) -> str:
        """The run, as a link where it has a page."""
        name = f"run {code(self.run_id)}" if self.run_id else "the run"
        return f"[{name}]({self.url})" if self.url else name


def marker(kind: Kind, place: Place) -> str:
    """The hidden mark. Anybody can paste it: it only counts in a comment of our own account."""
    return f"<!-- acp:{kind} v1 {place.repository_id}:{place.issue} -->"


def comment(kind: Kind, place: Place, *paragraphs: str) -> Comment:
    """A comment of paragraphs; empty ones are left out."""
    mark = marker(kind, place)
    return Comment("\n\n".join([mark, *(text for text in paragraphs if text)]) + "\n", mark)


def duration(seconds: float) -> str:
    """A time, such as "12 s", "3 min 5 s", "1 h 2 min"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def plural(number: int, noun: str) -> str:
    """A number and its noun: 1 file, 2 files."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def left_out(stripped: tuple[Stripped, ...]) -> str:
    """What the models were not given of the issue, folded."""
    if not stripped:
        return ""
    lines = [f"- {one.kind}: {one.count:,}, first {code(one.sample)}" for one in stripped]
    total = sum(one.count for one in stripped)
    title = f"Hidden in the issue, and not given to the models: {plural(total, 'piece')}"
    return details(title, "\n".join(lines))


def warnings(texts: tuple[str, ...]) -> str:
    """Warnings as a list."""
    return "\n".join(f"- ⚠️ {inline(text, 400)}" for text in texts)
