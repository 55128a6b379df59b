"""Brings letters to their tickets: each act looks before it makes, and the comment comes last."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.domain.jira import Letter, Posting, Stage, Tracker
from bot.domain.messages import ticket as words
from bot.domain.store import Store
from bot.errors import BotError, ForgeUnavailable, UserError
from bot.services.jira_admit import WAITING
from bot.services.patience import Patience

_log = logging.getLogger(__name__)
_LEASE_S = 60.0
_SHARE = 0.6
_WAITS_S = (10.0, 60.0, 300.0, 900.0)
_MOST_TRIES = 400
"""About four days: whoever is away for longer has read the pull request meanwhile."""


@dataclass(frozen=True, slots=True)
class PostLetters:
    """One tick over the outbox. `moves` maps a stage to the status that its tickets move to.

    Letters are taken up one by one: whoever dies with one in hand holds up no other, and that one
    for `lease_s` seconds. Nobody works at a letter for longer than most of that.
    """

    store: Store
    tracker: Tracker
    moves: Mapping[Stage, str] = field(default_factory=dict)
    patience: Patience = field(default_factory=Patience)
    lease_s: float = _LEASE_S

    async def __call__(self) -> None:
        """Bring what is due; what cannot be brought now is put off."""
        while taken := await asyncio.to_thread(self.store.due, self.lease_s, 1):
            for posting in taken:
                await self._take(posting)

    async def _take(self, posting: Posting) -> None:
        try:
            await self._in_time(posting.letter)
        except WAITING as error:
            if posting.tries < _MOST_TRIES:
                await self._put_off(posting, error)
                return
            _log.error("%s is given up: %s", posting.letter.name, error)
        except BotError as error:
            _log.error("%s cannot be brought: %s", posting.letter.name, error)
        except Exception as error:  # noqa: BLE001 - a fault of ours stops no other row
            if not self.patience.ended(f"letter {posting.id}", error):
                return
        await asyncio.to_thread(self.store.posted, posting.id)

    async def _in_time(self, letter: Letter) -> None:
        """Well before somebody else may take it up; the last request may go on for a while."""
        try:
            async with asyncio.timeout(self.lease_s * _SHARE):
                await self._bring(letter)
        except TimeoutError:
            raise ForgeUnavailable("Jira is too slow") from None

    async def _put_off(self, posting: Posting, error: BotError) -> None:
        wait_s = _WAITS_S[min(posting.tries, len(_WAITS_S)) - 1]
        _log.warning("%s waits %.0f s: %s", posting.letter.name, wait_s, error)
        await asyncio.to_thread(self.store.put_off, posting.id, wait_s)

    async def _bring(self, letter: Letter) -> None:
        """The comment is the last act: where it is there, all others were done before."""
        if await self.tracker.said(letter.key, letter.mark):
            return
        notes: list[str] = []
        if letter.file_name:
            try:
                await self.tracker.attach(letter.key, letter.file_name, letter.file)
            except UserError as error:
                notes.append(words.not_attached(letter.file_name, str(error)))
        if letter.link is not None:
            try:
                await self.tracker.link(letter.key, letter.link)
            except UserError as error:
                _log.warning("%s: no link: %s", letter.name, error)
        if status := self.moves.get(letter.stage, ""):
            notes += await self._move(letter.key, status)
        text, mark, rest = letter.text.rpartition(f"_{letter.mark}_")
        await self.tracker.say(letter.key, "\n\n".join([text.strip(), *notes, mark + rest]))

    async def _move(self, key: str, status: str) -> list[str]:
        """Optional, and never fatal: what does not work is said."""
        try:
            why = await self.tracker.move(key, status)
        except UserError as error:
            why = str(error)
        return [words.not_moved(status, why)] if why else []
