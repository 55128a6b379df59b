"""The primary rate limit: so many requests an hour for each who asks."""

from __future__ import annotations

from dataclasses import dataclass

from bot.emulators.github.hub import Json
from bot.emulators.github.world import Clock, Problem

HOUR_S = 3600.0
_OTHERS = ("search", "graphql", "integration_manifest")


@dataclass
class _Window:
    started: float
    used: int = 0


class Limits:
    """Counts per caller. `limit` may be set at any time."""

    def __init__(self, clock: Clock, limit: int = 5000) -> None:
        self.limit = limit
        self._clock = clock
        self._windows: dict[str, _Window] = {}

    def spend(self, who: str) -> None:
        """Count a request. Raises Problem 403 if none was left."""
        window = self._window(who)
        if window.used >= self.limit:
            raise Problem(403, f"API rate limit exceeded for {who}.")
        window.used += 1

    def headers(self, who: str) -> dict[str, str]:
        """The X-RateLimit headers."""
        return {
            f"X-RateLimit-{name.capitalize()}": str(value) for name, value in self._now(who).items()
        } | {"X-RateLimit-Resource": "core"}

    def overview(self, who: str) -> Json:
        """A `rate-limit-overview`."""
        now = self._now(who)
        resources = {"core": now} | {name: dict(now) for name in _OTHERS}
        return {"resources": resources, "rate": now}

    def _now(self, who: str) -> dict[str, int]:
        window = self._window(who)
        return {
            "limit": self.limit,
            "remaining": max(0, self.limit - window.used),
            "reset": int(window.started + HOUR_S),
            "used": window.used,
        }

    def _window(self, who: str) -> _Window:
        now = self._clock.now()
        window = self._windows.get(who)
        if window is None or window.started + HOUR_S <= now:
            window = self._windows[who] = _Window(now)
        return window
