"""Ctrl-C: stop the run at once, tell what is left, and be gone within two seconds."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

EXIT_CODE = 130
_GRACE_S = 1.8
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupt:
    """Cancels the task that made it. `last_words` is called where the clean end takes too long."""

    def __init__(self, last_words: Callable[[], None]) -> None:
        self.asked = False
        self._task = asyncio.current_task()
        self._loop = asyncio.get_running_loop()
        self._last_words = last_words
        self._said = False
        self._closed = False

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Listen to SIGINT and SIGTERM inside the `with` block."""
        # not `loop.add_signal_handler`: that would wait for a loop that is busy
        before = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def too_late(self) -> None:
        """From now on the work is only being put away: it is not cancelled any more."""
        self._closed = True
        if self.asked and self._task is not None:
            self._task.uncancel()

    def said(self) -> None:
        """The end has been reported: nothing more to say."""
        self._said = True

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self._closed:
            return
        if self.asked:
            self._leave()
        self.asked = True
        watchdog = threading.Timer(_GRACE_S, self._leave)
        watchdog.daemon = True
        watchdog.start()
        if self._task is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)

    def _leave(self) -> None:
        """Sandboxes die with this process, so going is enough."""
        if not self._said:
            self._said = True
            self._last_words()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(EXIT_CODE)
