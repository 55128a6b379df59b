"""Read and write durations such as 1h30m."""

from timespan.reading import parse
from timespan.writing import show

__all__ = ["parse", "show"]
