"""Tickets in memory: triggers that wait for a look, letters that wait to be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from bot.adapters.store.memory_log import MemoryLog
from bot.adapters.store.stamps import Clock, new_id
from bot.domain.jira import Heard, Letter, Posting, Trigger

T = TypeVar("T")


@dataclass(slots=True)
class _Waiting:
    letter: Letter
    due: float
    tries: int = 0
    done: bool = False


class Turns:
    """When each row of a queue is due."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: dict[str, float] = {}

    def put_off(self, row_id: str, seconds: float) -> None:
        """It is due after that time."""
        self._due[row_id] = self._clock() + seconds

    def due(self, rows: Mapping[str, T], limit: int) -> list[T]:
        """The rows that are due, the one that was due first before the others."""
        now = self._clock()
        ids = sorted((self._due[row_id], row_id) for row_id in rows if self._due[row_id] <= now)
        return [rows[row_id] for _, row_id in ids[:limit]]


class MemoryMailbox(MemoryLog):
    """The part of `MemoryStore` that is about tickets; implements `Mailbox`."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._heard: dict[str, Heard] = {}
        self._turns = Turns(clock)
        self._letters: dict[str, _Waiting] = {}

    def heard(self, limit: int = 20) -> Sequence[Heard]:
        """Triggers that are due."""
        with self._lock:
            return self._turns.due(self._heard, limit)

    def hear_later(self, heard_id: str, seconds: float) -> None:
        """Look at a trigger again after that time."""
        with self._lock:
            heard = self._heard[heard_id]
            self._heard[heard_id] = replace(heard, tries=heard.tries + 1)
            self._turns.put_off(heard_id, seconds)

    def listened(self, heard_id: str) -> None:
        """A trigger has been dealt with."""
        with self._lock:
            self._heard.pop(heard_id, None)

    def post(self, letter: Letter) -> None:
        """Put a letter into the outbox, once."""
        with self._lock:
            if all(one.letter.name != letter.name for one in self._letters.values()):
                now = self._clock()
                self._letters[new_id(now)] = _Waiting(letter, now)

    def post_for(self, run_id: str, epoch: int, letter: Letter) -> None:
        """The same for a run."""
        with self._fenced(run_id, epoch):
            self.post(letter)

    def due(self, lease_s: float, limit: int = 20) -> Sequence[Posting]:
        """Take up the letters that are due."""
        now = self._clock()
        with self._lock:
            first: dict[str, tuple[str, _Waiting]] = {}
            for posting_id, one in sorted(self._letters.items(), key=lambda item: item[0]):
                if not one.done:
                    first.setdefault(one.letter.key, (posting_id, one))
            waiting = sorted(first.values(), key=lambda found: (found[1].due, found[0]))
            taken = [found for found in waiting if found[1].due <= now][:limit]
            for _, one in taken:
                one.due, one.tries = now + lease_s, one.tries + 1
            return [Posting(posting_id, one.letter, one.tries) for posting_id, one in taken]

    def posted(self, posting_id: str) -> None:
        """A letter has arrived, or never will."""
        with self._lock:
            self._letters[posting_id].done = True

    def put_off(self, posting_id: str, seconds: float) -> None:
        """Try a letter again after that time."""
        with self._lock:
            self._letters[posting_id].due = self._clock() + seconds

    def _hear(self, trigger: Trigger) -> None:
        heard = Heard(new_id(self._clock()), trigger)
        self._heard[heard.id] = heard
        self._turns.put_off(heard.id, 0.0)
