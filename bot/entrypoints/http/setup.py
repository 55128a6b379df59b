"""`/setup`: makes the GitHub App in the browser, while there is none, for who has the token."""

from __future__ import annotations

import hmac
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.entrypoints.http.setup_pages import door_page, made_page, refusal_page
from bot.errors import BotError

COOKIE = "acp_setup"
_GOOD_FOR_S = 3600.0
_MOST_STATES = 50


@dataclass(frozen=True, slots=True)
class Making:
    """What making an App takes.

    `open` is True while none is configured. `manifest(name)` fills in the addresses;
    `form(state, organization)` is GitHub's address for the form; `finish(code)` exchanges the code,
    keeps the credentials and returns the App's page.
    """

    open: Callable[[], bool]
    manifest: Callable[[str], Mapping[str, Any]]
    form: Callable[[str, str], str]
    finish: Callable[[str], Awaitable[str]]


class Setup:
    """The two pages. `token` opens the first, once; after that a cookie does, in that browser."""

    def __init__(
        self, making: Making, token: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._making = making
        self._token = token
        self._session = ""
        self._states: dict[str, float] = {}
        self._clock = clock

    async def start(self, request: Request) -> Response:
        """`GET /setup`: the form that goes to GitHub."""
        if not self._making.open():
            return _refused(HTTPStatus.NOT_FOUND, "The GitHub App is set up already.")
        if "token" in request.query_params:
            return self._let_in(request)
        if not self._known(request):
            return _refused(
                HTTPStatus.FORBIDDEN,
                "Open the link that acp printed when it started. It works once; a restart "
                "prints a new one.",
            )
        organization = request.query_params.get("organization", "").strip()[:100]
        name = request.query_params.get("name", "").strip()[:34]
        name = name or f"acp-{secrets.token_hex(2)}"
        action = self._making.form(self._new_state(), organization)
        manifest = json.dumps(self._making.manifest(name))
        return HTMLResponse(*door_page(action, manifest, name, organization))

    async def callback(self, request: Request) -> Response:
        """`GET /setup/callback`: GitHub sends the browser back here, with a code."""
        if not self._making.open():
            return _refused(HTTPStatus.NOT_FOUND, "The GitHub App is set up already.")
        if not self._known(request) or not self._was_ours(request.query_params.get("state", "")):
            return _refused(
                HTTPStatus.FORBIDDEN, "This answer was not asked for here. Start at /setup again."
            )
        try:
            html_url = await self._making.finish(request.query_params.get("code", "")[:200])
        except BotError as error:
            return _refused(HTTPStatus.BAD_GATEWAY, f"{error}.")
        self._session = ""
        return HTMLResponse(*made_page(html_url))

    def _let_in(self, request: Request) -> Response:
        given = request.query_params["token"].encode()
        if not self._token or not hmac.compare_digest(given, self._token.encode()):
            return _refused(
                HTTPStatus.FORBIDDEN, "This link is used up or wrong. A restart prints a new one."
            )
        self._token, self._session = "", secrets.token_urlsafe(32)
        answer = RedirectResponse("/setup", HTTPStatus.SEE_OTHER)
        answer.set_cookie(
            COOKIE,
            self._session,
            max_age=int(_GOOD_FOR_S),
            path="/setup",
            httponly=True,
            samesite="lax",  # GitHub's redirect must bring it along
            secure=request.url.scheme == "https",
        )
        return answer

    def _known(self, request: Request) -> bool:
        given = request.cookies.get(COOKIE, "")
        return bool(self._session) and hmac.compare_digest(given.encode(), self._session.encode())

    def _new_state(self) -> str:
        now = self._clock()
        live = {state: end for state, end in self._states.items() if end > now}
        self._states = dict(list(live.items())[-_MOST_STATES:])
        state = secrets.token_urlsafe(24)
        self._states[state] = now + _GOOD_FOR_S
        return state

    def _was_ours(self, state: str) -> bool:
        return self._states.pop(state, 0.0) > self._clock()


def _refused(status: HTTPStatus, said: str) -> Response:
    page, _, headers = refusal_page(said)
    return HTMLResponse(page, status, headers)
