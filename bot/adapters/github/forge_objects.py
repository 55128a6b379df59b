"""PyGithub for one run: in worker threads, with our retries, our pace and our errors."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from bot.adapters.github.forge_api import RepoApi
from bot.adapters.github.http import Refusal, persist, rate_limit, said_in
from bot.errors import BotError, ForgeUnavailable, Misconfigured

if TYPE_CHECKING:
    from github import Github, GithubException
    from github.Repository import Repository

T = TypeVar("T")
_TIMEOUT_S = 20


class Objects:
    """One PyGithub instance, used by one thread at a time. It sends nothing until asked."""

    def __init__(self, api: RepoApi, clock: Callable[[], float]) -> None:
        self._api, self._clock = api, clock
        self._github: Github | None = None
        self._value = ""
        self._turn = asyncio.Lock()

    async def call(self, work: Callable[[Repository], T], *, safe: bool, writes: bool = False) -> T:
        """Run `work` on the repository in a thread. `safe`: it may be run twice.

        Raises Refusal, RateLimited, ForgeUnavailable, Misconfigured.
        """
        if writes:
            await self._api.limiter.wait()
            # PyGithub takes the redirect of a renamed repository for the answer to a write
            await self._api.refresh()

        async def attempt() -> T:
            return await self._api.token.use(lambda value: self._threaded(work, value))

        async with self._turn:
            return await persist(attempt, safe=safe, clock=self._clock)

    async def aclose(self) -> None:
        """Give connections back."""
        async with self._turn:
            self._drop()

    async def _threaded(self, work: Callable[[Repository], T], value: str) -> T:
        github, name = self._opened(value), self._api.name

        def run() -> T:
            import requests
            from github import BadAttributeException, GithubException

            try:
                return work(github.get_repo(name))
            except GithubException as error:
                raise self._translated(error) from None
            except (requests.RequestException, BadAttributeException):
                raise ForgeUnavailable("GitHub cannot be reached; try again later") from None
            except (AssertionError, RuntimeError):
                # how PyGithub says that an address in an answer is on another host
                raise Misconfigured(
                    f"{self._api.http.addresses.api} sends us to another host; "
                    "set GITHUB_API_URL to the API's own address"
                ) from None

        return await asyncio.to_thread(run)

    def _opened(self, value: str) -> Github:
        from github import Auth, Github

        if self._github is None or self._value != value:
            self._drop()
            self._github = Github(
                auth=Auth.Token(value),
                base_url=self._api.http.addresses.api,
                timeout=_TIMEOUT_S,
                # its own retries repeat writes, and sleep in the thread for as long as they like
                retry=None,
                seconds_between_requests=None,
                seconds_between_writes=None,
                per_page=100,
                lazy=True,
            )
            self._value = value
        return self._github

    def _drop(self) -> None:
        if self._github is not None:
            self._github.close()
            self._github = None

    def _translated(self, error: GithubException) -> BotError | Refusal:
        status = error.status or 0
        headers = {k.lower(): str(v) for k, v in (error.headers or {}).items()}
        said = said_in(error.data)
        limit = rate_limit(status, said, headers, self._clock())
        if limit is not None:
            return limit
        if status < HTTPStatus.BAD_REQUEST or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return ForgeUnavailable(f"GitHub answers {status}; try again later")
        return Refusal(status, said)
