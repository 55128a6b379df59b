"""A process that loses its power at every write to the mailbox and to Jira in turn."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from bot.domain.store import Delivery
from tests.e2e.bot.power import Fuse, _Wired

_STORE = frozenset({"receive", "listened", "post_for", "posted"})
_TRACKER = frozenset({"say", "attach", "link", "move"})


class TicketFuse(Fuse):
    """Blows before and after each of them, once."""

    def mailbox(self, store: Any) -> Any:
        """The store, as a process without power reaches it."""
        return _Wired(store, _STORE, self._keep)

    def tracker(self, tracker: Any) -> Any:
        """The tracker, likewise."""
        return _Wired(tracker, _TRACKER, self._tell)

    def _keep(self, verb: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def keep(*args: Any, **named: Any) -> Any:
            if isinstance(args[0], Delivery) and args[0].source == "github":
                return work(*args, **named)  # that is another process
            # The epoch, a number, is another one at every start.
            key = (verb, *(str(one)[:80] for one in args if not isinstance(one, int)))
            self._cut("before", *key)
            result = work(*args, **named)
            self._cut("after", *key)
            return result

        return keep

    def _tell(self, verb: str, work: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
        async def tell(*args: Any) -> Any:
            key = (verb, *(str(one)[:80] for one in args))
            self._cut("before", *key)
            result = await work(*args)
            self._cut("after", *key)
            return result

        return tell
