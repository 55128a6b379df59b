"""The REST door: from a request to an answer, with limits, rights, faults and a record."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections import deque
from dataclasses import dataclass
from threading import Event
from typing import Any

from bot.emulators.github import (
    graphql,
    guard,
    manifest,
    rest_apps,
    rest_checks,
    rest_git,
    rest_issues,
    rest_pulls,
    rest_repositories,
)
from bot.emulators.github.faults import Fault, Faults
from bot.emulators.github.hub import Hub
from bot.emulators.github.limits import Limits
from bot.emulators.github.model import Repository
from bot.emulators.github.process import GitError
from bot.emulators.github.wire import Answer, Call, Caller, Incoming, Route, match
from bot.emulators.github.world import NotThere, Problem

DOCS = "https://docs.github.com/rest"
SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
)
_BY_ID = re.compile(r"/repositories/(\d+)(/.*)?")
_REMEMBERED = 5000


@dataclass(frozen=True)
class Exchange:
    """A request of the REST API and its answer. `operation` is "" where no route fitted."""

    operation: str
    incoming: Incoming
    status: int
    headers: dict[str, str]
    data: Any
    fault: str = ""

    @property
    def body(self) -> Any:
        """The request's JSON, or None."""
        try:
            return json.loads(self.incoming.body) if self.incoming.body.strip() else None
        except ValueError:
            return None


class Api:
    """Answers requests one at a time; `exchanges` remembers the last of them."""

    def __init__(self, hub: Hub, limits: Limits, faults: Faults) -> None:
        self._hub = hub
        self._limits = limits
        self._faults = faults
        self._stopped = Event()
        self.exchanges: deque[Exchange] = deque(maxlen=_REMEMBERED)
        self._table: list[Route] = [
            *manifest.route.table,
            *graphql.route.table,
            *rest_apps.route.table,
            *rest_issues.route.table,
            *rest_pulls.route.table,
            *rest_checks.route.table,
            *rest_git.route.table,
            *rest_repositories.route.table,
        ]

    def answer(self, incoming: Incoming) -> Answer:
        """The answer, and the record of it."""
        fault = self._faults.strike(incoming.method, incoming.path)
        with self._hub.world.lock:
            refused = None if fault is None else refusal(fault, self._hub.world.clock.now())
            operation, answer = ("", refused) if refused else self._serve(incoming)
        answer = fault_after(fault, answer, self._stopped)
        answer.headers = {
            "X-GitHub-Request-Id": uuid.uuid4().hex.upper()[:24],
            "X-GitHub-Media-Type": "github.v3; format=json",
            "Content-Type": "application/json; charset=utf-8",
        } | answer.headers
        self.exchanges.append(
            Exchange(
                operation,
                incoming,
                answer.status,
                dict(answer.headers),
                answer.data,
                fault.kind if fault else "",
            )
        )
        return answer

    def close(self) -> None:
        """Let slow answers go at once."""
        self._stopped.set()

    def _serve(self, incoming: Incoming) -> tuple[str, Answer]:
        operation, who = "", "nobody"
        try:
            caller = _identified(self._hub, incoming)
            who = _key(caller)
            if incoming.path == "/rate_limit":
                return "GET /rate_limit", Answer(200, self._limits.overview(who))
            self._limits.spend(who)
            route, call, moved = self._route(incoming, caller)
            operation = route.operation
            if moved is not None:
                return operation, moved
            guard.authorise(call, route)
            answer = _conditional(incoming, route.handler(call))
            if ":" in route.need:
                need = route.need.replace(":", "=").replace("|", "; ")
                answer.headers["X-Accepted-GitHub-Permissions"] = need
        except Problem as problem:
            answer = said(problem)
        except GitError as error:
            answer = said(Problem(422, f"GitRPC::CommandFailed: {error}"))
        answer.headers = self._limits.headers(who) | answer.headers
        return operation, answer

    def _route(self, incoming: Incoming, caller: Caller) -> tuple[Route, Call, Answer | None]:
        path = incoming.path.rstrip("/")
        world = self._hub.world
        if by_id := _BY_ID.fullmatch(path):
            found = world.repositories.get(int(by_id[1]))
            if found is None:
                raise NotThere
            path = f"/repos/{world.full_name(found)}{by_id[2] or ''}"
        route, params = match(self._table, incoming.method, path)
        call = Call(self._hub, incoming, params, caller)
        if "repo" not in params:
            return route, call, None
        full_name = f"{params['owner']}/{params['repo']}"
        try:
            call.found = world.repository(full_name)
        except NotThere:
            return route, call, self._moved(incoming, full_name)
        return route, call, None

    def _moved(self, incoming: Incoming, full_name: str) -> Answer:
        found: Repository | None = self._hub.world.moved(full_name)
        if found is None:
            raise NotThere
        rest = incoming.path.split("/", 4)[4:]
        url = "/".join([f"{self._hub.api_url}/repositories/{found.id}", *rest])
        data = {"message": "Moved Permanently", "url": url, "documentation_url": DOCS}
        return Answer(301, data, {"Location": url})


def said(problem: Problem) -> Answer:
    """A problem as an answer."""
    data: dict[str, Any] = {"message": problem.message}
    if problem.errors is not None:
        data["errors"] = problem.errors
    return Answer(problem.status, data | {"documentation_url": DOCS, "status": str(problem.status)})


def refusal(fault: Fault, now: float) -> Answer | None:
    """What a fault answers in place of doing anything; None if it lets the request through."""
    wait = str(int(fault.seconds))
    if fault.kind == "502-before":
        return Answer(502, {"message": "Server Error"})
    if fault.kind == "forbidden":
        said_so = "Resource not accessible by integration"
        return Answer(403, {"message": said_so, "documentation_url": DOCS})
    if fault.kind in ("429", "429-retry-after"):
        headers = {"Retry-After": wait} if fault.kind == "429-retry-after" else {}
        return Answer(429, {"message": SECONDARY, "documentation_url": DOCS}, headers)
    if fault.kind == "secondary":
        return Answer(403, {"message": SECONDARY, "documentation_url": DOCS}, {"Retry-After": wait})
    if fault.kind == "primary":
        reset = str(int(now + fault.seconds))
        headers = {
            "X-RateLimit-Limit": "5000",
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Used": "5000",
            "X-RateLimit-Reset": reset,
            "X-RateLimit-Resource": "core",
        }
        text = "API rate limit exceeded for installation."
        return Answer(403, {"message": text, "documentation_url": DOCS}, headers)
    return None


def fault_after(fault: Fault | None, answer: Answer, stopped: Event) -> Answer:
    """What a fault makes of an answer."""
    if fault is not None and fault.kind == "slow":
        stopped.wait(fault.seconds)
    if fault is not None and fault.kind == "502-after":
        return Answer(502, {"message": "Server Error"})
    return answer


def _identified(hub: Hub, incoming: Incoming) -> Caller:
    if "user-agent" not in incoming.headers:
        raise Problem(
            403,
            "Request forbidden by administrative rules. Please make sure your request has a "
            "User-Agent header.",
        )
    caller = guard.identify(hub.world, incoming.headers)
    stranger = caller.app is None and caller.token is None
    if stranger and hub.world.private_mode and incoming.method == "GET":
        raise Problem(401, "Must authenticate to access this API.")
    return caller


def _key(caller: Caller) -> str:
    if caller.app is not None:
        return f"app ID {caller.app.id}"
    if caller.token is None:
        return "127.0.0.1"
    if caller.token.installation_id is not None:
        return f"installation ID {caller.token.installation_id}"
    return f"user ID {caller.token.account_id}"


def _conditional(incoming: Incoming, answer: Answer) -> Answer:
    if incoming.method != "GET" or answer.status != 200:  # noqa: PLR2004
        return answer
    etag = f'"{hashlib.sha256(answer.payload()).hexdigest()}"'
    answer.headers["ETag"] = etag
    if incoming.headers.get("if-none-match", "").removeprefix("W/") == etag:
        return Answer(304, None, answer.headers)
    return answer
