"""One installation token for one run: one repository, only the rights it needs, gone at its end."""

from __future__ import annotations

import asyncio
import base64
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeVar

from bot.adapters.github.auth import AppAuth
from bot.adapters.github.http import GitHubHttp, Refusal
from bot.domain.runs import RepositoryId
from bot.errors import BotError, ForgeUnavailable, Misconfigured, NotAllowed, NotFound

T = TypeVar("T")
_FRESH_S = 50 * 60  # of the hour that a token lives
RUN_PERMISSIONS: Mapping[str, str] = {
    "metadata": "read",
    "contents": "write",
    "issues": "write",
    "pull_requests": "write",
    "checks": "write",
}
DISPENSABLE = frozenset({"checks"})

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Minted:
    value: str = field(repr=False)
    at: float
    permissions: Mapping[str, str]


class RunToken:
    """The token of one run. Minted when first asked for, again before it expires or when refused.

    `on_secret` is told every value before anyone else sees it. Permissions in `DISPENSABLE` are
    done without where the installation has not granted them.
    """

    def __init__(
        self,
        http: GitHubHttp,
        auth: AppAuth,
        repository: RepositoryId,
        *,
        on_secret: Callable[[str], None],
        permissions: Mapping[str, str] = RUN_PERMISSIONS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._http, self._auth, self._repository = http, auth, repository
        self._on_secret, self._permissions, self._clock = on_secret, permissions, clock
        self._minted: _Minted | None = None
        self._turn = asyncio.Lock()

    @property
    def permissions(self) -> Collection[str]:
        """Names of the permissions that the present token has; empty before the first one."""
        return self._minted.permissions.keys() if self._minted else ()

    async def value(self) -> str:
        """A token that is good for ten minutes at least.

        Raises NotFound, NotAllowed, Misconfigured, RateLimited, ForgeUnavailable.
        """
        async with self._turn:
            now = self._clock()
            if self._minted is None or not 0 <= now - self._minted.at < _FRESH_S:
                self._minted = await self._mint(now)
            return self._minted.value

    async def use(self, attempt: Callable[[str], Awaitable[T]]) -> T:
        """Run `attempt` with the token, and once more with a new one if it is refused by 401."""
        value = await self.value()
        try:
            return await attempt(value)
        except Refusal as refusal:
            if refusal.status != HTTPStatus.UNAUTHORIZED:
                raise
        await self.discard(value)
        return await attempt(await self.value())

    async def discard(self, value: str) -> None:
        """Forget a value that GitHub no longer takes; a newer one stays."""
        async with self._turn:
            if self._minted is not None and self._minted.value == value:
                self._minted = None

    async def revoke(self) -> None:
        """End the token. Never raises a BotError: what cannot be revoked expires by itself."""
        async with self._turn:
            minted, self._minted = self._minted, None
        if minted is None:
            return
        try:
            await self._http.request("DELETE", "/installation/token", f"Bearer {minted.value}")
        except Refusal:
            _log.info("the token of %s was already dead", self._repository.full_name)
        except BotError:
            _log.warning("the token of %s expires by itself", self._repository.full_name)

    async def _mint(self, now: float) -> _Minted:
        try:
            return await self._asked(self._permissions, now)
        except Refusal as refusal:
            if refusal.status != HTTPStatus.UNPROCESSABLE_ENTITY or not _about_rights(refusal):
                raise self._explained(refusal) from None
        modest = {k: v for k, v in self._permissions.items() if k not in DISPENSABLE}
        try:
            return await self._asked(modest, now)
        except Refusal as refusal:
            raise self._explained(refusal) from None

    async def _asked(self, permissions: Mapping[str, str], now: float) -> _Minted:
        path = f"/app/installations/{self._repository.installation_id}/access_tokens"
        body = {"repository_ids": [self._repository.id], "permissions": dict(permissions)}
        answer = await self._http.request("POST", path, f"Bearer {self._auth.jwt()}", body=body)
        data = answer.data if isinstance(answer.data, dict) else {}
        value = data.get("token")
        if not isinstance(value, str) or not value:
            raise ForgeUnavailable("GitHub answered without a token; try again later")
        self._on_secret(value)
        self._on_secret(basic(value))
        granted = data.get("permissions")
        return _Minted(value, now, granted if isinstance(granted, dict) else permissions)

    def _explained(self, refusal: Refusal) -> BotError:
        name = self._repository.full_name
        page = (
            f"{self._http.addresses.web}/settings/installations/{self._repository.installation_id}"
        )
        if refusal.status == HTTPStatus.UNAUTHORIZED:
            return Misconfigured(
                "GitHub refuses the App's own credential; check ACP_GITHUB_APP_ID, the private key "
                "and this machine's clock"
            )
        if refusal.status == HTTPStatus.NOT_FOUND:
            return NotFound(f"the App is no longer installed for {name}; install it again")
        if "suspended" in refusal.said.lower():
            return NotAllowed(f"the App's installation for {name} is suspended; resume it: {page}")
        if _about_rights(refusal):
            return NotAllowed(
                f"the App's installation for {name} lacks permissions; accept them: {page}"
            )
        if refusal.status == HTTPStatus.UNPROCESSABLE_ENTITY:
            return NotAllowed(f"the App's installation does not include {name}; add it: {page}")
        return NotAllowed(
            f"GitHub gives no token for {name} ({refusal.status}); see the installation: {page}"
        )


def basic(token: str) -> str:
    """The token as git sends it: user and password in base64."""
    return base64.b64encode(f"x-access-token:{token}".encode()).decode()


def _about_rights(refusal: Refusal) -> bool:
    return "permission" in refusal.said.lower()
