"""From seconds to text."""

from timespan.units import SECONDS


def show(seconds: int) -> str:
    """The shortest text that ``parse`` reads back to the same number."""
    parts = []
    for unit, size in SECONDS.items():
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
