"""Reads Python source that may have been written to be unreadable."""

from __future__ import annotations

import ast


def parsed(source: str) -> ast.Module:
    """The module. Raises SyntaxError or ValueError, also for what is nested without end."""
    try:
        return ast.parse(source)
    except (RecursionError, MemoryError):
        raise SyntaxError("nested too deeply") from None
