"""From text to seconds."""

import re

from timespan.units import SECONDS

_PART = re.compile(r"(\d+)([dhms])")


def parse(text: str) -> int:
    """The seconds of a duration such as ``1h30m``.

    Raises ValueError if the text is not a duration.
    """
    seconds = 0
    position = 0
    while match := _PART.match(text, position):
        seconds += int(match[1]) * SECONDS[match[2]]
        position = match.end()
    if position == 0:
        raise ValueError(f"not a duration: {text!r}")
    return seconds
