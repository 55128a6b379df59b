"""The GitHub App in this process: who it is, and a forge for each run."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from bot.adapters.github.auth import AppAuth
from bot.adapters.github.deliveries import Deliveries
from bot.adapters.github.forge import GitHubForge
from bot.adapters.github.forge_api import RepoApi, actor, explained
from bot.adapters.github.http import Addresses, GitHubHttp, Refusal
from bot.adapters.github.installed import find
from bot.adapters.github.limiter import WriteLimiter
from bot.adapters.github.tokens import RUN_PERMISSIONS, RunToken
from bot.domain.runs import Actor, RepositoryId
from bot.errors import BotError, Misconfigured, NotFound

_LEVELS = ("read", "write", "admin")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the App is. `me` is its bot account, whose id is not the App's."""

    app_id: int
    slug: str
    me: Actor


class GitHubApp:
    """One App on one GitHub. `on_secret` is told every token as soon as it is minted."""

    def __init__(
        self,
        *,
        app_id: str,
        private_key: str,
        on_secret: Callable[[str], None],
        api_url: str = "https://api.github.com",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.addresses = Addresses.of(api_url)
        self._auth = AppAuth(app_id, private_key, clock=clock)
        self._http = GitHubHttp(self.addresses, clock=clock)
        self._on_secret, self._clock = on_secret, clock
        self._limiters: defaultdict[int, WriteLimiter] = defaultdict(WriteLimiter)
        self._identity: Identity | None = None
        self._turn = asyncio.Lock()
        self.deliveries = Deliveries(self._http, self._auth, clock=clock)

    async def forge(
        self, repository: RepositoryId, permissions: Mapping[str, str] = RUN_PERMISSIONS
    ) -> GitHubForge:
        """A forge with a fresh token for this repository alone; the caller closes it.

        Raises NotFound, NotAllowed (suspended, not included, permissions), Misconfigured,
        RateLimited, ForgeUnavailable.
        """
        token = RunToken(
            self._http,
            self._auth,
            repository,
            on_secret=self._on_secret,
            permissions=permissions,
            clock=self._clock,
        )
        limiter = self._limiters[repository.installation_id]
        api = RepoApi(self._http, token, limiter, repository)
        try:
            await api.refresh()
            identity = await self.identity(token)
        except Refusal as refusal:
            await token.revoke()
            raise explained(refusal, "read the repository", repository.full_name) from None
        except BaseException:
            await token.revoke()
            raise
        return GitHubForge(api, identity.me, identity.app_id, clock=self._clock)

    async def identity(self, token: RunToken | None = None) -> Identity:
        """Asked once and kept. With a `token`, also where GitHub shows nothing to strangers.

        Raises Misconfigured, RateLimited, ForgeUnavailable.
        """
        async with self._turn:
            if self._identity is None:
                app = await self._as_app("/app")
                login = f"{app['slug']}[bot]"
                if token:
                    user = await self._account(login, await token.value())
                else:
                    user = await self._account_by_any(login)
                self._identity = Identity(int(app["id"]), str(app["slug"]), actor(user))
            return self._identity

    async def _account(self, login: str, token: str) -> Any:
        path = f"/users/{quote(login, safe='')}"
        try:
            answer = await self._http.request("GET", path, f"Bearer {token}" if token else "")
        except Refusal:
            raise Misconfigured(
                f"GitHub does not show the account {login}; where it shows accounts to nobody "
                "unknown, install the App first"
            ) from None
        return answer.data

    async def _account_by_any(self, login: str) -> Any:
        """Seen with a token of some installation: a server in private mode shows strangers nothing.

        The token may read what everybody may, and is revoked at once.
        """
        jwt = f"Bearer {self._auth.jwt()}"
        found = await self._http.request("GET", "/app/installations", jwt, query="per_page=1")
        if not found.data:
            return await self._account(login, "")
        path = f"/app/installations/{found.data[0]['id']}/access_tokens"
        body = {"permissions": {"metadata": "read"}}
        try:
            minted = await self._http.request("POST", path, jwt, body=body)
        except Refusal:  # suspended
            return await self._account(login, "")
        token = str(minted.data["token"])
        self._on_secret(token)
        try:
            return await self._account(login, token)
        finally:
            with suppress(BotError, Refusal):
                await self._http.request("DELETE", "/installation/token", f"Bearer {token}")

    async def repository(self, full_name: str) -> RepositoryId:
        """A repository by its name, if the App is installed for it.

        Raises NotFound, Misconfigured, RateLimited, ForgeUnavailable.
        """
        return await find(self._http, self._auth, full_name)

    async def lacking(self, installation_id: int, wanted: Mapping[str, str]) -> tuple[str, ...]:
        """Permissions that the installation has not granted, such as "checks: write".

        Raises NotFound where there is no such installation, else as `identity`.
        """
        data = await self._as_app(f"/app/installations/{installation_id}")
        granted = data.get("permissions") or {}
        return tuple(
            f"{name}: {level}"
            for name, level in wanted.items()
            if _rank(str(granted.get(name, ""))) < _rank(level)
        )

    async def aclose(self) -> None:
        """Give connections back. Close the forges first: they revoke their tokens."""
        await self._http.aclose()

    async def _as_app(self, path: str) -> Mapping[str, Any]:
        try:
            answer = await self._http.request("GET", path, f"Bearer {self._auth.jwt()}")
        except Refusal as refusal:
            raise _app_refused(refusal) from None
        data: Mapping[str, Any] = answer.data
        return data


def _rank(level: str) -> int:
    return _LEVELS.index(level) if level in _LEVELS else -1


def _app_refused(refusal: Refusal) -> BotError:
    if refusal.status == HTTPStatus.NOT_FOUND:
        return NotFound("GitHub does not know this App or installation; check ACP_GITHUB_APP_ID")
    return Misconfigured(
        "GitHub refuses the App's own credential; check ACP_GITHUB_APP_ID, the private key and "
        "this machine's clock"
    )
