"""The redactor: known secret values leave a text before anybody uses it.

It works where text comes in (a task, a command's output, test results) and once more on every
whole request, so that prompts, logs and the journal see the same bytes, live and in a replay.
Bytes in the work tree and in diffs are never altered.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote, quote_plus

T = TypeVar("T")
_SHORTEST = 6  # a shorter value is no secret, and replacing it would garble everything
_LINE_CHARS = 20  # a line of a key file that is shorter than this gives nothing away
_NAME = re.compile(r"[^a-z0-9]+")
_MARKER = re.compile(r"\[redacted:[a-z0-9-]{1,40}\]")
_ARMOUR = re.compile(r"-----[A-Z ]+-----")


def mark(name: str) -> str:
    """What stands for a secret of that name."""
    return f"[redacted:{_NAME.sub('-', name.lower()).strip('-')[:40] or 'secret'}]"


def marked(text: str) -> bool:
    """Whether something was taken out of the text."""
    return _MARKER.search(text) is not None


def marks(text: str) -> list[str]:
    """The markers of the text, in order."""
    return _MARKER.findall(text)


def around_marks(text: str) -> list[str]:
    """The pieces of the text between its markers."""
    return _MARKER.split(text)


class Redactor:
    """Replaces known secrets by markers that name them, also as JSON, URL or base64 text.

    Secrets may be added while others use it, as tokens are minted.
    """

    def __init__(
        self, secrets: Mapping[str, str] | None = None, mark: Callable[[str], str] = mark
    ) -> None:
        self._mark = mark
        self._marks: dict[str, str] = {}
        self._lock = threading.Lock()
        self.longest = 0
        for name, secret in (secrets or {}).items():
            self.add(name, secret)

    def add(self, name: str, secret: str) -> None:
        """From now on this value is taken out as well. A key file counts line by line too."""
        with self._lock:
            marks = dict(self._marks)
            for value in _values(secret):
                for form in _forms(value):
                    marks.setdefault(form, self._mark(name))
            # Longest first, since one secret may begin with another.
            self._marks = dict(sorted(marks.items(), key=lambda item: (-len(item[0]), item[0])))
            self.longest = max(map(len, marks), default=0)

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        known = self._marks
        # Hundreds of forms, almost never one of them there: looking is fast, an alternation is not.
        there = [form for form in known if form in text]
        if not there:
            return text
        return re.sub("|".join(map(re.escape, there)), lambda hit: known[hit[0]], text)

    def data(self, data: bytes) -> bytes:
        """Bytes of any encoding without secrets."""
        if not self._marks:
            return data
        return self(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")

    def holds(self, text: str) -> bool:
        """Whether a secret stands in the text."""
        return any(form in text for form in self._marks)

    def plain(self, value: T) -> T:
        """Plain JSON with every text in it redacted."""
        if not self._marks:
            return value
        return _each(self, value)  # type: ignore[no-any-return]

    def stream(self, sink: Callable[[bytes], None]) -> Stream:
        """A sink in front of `sink` that takes secrets out, wherever a chunk ends."""
        return Stream(self, sink)


class Stream:
    """Holds back as much of the end as may be the beginning of a secret, until `close`."""

    def __init__(self, redactor: Redactor, sink: Callable[[bytes], None]) -> None:
        self._redactor = redactor
        self._sink = sink
        self._held = b""

    def __call__(self, chunk: bytes) -> None:
        """Take a chunk; pass on what is safe."""
        clean = self._redactor.data(self._held + chunk)
        # In bytes: a character has up to four, and a marker may itself be held back unharmed.
        keep = max(0, len(clean) - 4 * max(0, self._redactor.longest - 1))
        if keep:
            self._sink(clean[:keep])
        self._held = clean[keep:]

    def close(self) -> None:
        """Pass on what was held back: the stream has ended."""
        if self._held:
            self._sink(self._redactor.data(self._held))
        self._held = b""


NOTHING = Redactor()
"""Knows no secret."""


def _each(redact: Redactor, value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {redact(key): _each(redact, item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_each(redact, item) for item in value)
    return value


def _values(secret: str) -> Iterable[str]:
    """The secret and, of one with several lines, every line that could be recognised."""
    if len(secret) >= _SHORTEST:
        yield secret
    secret = secret.strip()
    if len(secret) >= _SHORTEST:
        yield secret
    lines = secret.splitlines() if "\n" in secret else secret.split("\\n")
    for line in lines if len(lines) > 1 else ():
        if len(line.strip()) >= _LINE_CHARS and not _ARMOUR.fullmatch(line.strip()):
            yield line.strip()


def _forms(secret: str) -> set[str]:
    """How a secret is written: as it is, in JSON (once and twice), in URLs, in base64.

    Base64 of a longer text holds the secret at one of three offsets; what is common to all texts
    around it stands in the middle.
    """
    raw = secret.encode("utf-8", "replace")
    quoted = {quote(secret, safe=""), quote(secret), quote_plus(secret)}
    escaped = json.dumps(secret)[1:-1]
    forms = {secret, escaped, json.dumps(escaped)[1:-1], *quoted}
    for offset in range(3):
        text = base64.b64encode(b"\0" * offset + raw).decode()
        start = (0, 2, 3)[offset]
        whole = (len(raw) + offset) % 3 == 0
        middle = text[start:] if whole else text.rstrip("=")[start:-1]
        forms |= {middle, middle.replace("+", "-").replace("/", "_")}
    forms |= {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode(), raw.hex()}
    return {form for form in forms if len(form) >= _SHORTEST}
