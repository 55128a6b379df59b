"""What is said at a seat. It grows at its end alone, until it nears the model's window.

A prompt that only grows is read from the vendor's cache. So it is shortened rarely and in one go:
first old tool answers are masked; where that is not enough, the talk begins anew once, from what
was done so far. Code writes that account, not a model, so nothing in it is invented.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pipeline.agents.prompts import fenced
from pipeline.llm.base import Message, Text, ToolCall, ToolResult
from pipeline.usage import Usage

_CROWDED = 0.6
_KEPT_ANSWERS = 6
_SHORT_CHARS = 400
_WORTH = 0.2
_WORDS_CHARS = 400
_DEED_CHARS = 160
_DEEDS = 200


class Conversation:
    """The messages of one seat. `window` is what the model holds, in tokens.

    `opening` is the first message in parts, what changes least first.
    """

    def __init__(self, opening: Sequence[str], window: int) -> None:
        self._opening = Message("user", tuple(Text(part) for part in opening if part))
        self._said: list[Message] = []
        self._window = window
        self._size = 0
        self._anew = False

    @property
    def messages(self) -> tuple[Message, ...]:
        """All of it, oldest first."""
        return (self._opening, *self._said)

    def add(self, message: Message) -> None:
        """Something more was said."""
        self._said.append(message)

    def read_as(self, usage: Usage) -> None:
        """How large the talk was for the model when it gave its last answer."""
        self._size = usage.input_tokens + usage.output_tokens

    @property
    def crowded(self) -> bool:
        """Whether the window is so full that the talk should be shortened."""
        return self._size > _CROWDED * self._window

    def mask(self) -> bool:
        """Leave out what old tool calls answered, if that makes enough room to be worth a cache."""
        old = self._old_answers()
        masked = [_masked(m) if n in old else m for n, m in enumerate(self._said)]
        before, after = _chars(self.messages), _chars((self._opening, *masked))
        if before - after < _WORTH * before:
            return False
        self._said = masked
        self._size = self._size * after // before
        return True

    def begin_anew(self, diff: str) -> bool:
        """Start again from what was done so far and the diff it led to; False the second time."""
        if self._anew:
            return False
        self._anew = True
        story = (
            "The talk until here was too long and was left out. What you have done, oldest first:\n"
            f"{fenced(_deeds(self._said), 'done')}\n"
            f"How the checkout now differs from its base:\n{fenced(diff or 'nothing', 'diff')}\n"
            "Go on from here."
        )
        self._opening = replace(self._opening, parts=(*self._opening.parts, Text(story)))
        self._said = []
        self._size = 0
        return True

    def _old_answers(self) -> set[int]:
        answers = [n for n, message in enumerate(self._said) if _is_answer(message)]
        return set(answers[:-_KEPT_ANSWERS])


def _is_answer(message: Message) -> bool:
    return any(isinstance(part, ToolResult) for part in message.parts)


def _masked(message: Message) -> Message:
    parts = tuple(
        replace(part, content=_gap(part.content))
        if isinstance(part, ToolResult) and len(part.content) > _SHORT_CHARS
        else part
        for part in message.parts
    )
    return replace(message, parts=parts)


def _gap(content: str) -> str:
    lines = content.count("\n") + 1
    return f"({lines} lines left out to save room; call the tool again if you need them)"


def _deeds(said: Sequence[Message]) -> str:
    """The model's own words and its calls, each call with the first line of its answer."""
    answers = {
        part.call_id: part.content.partition("\n")[0]
        for message in said
        for part in message.parts
        if isinstance(part, ToolResult)
    }
    deeds: list[str] = []
    for part in (part for message in said if message.role == "assistant" for part in message.parts):
        if isinstance(part, Text) and part.text.strip():
            deeds.append(f"- you said: {_cut(part.text, _WORDS_CHARS)}")
        elif isinstance(part, ToolCall):
            answer = _cut(answers.get(part.id, "no answer"), _DEED_CHARS)
            deeds.append(f"- {part.name} {_cut(part.raw, _DEED_CHARS)}: {answer}")
    left = len(deeds) - _DEEDS
    return "\n".join([f"- ({left} earlier ones)"] * (left > 0) + deeds[-_DEEDS:])


def _cut(text: str, limit: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[:limit]}..."


def _chars(messages: Sequence[Message]) -> int:
    return sum(len(_text(part)) for message in messages for part in message.parts)


def _text(part: object) -> str:
    match part:
        case Text(text):
            return text
        case ToolCall():
            return part.raw
        case ToolResult():
            return part.content
        case _:
            return ""
