"""What any test may ask for: a container engine of its own (`tests/engines.py`)."""

from __future__ import annotations

from tests.engines import engine

__all__ = ["engine"]
