"""The log of the service: one line for each message, on standard error, without secrets."""

from __future__ import annotations

import logging
import sys

from typing_extensions import override

from bot.domain.scrub import Scrubber, without_keys
from bot.errors import Misconfigured
from bot.settings import Settings

_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
_CHATTY = ("alembic", "httpx", "httpx2", "httpcore", "asyncio")


class _Clean(logging.Formatter):
    """Takes secrets out of the whole line, traceback and all: ours, and what looks like any.

    Tokens are minted while we run, so none of them is in the settings.
    """

    def __init__(self, scrub: Scrubber) -> None:
        super().__init__(_FORMAT)
        self._scrub = scrub

    @override
    def format(self, record: logging.LogRecord) -> str:
        return without_keys(self._scrub(super().format(record)))


def set_up_logs(settings: Settings) -> None:
    """Everything from INFO on, to standard error."""
    try:
        key = (settings.app_key(),)
    except Misconfigured:
        key = ("",)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Clean(Scrubber((*settings.secrets(), *key))))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
