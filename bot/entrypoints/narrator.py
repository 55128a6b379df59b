"""Turns events into lines with a mood, remembering what has been said."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.domain.events import Event, LinedUp, Progressed, Started, Stepped, Warned
from bot.entrypoints import wording
from pipeline.checkpoint import Checkpoint
from pipeline.progress import Kind, Progress
from pipeline.transitions import Stage


class Mood(StrEnum):
    """How a line is meant; a terminal may show it as a colour."""

    PLAIN = "plain"
    QUIET = "quiet"
    STRONG = "strong"
    GOOD = "good"
    BAD = "bad"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Line:
    """One line for people."""

    text: str
    mood: Mood = Mood.PLAIN


class Narrator:
    """`detail` also tells every single use of a tool."""

    def __init__(self, *, detail: bool) -> None:
        self._detail = detail
        self._used: dict[str, int] = {}
        self._attempts = 0
        self._base = ""
        self._iterations = 0
        self._iteration = 0

    def tell(self, event: Event) -> list[Line]:
        """The lines that this event is worth."""
        match event:
            case Started():
                self._base, self._iterations = event.base, event.max_iterations
                return [Line(text, Mood.STRONG) for text in wording.header(event)]
            case LinedUp():
                return [Line(wording.lineup(event.models), Mood.STRONG)]
            case Warned():
                return [Line(f"warning: {wording.one_line(event.text)}", Mood.WARNING)]
            case Progressed():
                return self._progress(event.progress)
            case Stepped():
                return self._step(event.checkpoint)

    def _progress(self, said: Progress) -> list[Line]:
        lines = []
        if said.iteration != self._iteration:
            self._iteration = said.iteration
            lines.append(Line(f"iteration {said.iteration} of {self._iterations}", Mood.STRONG))
        text = wording.progress(said)
        if text and (self._detail or said.kind not in {Kind.TOOL, Kind.SEATED}):
            lines.append(Line(text, Mood.QUIET if said.kind is Kind.TOOL else Mood.PLAIN))
        return lines

    def _step(self, checkpoint: Checkpoint) -> list[Line]:
        state, lines = checkpoint.state, []
        if not self._base and state.get("base_sha"):
            self._base = state["base_sha"]
            lines.append(Line(f"base        {self._base[:12]}", Mood.STRONG))
        lines.append(
            Line(wording.ledger(checkpoint, self._used.get(checkpoint.agent, 0)), _mood(checkpoint))
        )
        self._used[checkpoint.agent] = wording.tokens_of(checkpoint)
        attempts = state.get("attempts", [])
        if len(attempts) > self._attempts:
            self._attempts = len(attempts)
            failed = attempts[-1]
            lines.append(Line(f"{failed['gate']} said no: {failed['reason']}", Mood.BAD))
            lines += [Line(text, Mood.QUIET) for text in wording.excerpt(failed["feedback"])]
        return lines


def _mood(checkpoint: Checkpoint) -> Mood:
    """Only a gate's step is good or bad news."""
    key = {Stage.TESTING: "tests_passed", Stage.QA: "qa_passed"}.get(checkpoint.stage)
    if key is None:
        return Mood.PLAIN
    return Mood.GOOD if checkpoint.state.get(key) else Mood.BAD
