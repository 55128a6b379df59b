"""One small client for GitHub's API: bounded in time, reads are repeated, writes never."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urljoin, urlsplit

from bot.errors import ForgeUnavailable, Misconfigured, RateLimited

if TYPE_CHECKING:
    import httpx2

T = TypeVar("T")
_TIMEOUT_S, _CONNECT_S = 20.0, 5.0
_TRIES = 3
_PATIENCE_S = 60.0  # who must wait longer gives the worker back
_UNSAID_S = 61  # GitHub: a secondary limit without a time means at least a minute
_REDIRECTS = frozenset({301, 302, 307, 308})
_HOPS = 3
_PAGE = 100
_KINDS = {"NOT_FOUND": HTTPStatus.NOT_FOUND, "FORBIDDEN": HTTPStatus.FORBIDDEN}
_LIMITED = "GitHub's rate limit is reached; the work goes on later"
_HEADERS = {
    "Accept": "application/vnd.github+json",
    "X-GitHub-Api-Version": "2022-11-28",
    "User-Agent": "agentic-coding-pipeline",
}


class Refusal(Exception):
    """GitHub said no (4xx, no rate limit). `said` is its text: for deciding, not for showing."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"GitHub answers {status}")
        self.status = status
        self.said = said


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: parsed JSON (None for no body) and headers, names in lower case."""

    status: int
    data: Any
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where one GitHub is: `api` and `web` without a trailing slash, and its no-reply mail host."""

    api: str
    web: str
    noreply: str

    @property
    def graphql(self) -> str:
        """Beside the REST API: Enterprise Server has it at /api/graphql."""
        return f"{self.api.removesuffix('/v3')}/graphql"

    @classmethod
    def of(cls, api_url: str) -> Addresses:
        """From GITHUB_API_URL: github.com, ghe.com, or Enterprise Server's https://HOST/api/v3."""
        api = api_url.rstrip("/")
        parts = urlsplit(api)
        host = parts.netloc.lower().removeprefix("api.")
        if not parts.hostname or "@" in host or parts.scheme not in {"http", "https"}:
            raise Misconfigured("GITHUB_API_URL is no address; write https://HOST/api/v3")
        bare = host.partition(":")[0]
        return cls(api, f"{parts.scheme}://{host}", f"users.noreply.{bare}")


async def persist(
    attempt: Callable[[], Awaitable[T]], *, safe: bool, clock: Callable[[], float] = time.time
) -> T:
    """Try again where that can do no harm: reads that failed, anything refused for a short while.

    A rate limit's refusal has no effect, so it may be repeated whatever it was. Raises RateLimited
    where the wait is longer than a minute, and ForgeUnavailable.
    """
    for tried in range(1, _TRIES + 1):
        try:
            return await attempt()
        except ForgeUnavailable:
            if not safe or tried == _TRIES:
                raise
            await asyncio.sleep(0.25 * 2**tried)
        except RateLimited as limit:
            wait = _PATIENCE_S + 1 if limit.reset_at is None else limit.reset_at - clock()
            if wait > _PATIENCE_S or tried == _TRIES:
                raise
            await asyncio.sleep(max(wait, 0.1))
    raise AssertionError("every try either returned or raised")


def rate_limit(
    status: int, said: str, headers: Mapping[str, str], now: float
) -> RateLimited | None:
    """The rate limit that an answer reports, or None. `headers` have names in lower case."""
    spent = headers.get("x-ratelimit-remaining") == "0"
    after = headers.get("retry-after", "")
    named = "rate limit" in said.lower() or "abuse" in said.lower()
    if status == HTTPStatus.FORBIDDEN and not (spent or after or named):
        return None
    if status not in {HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS}:
        return None
    reset = headers.get("x-ratelimit-reset", "")
    if after.isdigit():
        at = int(now) + int(after) + 1
    else:
        at = int(reset) + 1 if spent and reset.isdigit() else int(now) + _UNSAID_S
    return RateLimited(_LIMITED, reset_at=at)


class GitHubHttp:
    """Requests to one GitHub. It sends credentials to the API's own origin and nowhere else."""

    def __init__(self, addresses: Addresses, *, clock: Callable[[], float] = time.time) -> None:
        self.addresses = addresses
        self._clock = clock
        self._client: httpx2.AsyncClient | None = None
        self._closed = False

    async def request(
        self, method: str, path: str, authorization: str, *, body: Any = None, query: str = ""
    ) -> Answer:
        """One answer below 400. `path` starts with a slash; `authorization` is the header's value.

        Raises Refusal, RateLimited, ForgeUnavailable, Misconfigured. GET is repeated after a
        failure of server or network, nothing else is.
        """
        url = f"{self.addresses.api}{path}{'?' if query else ''}{query}"
        return await persist(
            lambda: self._followed(method, url, authorization, body),
            safe=method == "GET",
            clock=self._clock,
        )

    async def ask(self, body: Mapping[str, Any], authorization: str) -> Mapping[str, Any]:
        """The data that a GraphQL document asks for; a mutation is never repeated.

        Raises what `request` does.
        """

        async def attempt() -> Mapping[str, Any]:
            url = self.addresses.graphql
            answer = await self._followed("POST", url, authorization, body)
            return self._granted(answer)

        safe = not body["query"].lstrip().startswith("mutation")
        return await persist(attempt, safe=safe, clock=self._clock)

    async def pages(
        self, path: str, authorization: str, *, query: str = "", key: str = ""
    ) -> AsyncIterator[Any]:
        """Every item of a list, page after page; `key` names the list inside an object."""
        answer = await self.request(
            "GET", path, authorization, query=f"per_page={_PAGE}{'&' if query else ''}{query}"
        )
        while True:
            items = answer.data.get(key) if key and isinstance(answer.data, dict) else answer.data
            for item in items if isinstance(items, list) else ():
                yield item
            following = _next(answer.headers.get("link", ""))
            if not following:
                return
            answer = await self._later_page(following, authorization)

    async def _later_page(self, url: str, authorization: str) -> Answer:
        return await persist(
            lambda: self._followed("GET", url, authorization, None), safe=True, clock=self._clock
        )

    async def aclose(self) -> None:
        """Give connections back; nothing is sent any more."""
        self._closed = True
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _followed(self, method: str, url: str, authorization: str, body: Any) -> Answer:
        """Follow the redirects of renamed repositories. They had no effect: the method stays."""
        for _ in range(_HOPS):
            self._check_origin(url)
            answer = await self._once(method, url, authorization, body)
            if answer.status not in _REDIRECTS:
                return answer
            url = _redirected(url, answer.headers.get("location", ""))
        raise ForgeUnavailable(f"{self.addresses.api} redirects in a circle; try again later")

    def _check_origin(self, url: str) -> None:
        if _origin(url) != _origin(self.addresses.api):
            raise Misconfigured(
                f"{self.addresses.api} sends us to another host; "
                "set GITHUB_API_URL to the API's own address"
            )

    async def _once(self, method: str, url: str, authorization: str, body: Any) -> Answer:
        import httpx2

        headers = {"Authorization": authorization} if authorization else {}
        try:
            response = await self._open().request(method, url, headers=headers, json=body)
        except (httpx2.RequestError, httpx2.InvalidURL):
            raise ForgeUnavailable(
                f"{self.addresses.api} cannot be reached; check the network and GITHUB_API_URL"
            ) from None
        answer = Answer(response.status_code, self._data(response), dict(response.headers))
        return self._checked(answer)

    def _data(self, response: httpx2.Response) -> Any:
        try:
            return response.json() if response.content else None
        except ValueError:
            if response.is_success:
                raise Misconfigured(
                    f"{self.addresses.api} did not answer like GitHub; "
                    "set GITHUB_API_URL to the API's own address"
                ) from None
            return None

    def _checked(self, answer: Answer) -> Answer:
        if answer.status < HTTPStatus.BAD_REQUEST:
            return answer
        said = said_in(answer.data)
        limit = rate_limit(answer.status, said, answer.headers, self._clock())
        if limit is not None:
            raise limit
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise ForgeUnavailable(f"{self.addresses.api} answers {answer.status}; try again later")
        raise Refusal(answer.status, said)

    def _granted(self, answer: Answer) -> Mapping[str, Any]:
        """GraphQL reports its errors in a body of 200."""
        body = answer.data if isinstance(answer.data, dict) else {}
        if errors := body.get("errors"):
            kinds = {one.get("type") for one in errors if isinstance(one, dict)}
            if kinds & {"RATE_LIMITED", "RATE_LIMIT"}:
                at = answer.headers.get("x-ratelimit-reset", "")
                reset = int(at) + 1 if at.isdigit() else int(self._clock()) + _UNSAID_S
                raise RateLimited(_LIMITED, reset_at=reset)
            status = next((code for kind, code in _KINDS.items() if kind in kinds), 422)
            raise Refusal(status, said_in(body))
        return body.get("data") or {}

    def _open(self) -> httpx2.AsyncClient:
        import httpx2

        if self._closed:
            raise ForgeUnavailable("this process is ending; the work goes on later")
        if self._client is None:
            self._client = httpx2.AsyncClient(
                headers=_HEADERS,
                timeout=httpx2.Timeout(_TIMEOUT_S, connect=_CONNECT_S),
                limits=httpx2.Limits(max_connections=20),
                follow_redirects=False,
            )
        return self._client


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.lower()


def _redirected(url: str, location: str) -> str:
    """Where a redirect leads; a query that it does not mention is kept."""
    target, query = urljoin(url, location), urlsplit(url).query
    return f"{target}?{query}" if query and not urlsplit(target).query else target


def said_in(data: Any) -> str:
    """GitHub's message and the messages of its list of errors, as one text."""
    if not isinstance(data, dict):
        return ""
    errors = data.get("errors")
    parts = [data.get("message"), *(errors if isinstance(errors, list) else ())]
    return "; ".join(text for text in map(_text, parts) if text)


def _text(part: Any) -> str:
    if isinstance(part, dict):
        return str(part.get("message") or f"{part.get('field')} {part.get('code')}")
    return part if isinstance(part, str) else ""


def _next(link: str) -> str:
    """The URL of the next page in a Link header, or ""."""
    for part in link.split(","):
        url, _, relation = part.partition(";")
        if 'rel="next"' in relation:
            return url.strip().strip("<>")
    return ""
