"""Requests, answers and routes: what a handler gets and gives, and how it is found."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import unquote, urlencode

from bot.emulators.github.hub import Hub, Json
from bot.emulators.github.model import Account, App, Repository, Token
from bot.emulators.github.world import NotThere, Problem

T = TypeVar("T")
V = TypeVar("V")
_PER_PAGE, _MOST = 30, 100
_NAMES = {str: "string", int: "integer", bool: "boolean", list: "array", dict: "object"}


@dataclass(frozen=True)
class Incoming:
    """A request as it came. `path` is percent-encoded; header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Answer:
    """A response; `data` becomes JSON unless it is bytes or None."""

    status: int = 200
    data: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def payload(self) -> bytes:
        """The bytes to send."""
        if self.data is None or isinstance(self.data, bytes):
            return self.data or b""
        return json.dumps(self.data, ensure_ascii=False).encode()


NO_CONTENT = 204


@dataclass(frozen=True)
class Caller:
    """Who asks: an App by its JWT, an installation or a person by a token, or nobody."""

    app: App | None = None
    token: Token | None = None
    account: Account | None = None


@dataclass
class Call:
    """One request on its way to a handler."""

    hub: Hub
    incoming: Incoming
    params: Mapping[str, str]
    caller: Caller
    found: Repository | None = None

    @property
    def repository(self) -> Repository:
        """The repository in the path. Raises NotThere."""
        if self.found is None:
            raise NotThere
        return self.found

    @property
    def account(self) -> Account:
        """Who acts. Raises Problem 401."""
        if self.caller.account is None:
            raise Problem(401, "Requires authentication")
        return self.caller.account

    @property
    def app_id(self) -> int | None:
        """The App that acts, if one does."""
        token = self.caller.token
        if token is None or token.installation_id is None:
            return None
        return self.hub.world.installations[token.installation_id].app_id

    def number(self, name: str) -> int:
        """A number in the path. Raises NotThere."""
        text = self.params[name]
        if not text.isdecimal():
            raise NotThere
        return int(text)

    @property
    def body(self) -> Any:
        """The JSON body; {} if there is none. Raises Problem 400."""
        if not self.incoming.body.strip():
            return {}
        try:
            return json.loads(self.incoming.body)
        except ValueError:
            raise Problem(400, "Problems parsing JSON") from None

    def get(self, name: str, kind: type[T]) -> T | None:
        """A field of the body; null and absent are None. Raises Problem 422."""
        body = self.body
        if not isinstance(body, dict):
            raise Problem(400, "Body should be a JSON object")
        value = body.get(name)
        if value is None:
            return None
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            said = f"For 'properties/{name}', {json.dumps(value)[:80]} is not a {_NAMES[kind]}."
            raise Problem(422, f"Invalid request.\n\n{said}")
        return value

    def need(self, name: str, kind: type[T]) -> T:
        """The same of a field that must be there. Raises Problem 422."""
        value = self.get(name, kind)
        if value is None:
            raise Problem(422, f'Invalid request.\n\n"{name}" wasn\'t supplied.')
        return value

    def page(self, items: Sequence[T], view: Callable[[T], V]) -> tuple[list[V], dict[str, str]]:
        """The asked-for page of items as seen by `view`, and the Link header."""
        size = min(count(self.incoming.query.get("per_page"), _PER_PAGE), _MOST)
        page = count(self.incoming.query.get("page"), 1)
        last = max(1, -(-len(items) // size))
        links = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
        shown = {
            name: number
            for name, number in links.items()
            if (number < page if name in ("prev", "first") else page < number <= last)
            and number > 0
        }
        header = ", ".join(f'<{self._page_url(n, size)}>; rel="{r}"' for r, n in shown.items())
        chosen = items[(page - 1) * size : page * size]
        return [view(one) for one in chosen], {"Link": header} if header else {}

    def listed(self, items: Sequence[T], view: Callable[[T], Json]) -> Answer:
        """A page as an answer."""
        data, headers = self.page(items, view)
        return Answer(200, data, headers)

    def _page_url(self, page: int, size: int) -> str:
        query = dict(self.incoming.query) | {"page": str(page), "per_page": str(size)}
        return f"{self.hub.api_url}{self.incoming.path}?{urlencode(query)}"


Handler = Callable[[Call], Answer]


@dataclass(frozen=True)
class Route:
    """`template` is GitHub's own; `need` says what the caller must hold (see `guard`)."""

    method: str
    template: str
    need: str
    role: str
    handler: Handler
    pattern: re.Pattern[str]

    @property
    def operation(self) -> str:
        """As in GitHub's OpenAPI description."""
        return f"{self.method} {self.template}"


class Routes:
    """A table of routes, filled by decorators."""

    def __init__(self) -> None:
        self.table: list[Route] = []

    def __call__(self, operation: str, need: str, role: str = "") -> Callable[[Handler], Handler]:
        """Register a handler for an operation ("GET /user"); `{path*}` spans slashes."""
        method, template = operation.split(" ")

        def keep(handler: Handler) -> Handler:
            plain = template.replace("*}", "}")
            self.table.append(Route(method, plain, need, role, handler, _compiled(template)))
            return handler

        return keep


def match(tables: Iterable[Route], method: str, path: str) -> tuple[Route, dict[str, str]]:
    """The route of a request and its parameters, decoded. Raises NotThere."""
    for route in tables:
        if route.method == method and (found := route.pattern.fullmatch(path)):
            return route, {name: unquote(value) for name, value in found.groupdict().items()}
    raise NotThere


def _compiled(template: str) -> re.Pattern[str]:
    one = re.sub(r"\{(\w+)\*\}", r"(?P<\1>.+)", template)
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", one))


def count(text: str | None, default: int) -> int:
    """A positive number of a query, or the default."""
    return int(text) if text is not None and text.isdecimal() and int(text) > 0 else default
