"""DBOS's log, in our log: without advertisements, and without a traceback for every cancel."""

from __future__ import annotations

import logging

from typing_extensions import override

_LOGGER = logging.getLogger("dbos")
_ORDINARY = (
    "Asyncio task cancelled for workflow or step",
    "was cancelled during execution",
    "is no longer owned by this execution",
)


class _Ordinary(logging.Filter):
    """Drops what belongs to an ordinary cancel, shutdown or takeover."""

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if type(error).__name__ == "DBOSAwaitedWorkflowCancelledError":
            return False
        message = record.getMessage()
        return not any(words in message for words in _ORDINARY)


_filter = _Ordinary()


def quieten() -> None:
    """Send what DBOS logs where everything else goes. Idempotent; call before DBOS is made."""
    if not _LOGGER.handlers:
        _LOGGER.addHandler(logging.NullHandler())  # DBOS adds its own only where there is none
    _LOGGER.propagate = True
    _LOGGER.addFilter(_filter)
