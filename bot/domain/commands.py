"""What people may say to us in a comment: `/acp VERB [text]`, alone at the start of a line."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

Verb = Literal[
    "run", "plan", "status", "cancel", "retry", "push", "fix ci", "rebase", "help", "unknown"
]
MEANINGS: dict[str, str] = {
    "run": "start work on this issue; what follows is a hint for the models",
    "plan": "say what would be done, and do nothing",
    "status": "say how far the run is",
    "cancel": "stop the run; `stop` is the same",
    "retry": "run again, with the issue as it reads now",
    "push": "release a held change: push it and open the pull request",
    "fix ci": "mend what the checks of our pull request complain of",
    "rebase": "bring our branch up to date with its base",
    "help": "show this list",
}
_VERBS: dict[str, Verb] = {
    "run": "run",
    "plan": "plan",
    "status": "status",
    "cancel": "cancel",
    "stop": "cancel",
    "retry": "retry",
    "push": "push",
    "rebase": "rebase",
    "help": "help",
}
_LINE = re.compile(r" {0,3}/acp(?![^ \t])[ \t]*(.*)", re.IGNORECASE)
_FIX_CI = re.compile(r"fix[ \t]+ci(?![\w-])", re.IGNORECASE)
_WORD = re.compile(r"[\w-]+")
_AGAIN = re.compile(r"(?:^|\s)--again(?=\s|$)")
_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")
_RAW = re.compile(r"<(pre|script|style|textarea|code|blockquote)(?=[\s>/]|$)", re.IGNORECASE)
_TICKS = re.compile(r"(?<!\\)`+")
_ARGUMENT_CHARS = 2000
_WORD_CHARS = 40


@dataclass(frozen=True, slots=True)
class Command:
    """A command. `argument` is what stood behind it on the line; for "unknown" what was written."""

    verb: Verb
    argument: str = ""


def parse(body: str) -> Command | None:
    """The first command of a comment, or None.

    Text in quotes, fences, code spans, code elements and HTML comments is not spoken to us.
    """
    for line in _spoken(body):
        found = _LINE.fullmatch(line)
        if found:
            return _command(found[1].strip())
    return None


def again(hint: str) -> tuple[bool, str]:
    """Whether the hint asks for another pull request after a merged one, and the rest of it."""
    rest = _AGAIN.sub(" ", hint).strip()
    return rest != hint.strip(), rest


def nearest(word: str) -> str:
    """The verb that was probably meant, or ""."""
    known = [*MEANINGS, "stop"]
    begun = word.lower().split(" ")[0]
    close = get_close_matches(begun, [verb.split(" ")[0] for verb in known], n=1, cutoff=0.6)
    return next((verb for verb in known if close and verb.startswith(close[0])), "")


def _command(said: str) -> Command:
    if not said:
        return Command("help")
    if fix := _FIX_CI.match(said):
        return Command("fix ci", _argument(said[fix.end() :]))
    word = _WORD.match(said)
    verb = _VERBS.get(word[0].lower()) if word else None
    if word is None or verb is None:
        return Command("unknown", said.split(maxsplit=1)[0][:_WORD_CHARS])
    return Command(verb, _argument(said[word.end() :]))


def _argument(rest: str) -> str:
    return rest.lstrip(".,:;!?").strip()[:_ARGUMENT_CHARS].strip()


def _spoken(body: str) -> list[str]:
    """The lines that are plain text of the comment's author; others come back empty."""
    reader = _Reader()
    return _without_spans([reader.read(line) for line in re.split(r"\r\n|\r|\n", body)])


class _Reader:
    """Reads line after line and blanks what is quoted, fenced, raw HTML or commented out."""

    def __init__(self) -> None:
        self._fence = ""  # the run of characters that opened it
        self._until = ""  # what ends a comment or a raw element, lower case
        self._quoted = False

    def read(self, line: str) -> str:
        if self._fence:
            self._close_fence(line)
            return ""
        if self._until:
            return self._after(line)
        if line.lstrip(" ").startswith(">"):
            self._quoted = True
            return ""
        if not line.strip():
            self._quoted = False
            return ""
        if opened := _FENCE.match(line):
            self._fence, self._quoted = opened[1], False
            return ""
        # A line right below a quote still belongs to it: Markdown calls it lazy.
        return "" if self._quoted else self._before(line)

    def _close_fence(self, line: str) -> None:
        text = line.strip(" \t")
        closes = len(text) >= len(self._fence) and not text.strip(self._fence[0])
        if closes and len(line) - len(line.lstrip(" ")) <= 3:  # noqa: PLR2004 - Markdown's rule
            self._fence = ""

    def _after(self, line: str) -> str:
        """Inside something: nothing of its last line is spoken, but more may begin there."""
        end = line.lower().find(self._until)
        if end >= 0:
            rest = line[end + len(self._until) :]
            self._until = ""
            self._before(rest)
        return ""

    def _before(self, line: str) -> str:
        """The line, up to where a comment or a raw element begins and stays open."""
        shown, at = line, 0
        while True:
            opened = _next_opening(line, at)
            if opened is None:
                return shown
            start, end_mark = opened
            shown = shown[:start]
            close = line.lower().find(end_mark, start + 4)
            if close < 0:
                self._until = end_mark
                return shown
            at = close + len(end_mark)


def _next_opening(line: str, at: int) -> tuple[int, str] | None:
    comment, raw = line.find("<!--", at), _RAW.search(line, at)
    if comment >= 0 and (raw is None or comment < raw.start()):
        return comment, "-->"
    return (raw.start(), f"</{raw[1].lower()}>") if raw else None


def _without_spans(lines: list[str]) -> list[str]:
    """The lines without those that begin inside a code span of their paragraph."""
    kept, paragraph = [], list[str]()
    for line in [*lines, ""]:
        if line:
            paragraph.append(line)
            continue
        kept += _outside(paragraph)
        paragraph = []
    return kept


def _outside(paragraph: list[str]) -> list[str]:
    text = "\n".join(paragraph)
    spans = _spans(text)
    kept, start = [], 0
    for line in paragraph:
        at = bisect_right(spans, (start, len(text))) - 1
        if at < 0 or spans[at][1] <= start:
            kept.append(line)
        start += len(line) + 1
    return kept


def _spans(text: str) -> list[tuple[int, int]]:
    """Where code spans lie: a run of backticks up to the next run of the same length."""
    runs = [(found.start(), found.end()) for found in _TICKS.finditer(text)]
    by_length: dict[int, list[int]] = {}
    for start, end in runs:
        by_length.setdefault(end - start, []).append(start)
    spans, done = [], 0
    for start, end in runs:
        if start < done:
            continue
        same = by_length[end - start]
        after = bisect_right(same, start)
        if after < len(same):
            done = same[after] + (end - start)
            spans.append((start, done))
    return spans
