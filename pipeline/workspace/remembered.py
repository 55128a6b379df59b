"""Answers about tree ids, kept: an id names one content for ever, so no answer grows old."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")
_MOST_CHARS = 2**20


class Remembered:
    """The last `most` answers. A text of more than a million characters is not kept."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._answers: OrderedDict[Hashable, Any] = OrderedDict()

    async def answer(self, question: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        """What `ask` gives, or gave before. What it raises is not kept."""
        if question in self._answers:
            self._answers.move_to_end(question)
            return self._answers[question]  # type: ignore[no-any-return]
        found = await ask()
        self.learn(question, found)
        return found

    def learn(self, question: Hashable, answer: object) -> None:
        """Keep an answer that is known without asking."""
        if isinstance(answer, str) and len(answer) > _MOST_CHARS:
            return
        self._answers[question] = answer
        while len(self._answers) > self._most:
            self._answers.popitem(last=False)
