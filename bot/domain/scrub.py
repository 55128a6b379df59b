"""Takes secrets and terminal tricks out of text before anyone sees it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from urllib.parse import quote

MASK = "***"
_SHORTEST = 6  # a shorter value is no secret, and masking it would garble everything
# control characters but tab and newline, and characters that reorder or hide text
_TRICKS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


class Scrubber:
    """Replaces known secrets by `MASK`, also as JSON, URL or base64 text."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets if len(secret) >= _SHORTEST for form in _forms(secret)}
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        self._found = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        return self._found.sub(MASK, text) if self._found else text


def printable(text: str) -> str:
    """Text of strangers, safe to print on a terminal: escapes and hidden characters become "?"."""
    return _TRICKS.sub("?", text.replace("\r\n", "\n"))


def _forms(secret: str) -> tuple[str, ...]:
    encoded = base64.b64encode(secret.encode("utf-8", "replace")).decode()
    return (secret, json.dumps(secret)[1:-1], quote(secret, safe=""), encoded)
