"""Where the events of a run are shown: a live terminal, plain lines, or JSON lines for machines."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from itertools import cycle
from typing import Protocol, TextIO

from bot.domain.events import Event, Progressed
from bot.domain.scrub import Scrubber
from bot.entrypoints import wording
from bot.entrypoints.narrator import Line, Mood, Narrator
from pipeline.progress import Kind, Progress

Clock = Callable[[], float]
_COLOURS = {
    Mood.PLAIN: "",
    Mood.QUIET: "\x1b[2m",
    Mood.STRONG: "\x1b[1m",
    Mood.GOOD: "\x1b[32m",
    Mood.BAD: "\x1b[31m",
    Mood.WARNING: "\x1b[33m",
}
_RESET = "\x1b[0m"
_CLEAR = "\r\x1b[K"
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class View(Protocol):
    """Shows a run."""

    def __call__(self, event: Event) -> None:
        """Something happened."""

    def tick(self) -> None:
        """Time has passed."""

    def close(self) -> None:
        """Leave the terminal as it was found."""


class PlainView:
    """One line an event, each with the elapsed time: for logs, pipes and screen readers."""

    def __init__(self, out: TextIO, scrub: Scrubber, clock: Clock = time.monotonic) -> None:
        self._out = out
        self._scrub = scrub
        self._clock = clock
        self._since = clock()
        self._narrator = Narrator(detail=True)

    def __call__(self, event: Event) -> None:
        """Print the event's lines."""
        stamp = wording.clock(self._clock() - self._since)
        for line in self._narrator.tell(event):
            self._out.write(self._scrub(f"{stamp} {line.text}\n"))
        self._out.flush()

    def tick(self) -> None:
        """Nothing moves here."""

    def close(self) -> None:
        """Nothing to put back."""


class LiveView:
    """Lines for what matters, and one status line below that says who works on what."""

    def __init__(
        self, out: TextIO, scrub: Scrubber, clock: Clock = time.monotonic, *, colour: bool
    ) -> None:
        self._out = out
        self._scrub = scrub
        self._clock = clock
        self._colour = colour
        self._since = clock()
        self._narrator = Narrator(detail=False)
        self._now: Progress | None = None
        self._doing = "starting: clone, sandbox, models"
        self._spinner = cycle(_SPINNER)

    def __call__(self, event: Event) -> None:
        """Print the event's lines above the status line."""
        lines = self._narrator.tell(event)
        if isinstance(event, Progressed):
            self._now = event.progress
            if event.progress.kind is Kind.SEATED:
                self._doing = "thinking"
            elif event.progress.kind is not Kind.MODEL:
                self._doing = wording.one_line(event.progress.text)
        if lines:
            self._out.write(_CLEAR + "".join(self._painted(line) for line in lines))
        self.tick()

    def tick(self) -> None:
        """Draw the status line again."""
        width = shutil.get_terminal_size().columns - 1
        status = f"{next(self._spinner)} {self._status()}"
        self._out.write(_CLEAR + self._scrub(status)[:width])
        self._out.flush()

    def close(self) -> None:
        """Take the status line away."""
        self._out.write(_CLEAR)
        self._out.flush()

    def _status(self) -> str:
        elapsed = wording.clock(self._clock() - self._since)
        if self._now is None:
            return f"{elapsed} · {self._doing}"
        now = self._now
        used = wording.meter(now.tokens, now.usd)
        return f"{elapsed} · iteration {now.iteration} · {used} · {now.agent}: {self._doing}"

    def _painted(self, line: Line) -> str:
        text = self._scrub(line.text)
        colour = _COLOURS[line.mood] if self._colour else ""
        return f"{colour}{text}{_RESET}\n" if colour else f"{text}\n"
