"""Which seat a request belongs to, and what its script says next."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.llm.scripted import CHARS_PER_TOKEN, Playable, Playhead, ScriptError, Turn

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request, as far as the stand-in understands it.

    `wire` is "responses", "chat", "messages" or "generate". `unanswered` are tool calls
    without a result, `unsealed` those whose opaque item did not come back: vendors refuse both.
    """

    vendor: str
    wire: str
    model: str
    system: str
    last: str
    body: Json
    stream: bool = False
    reasoning: bool = False
    unanswered: tuple[str, ...] = ()
    unsealed: tuple[str, ...] = ()

    @property
    def input_tokens(self) -> int:
        """How much was sent."""
        return len(json.dumps(self.body)) // CHARS_PER_TOKEN


@dataclass(frozen=True, slots=True)
class Played:
    """A turn of the script with its number in the seat, from 1."""

    turn: Turn
    number: int

    @property
    def calls(self) -> tuple[tuple[str, str, Json], ...]:
        """Id, name and arguments of each tool call."""
        return tuple(
            (f"call_{self.number}_{i}", name, dict(args))
            for i, (name, args) in enumerate(self.turn.tools, start=1)
        )

    @property
    def output_tokens(self) -> int:
        """How much it says."""
        return -(-self.turn.characters // CHARS_PER_TOKEN)


class Refusal(Exception):
    """A request that a vendor would refuse too."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


SeatMap = Mapping[str, str] | Callable[[Incoming], str | None]


class Stage:
    """The script of every seat, played to whoever asks.

    `seats` names the seat of a request: a function, or a mapping whose keys are looked for in
    the order "vendor:model", "model", "vendor". Without an entry, a seat that is called like
    the model or the vendor is taken.
    """

    def __init__(
        self, script: Mapping[str, Sequence[Playable]], seats: SeatMap | None = None
    ) -> None:
        self._playheads = {seat: Playhead(turns, seat) for seat, turns in script.items()}
        self._seats: SeatMap = seats or {}

    @property
    def left(self) -> dict[str, int]:
        """How many turns each seat has not played."""
        return {seat: playhead.left for seat, playhead in self._playheads.items()}

    def play(self, incoming: Incoming) -> Played:
        """The answer to the request. Raises `Refusal`."""
        if incoming.unanswered:
            raise Refusal(400, "tool_result_missing", f"no result for {incoming.unanswered}")
        if incoming.unsealed:
            raise Refusal(400, "reasoning_missing", f"no opaque item for {incoming.unsealed}")
        seat = self._seat(incoming)
        if seat not in self._playheads:
            known = ", ".join(self._playheads)
            raise Refusal(404, "no_such_seat", f"no seat for {incoming.model}; there are {known}")
        try:
            number, turn = self._playheads[seat].play(incoming.last)
        except ScriptError as error:
            raise Refusal(400, error.code, str(error)) from error
        return Played(turn, number)

    def _seat(self, incoming: Incoming) -> str | None:
        keys = (f"{incoming.vendor}:{incoming.model}", incoming.model, incoming.vendor)
        if callable(self._seats):
            return self._seats(incoming)
        named = (self._seats[key] for key in keys if key in self._seats)
        return next(named, None) or next((key for key in keys if key in self._playheads), None)


def seal(call_id: str) -> str:
    """The opaque signature of the turn whose first call has this id."""
    return hashlib.sha256(call_id.encode()).hexdigest()[:32]


def missing(calls: Sequence[str], results: Sequence[str]) -> tuple[str, ...]:
    """The calls without a result."""
    return tuple(call for call in calls if call not in set(results))


def words(value: object) -> str:
    """All text in a message's content, whatever its shape."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(filter(None, map(words, value)))
    if isinstance(value, dict):
        keys = ("text", "content", "output", "error", "parts", "functionResponse", "response")
        return words([value[key] for key in keys if key in value])
    return ""
