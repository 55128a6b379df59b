"""Models that play a script: for the demo, for tests, and for whoever has no key.

A script file is JSON: `{"<seat>": [turn, ...], ...}`, and a turn is one of

    {"text": "..."}
    {"tools": [{"name": "...", "args": {...}}, ...], "text": "..."}      text is optional
    {"json": {...}}

each with an optional `"expect": "..."`: words that the last message must contain, so that a
script that is out of step says so instead of playing on.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from pipeline.errors import LLMBadRequest
from pipeline.llm.base import (
    LLMRequest,
    LLMResponse,
    Message,
    Native,
    Part,
    Stop,
    Text,
    ToolCall,
    ToolResult,
    Usage,
)

CHARS_PER_TOKEN = 4
_SHOWN = 400


class ScriptError(LLMBadRequest):
    """A script is malformed, exhausted or out of step. `code` says which."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message, provider="scripted")
        self.code = code


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer of a script. `tools` holds names and arguments in order."""

    text: str = ""
    tools: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    expect: str = ""

    @property
    def characters(self) -> int:
        """How much it says: the measure of its output tokens."""
        return len(self.text) + sum(len(n) + len(json.dumps(a)) for n, a in self.tools)


Playable = Turn | str | Mapping[str, Any]


def read_turn(value: Playable) -> Turn:
    """A turn of its short forms: a text, or the object of a script file."""
    if isinstance(value, Turn):
        return value
    if isinstance(value, str):
        return Turn(value)
    if not isinstance(value, Mapping):
        raise ScriptError("script_malformed", f"a turn is a text or an object, not {value!r}")
    unknown = set(value) - {"text", "tools", "json", "expect"}
    if unknown or not set(value) & {"text", "tools", "json"}:
        raise ScriptError(
            "script_malformed", f"a turn holds text, tools or json; this one: {sorted(value)}"
        )
    try:
        tools = tuple((t["name"], dict(t.get("args", {}))) for t in value.get("tools", ()))
    except (KeyError, TypeError, ValueError) as error:
        raise ScriptError("script_malformed", "a tool of a turn needs a name and args") from error
    said = json.dumps(value["json"]) if "json" in value else str(value.get("text", ""))
    return Turn(said, tools, str(value.get("expect", "")))


def load_script(path: str | Path) -> dict[str, list[Turn]]:
    """The turns of each seat. Raises `ScriptError` where the file is not a script."""
    try:
        data = json.loads(Path(path).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ScriptError("script_malformed", f"{path}: not a readable JSON file") from error
    if not isinstance(data, dict) or not all(isinstance(t, list) for t in data.values()):
        raise ScriptError("script_malformed", f"{path}: a script maps seats to lists of turns")
    return {seat: [read_turn(turn) for turn in turns] for seat, turns in data.items()}


class Playhead:
    """A script's next turn, safe to ask for from several threads."""

    def __init__(self, turns: Iterable[Playable], seat: str = "") -> None:
        self._turns = [read_turn(turn) for turn in turns]
        self._seat = f" of {seat}" if seat else ""
        self._next = 0
        self._lock = Lock()

    @property
    def left(self) -> int:
        """How many turns have not been played."""
        return len(self._turns) - self._next

    def play(self, last: str) -> tuple[int, Turn]:
        """The next turn and its number, from 1. A turn out of step is not used up."""
        with self._lock:
            number = self._next + 1
            if not self.left:
                raise ScriptError(
                    "script_exhausted",
                    f"the script{self._seat} has {len(self._turns)} turns and was asked for more; "
                    f"the last message: {_shown(last)}",
                )
            turn = self._turns[self._next]
            if turn.expect not in last:
                raise ScriptError(
                    "script_out_of_step",
                    f"turn {number} of the script{self._seat} expects {turn.expect!r} "
                    f"in the last message, which is: {_shown(last)}",
                )
            self._next = number
            return number, turn


class ScriptedClient:
    """An `LLMClient` that plays turns in order; its tokens are counted from characters."""

    def __init__(
        self,
        turns: Iterable[Playable],
        *,
        provider: str = "scripted",
        model: str = "scripted",
    ) -> None:
        self._playhead = Playhead(turns, model if model != "scripted" else "")
        self._provider = provider
        self._model = model
        self.requests: list[LLMRequest] = []

    @property
    def provider(self) -> str:
        """The name given."""
        return self._provider

    @property
    def model(self) -> str:
        """The id given."""
        return self._model

    @property
    def left(self) -> int:
        """How many turns have not been played."""
        return self._playhead.left

    async def complete(self, request: LLMRequest) -> LLMResponse:
        """Play the next turn. Raises `ScriptError` when there is none, or it does not fit."""
        self.requests.append(request)
        number, turn = self._playhead.play(last_words(request.messages))
        return answer(turn, request, number, self._model)

    async def aclose(self) -> None:
        """Nothing to give back."""


class FunctionClient:
    """An `LLMClient` whose answers a function decides: request in, turn out."""

    def __init__(
        self,
        fn: Callable[[LLMRequest], Playable | Awaitable[Playable]],
        *,
        provider: str = "scripted",
        model: str = "function",
    ) -> None:
        self._fn = fn
        self._provider = provider
        self._model = model
        self.requests: list[LLMRequest] = []

    @property
    def provider(self) -> str:
        """The name given."""
        return self._provider

    @property
    def model(self) -> str:
        """The id given."""
        return self._model

    async def complete(self, request: LLMRequest) -> LLMResponse:
        """Answer with what the function returns; what it raises is passed on."""
        self.requests.append(request)
        turn = self._fn(request)
        if inspect.isawaitable(turn):
            turn = await turn
        return answer(read_turn(turn), request, len(self.requests), self._model)

    async def aclose(self) -> None:
        """Nothing to give back."""


def last_words(messages: Sequence[Message]) -> str:
    """What the last message says, tool results included."""
    parts = messages[-1].parts if messages else ()
    return "\n".join(words for part in parts if (words := _words(part)))


def answer(turn: Turn, request: LLMRequest, number: int, model: str) -> LLMResponse:
    """The turn as a whole answer to the request; call ids count from the turn's number."""
    asked = tuple(
        ToolCall(f"call_{number}_{i}", name, args, json.dumps(args))
        for i, (name, args) in enumerate(turn.tools, start=1)
    )
    text = (Text(turn.text),) if turn.text else ()
    stop = Stop.TOOL if asked else Stop.END
    usage = Usage(
        input_tokens=_read(request) // CHARS_PER_TOKEN,
        output_tokens=-(-turn.characters // CHARS_PER_TOKEN),
    )
    return LLMResponse(Message("assistant", (*text, *asked)), stop, usage, model)


def _words(part: Part) -> str:
    match part:
        case Text(text):
            return text
        case ToolResult():
            return part.content
        case ToolCall():
            return part.name + part.raw
        case Native():
            return ""


def _read(request: LLMRequest) -> int:
    """Characters that a model would have read."""
    said = sum(len(_words(part)) for message in request.messages for part in message.parts)
    offered = sum(len(t.name + t.description + json.dumps(dict(t.schema))) for t in request.tools)
    return len(request.system) + said + offered


def _shown(words: str) -> str:
    return repr(words if len(words) <= _SHOWN else words[:_SHOWN] + "...")
