"""Requests about one repository with one run's token, and the sentences for what is refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

from bot.adapters.github.http import GitHubHttp, Refusal
from bot.adapters.github.limiter import WriteLimiter
from bot.adapters.github.tokens import RunToken
from bot.domain.runs import Actor, RepositoryId
from bot.errors import BotError, ForgeUnavailable, NotAllowed, NotFound

T = TypeVar("T")
GHOST = Actor(0, "ghost", "User")


class RepoApi:
    """The repository's corner of the API. `name` is owner/name as it is now."""

    def __init__(
        self, http: GitHubHttp, token: RunToken, limiter: WriteLimiter, repository: RepositoryId
    ) -> None:
        self.http, self.token, self.limiter = http, token, limiter
        self.name = repository.full_name
        self.default_branch = repository.default_branch
        self.node_id = ""
        self._id = repository.id

    @property
    def owner(self) -> str:
        """The account that the repository belongs to."""
        return self.name.partition("/")[0]

    async def get(self, path: str = "", query: str = "") -> Any:
        """The JSON at `path` below the repository. Raises Refusal and Transient."""
        return await self._request("GET", path, None, query)

    async def find(self, path: str, query: str = "") -> Any:
        """The JSON at `path`, or None where GitHub has nothing there."""
        try:
            return await self.get(path, query)
        except Refusal as refusal:
            if refusal.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
                return None
            raise

    async def send(self, method: str, path: str, body: Any = None) -> Any:
        """Write once, when the installation's limiter allows. Raises Refusal and Transient."""
        await self.limiter.wait()
        return await self._request(method, path, body, "")

    async def items(self, path: str, query: str = "") -> list[Any]:
        """Every item of a list, all pages."""

        async def collect(value: str) -> list[Any]:
            url = f"/repos/{self.name}{path}"
            return [item async for item in self.http.pages(url, f"Bearer {value}", query=query)]

        return await self.token.use(collect)

    async def ask(self, document: str, **variables: Any) -> Mapping[str, Any]:
        """What a GraphQL query finds. Raises Refusal and Transient."""
        body = {"query": document, "variables": variables}
        return await self.token.use(lambda value: self.http.ask(body, f"Bearer {value}"))

    async def tell(self, document: str, **variables: Any) -> Mapping[str, Any]:
        """A GraphQL mutation, once, when the installation's limiter allows."""
        await self.limiter.wait()
        return await self.ask(document, **variables)

    async def refresh(self) -> None:
        """Learn the present name and default branch. Raises NotFound where the name moved on."""
        data = await self.get()
        if not isinstance(data, dict) or data.get("id") != self._id:
            raise NotFound(f"{self.name} is another repository now; install the App there again")
        self.name = str(data["full_name"])
        self.default_branch = str(data.get("default_branch") or "")
        self.node_id = str(data.get("node_id") or "")

    async def _request(self, method: str, path: str, body: Any, query: str) -> Any:
        async def attempt(value: str) -> Any:
            url = f"/repos/{self.name}{path}"
            answer = await self.http.request(method, url, f"Bearer {value}", body=body, query=query)
            return answer.data

        return await self.token.use(attempt)


async def once(find: Callable[[], Awaitable[T | None]], make: Callable[[], Awaitable[T]]) -> T:
    """What `find` finds, or else what `make` makes: one thing, also if its answer is lost.

    Raises ForgeUnavailable where nothing was made, as far as can be seen.
    """
    found = await find()
    if found is not None:
        return found
    try:
        return await make()
    except ForgeUnavailable:
        found = await find()
        if found is None:
            raise
        return found


def actor(data: Any) -> Actor:
    """An account of an answer; deleted ones are GitHub's ghost."""
    if not isinstance(data, Mapping):
        return GHOST
    return Actor(int(data["id"]), str(data["login"]), str(data.get("type", "User")))


def explained(refusal: Refusal, doing: str, name: str) -> BotError:
    """Our error for a refusal. GitHub's own text is not passed on; it may echo the request."""
    if refusal.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        return NotFound(
            f"cannot {doing} in {name}: it does not exist there, or the App may not see it"
        )
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        return NotAllowed(f"cannot {doing} in {name}: GitHub no longer takes the App's token")
    if "suspended" in refusal.said.lower():
        return NotAllowed(f"cannot {doing} in {name}: the App's installation is suspended")
    if refusal.status == HTTPStatus.FORBIDDEN:
        return NotAllowed(
            f"cannot {doing} in {name}: GitHub does not let the App; check that the repository is "
            "not archived and that the App's permissions were accepted"
        )
    return NotAllowed(f"cannot {doing} in {name}: GitHub refuses it ({refusal.status})")
