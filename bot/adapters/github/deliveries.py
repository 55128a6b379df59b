"""Webhook deliveries that did not arrive: GitHub keeps them three days and never tries again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.adapters.github.auth import AppAuth
from bot.adapters.github.http import GitHubHttp, Refusal
from bot.errors import Misconfigured, NotFound

KEPT_S = 3 * 24 * 3600
_MOST = 2_000  # deliveries looked through in one sweep
_ATTEMPTS = 5  # of one delivery; what fails more often fails by itself


@dataclass(frozen=True, slots=True)
class FailedDelivery:
    """A delivery without any successful attempt. `id` is its newest attempt, `guid` names it."""

    id: int
    guid: str
    event: str
    delivered_at: str
    attempts: int


class Deliveries:
    """The App's own deliveries, asked for with its JWT."""

    def __init__(
        self, http: GitHubHttp, auth: AppAuth, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._http, self._auth, self._clock = http, auth, clock

    async def failed(self, within_s: float = KEPT_S) -> Sequence[FailedDelivery]:
        """Deliveries of the last `within_s` seconds that never arrived, oldest first.

        Raises Misconfigured, RateLimited, ForgeUnavailable.
        """
        oldest = self._clock() - min(within_s, KEPT_S)
        attempts: dict[str, list[Any]] = {}
        try:
            async for item in self._newest_first():
                if _seconds(item["delivered_at"]) < oldest:
                    break
                attempts.setdefault(item["guid"], []).append(item)
        except Refusal:
            raise Misconfigured(
                "GitHub does not show the App's deliveries; check ACP_GITHUB_APP_ID and the key"
            ) from None
        lost = [tried for tried in attempts.values() if _is_lost(tried)]
        return tuple(map(_failed, reversed(lost)))

    async def redeliver(self, delivery: FailedDelivery) -> None:
        """Ask GitHub to send it again; it comes with the same GUID.

        Raises NotFound where GitHub no longer has it, else as `failed`.
        """
        path = f"/app/hook/deliveries/{delivery.id}/attempts"
        try:
            await self._http.request("POST", path, f"Bearer {self._auth.jwt()}")
        except Refusal:
            raise NotFound(f"GitHub no longer has the delivery {delivery.guid}") from None

    async def _newest_first(self) -> Any:
        seen = 0
        jwt = f"Bearer {self._auth.jwt()}"
        async for item in self._http.pages("/app/hook/deliveries", jwt):
            yield item
            seen += 1
            if seen >= _MOST:
                return


def _is_lost(tried: list[Any]) -> bool:
    arrived = any(200 <= int(item.get("status_code") or 0) < 300 for item in tried)  # noqa: PLR2004
    return not arrived and len(tried) < _ATTEMPTS


def _failed(tried: list[Any]) -> FailedDelivery:
    newest = tried[0]
    return FailedDelivery(
        int(newest["id"]),
        str(newest["guid"]),
        str(newest["event"]),
        str(newest["delivered_at"]),
        len(tried),
    )


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()
