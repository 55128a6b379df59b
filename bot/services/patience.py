"""A fault of our own on one row of a queue stops no row behind it."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field

_log = logging.getLogger(__name__)
_MOST = 5
_WAITS_S = (5.0, 15.0, 60.0, 300.0)


def wait_s(tries: int) -> float:
    """How long a row lets the others go first, after it was put off so often."""
    return _WAITS_S[min(tries, len(_WAITS_S) - 1)]


@dataclass(slots=True)
class Patience:
    """Counts faults that nobody foresaw, by row; a row that meets `most` of them is given up."""

    most: int = _MOST
    _faults: Counter[str] = field(default_factory=Counter)

    def ended(self, row: str, error: Exception) -> bool:
        """Tell the operator of the fault; whether the row is to be given up."""
        self._faults[row] += 1
        over = self._faults[row] >= self.most
        _log.error("%s %s", row, "is given up" if over else "is tried again", exc_info=error)
        if over:
            del self._faults[row]
        return over
