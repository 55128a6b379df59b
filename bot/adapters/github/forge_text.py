"""Cuts text to what GitHub stores: head and tail, in bytes, never inside a character."""

from __future__ import annotations

BODY_BYTES = 60_000
CHECK_BYTES = 65_535
_HEAD = 0.4
_NOTE_BYTES = 80


def fit(text: str, limit: int = BODY_BYTES) -> str:
    """`text` in at most `limit` bytes of UTF-8: 40 % head, 60 % tail, and a note of what is gone.

    The last resort of the adapter: whoever composes a body with fences cuts inside them first.
    """
    data = text.encode("utf-8", "replace")
    if len(data) <= limit:
        return data.decode()
    room = limit - _NOTE_BYTES
    head = data[: int(room * _HEAD)].decode("utf-8", "ignore")
    tail = data[len(data) - (room - int(room * _HEAD)) :].decode("utf-8", "ignore")
    gone = len(data) - len(head.encode()) - len(tail.encode())
    return f"{head}\n\n… {gone} of {len(data)} bytes left out …\n\n{tail}"


def marked(body: str, marker: str) -> str:
    """The body, cut to fit, with `marker` in it."""
    fitted = fit(body)
    return fitted if marker in fitted else f"{marker}\n{fit(body, BODY_BYTES - len(marker) - 1)}"


def same(one: str, other: str) -> bool:
    """Whether GitHub would store both as one text."""
    return one.replace("\r\n", "\n").strip() == other.replace("\r\n", "\n").strip()
