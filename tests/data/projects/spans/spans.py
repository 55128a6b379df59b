"""Spans of time, written and read by people."""

import re

_UNITS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
_PART = re.compile(r"(\d+)\s*([wdhms])")


def parse(text):
    """Seconds of a text such as "1h 30m"."""
    found = _PART.findall(text.strip())
    if not found:
        raise ValueError(f"no span: {text!r}")
    return sum(int(number) * _UNITS[unit] for number, unit in found)


def show(seconds):
    """A text such as "1h 30m" for whole seconds."""
    parts = []
    for unit, size in _UNITS.items():
        number, seconds = divmod(seconds, size)
        if number:
            parts.append(f"{number}{unit}")
    return " ".join(parts)


def longest(spans):
    """The longest of some texts."""
    return max(spans, key=parse)
