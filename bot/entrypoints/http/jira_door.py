"""`POST /webhooks/jira`: size, token or signature, one transaction, 202; nobody else is asked."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from starlette.types import Receive, Scope, Send

from bot.domain.store import Delivery, Order, Receipt, StoreUnavailable
from bot.entrypoints.http.answers import Json, Refused, answered, body_of, header
from bot.entrypoints.http.inbox import Inbox

LARGEST = 5 * 1024 * 1024
"""A ticket's text has at most some tens of thousands of characters."""
_AT_ONCE = 8
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class JiraLock:
    """How deliveries are told genuine, and read.

    `read` takes the body, Jira's identifier, the time, and whether the body is signed.
    """

    has_token: Callable[[str], bool]
    has_signature: Callable[[bytes, str], bool]
    read: Callable[[bytes, str, float, bool], tuple[Delivery, Order]]


class JiraDoor:
    """An ASGI application. `lock` is None where Jira is not set up: then there is nothing here."""

    def __init__(self, inbox: Inbox, lock: JiraLock | None) -> None:
        self._inbox = inbox
        self._lock = lock
        self._unknown = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one delivery."""
        answer = await answered(self._take, scope, receive)
        await answer(scope, receive, send)

    async def _take(self, scope: Scope, receive: Receive) -> Json:
        if self._lock is None:
            raise Refused(HTTPStatus.NOT_FOUND, "Jira is not set up")
        if scope["method"] != "POST":
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "deliveries are posted")
        known = self._lock.has_token(header(scope, b"x-acp-token"))
        signature = header(scope, b"x-hub-signature")
        if not known and not signature:
            raise Refused(HTTPStatus.UNAUTHORIZED, "no X-ACP-Token or X-Hub-Signature that fits")
        receipt = await self._receive(self._lock, scope, receive, signature)
        return Json(HTTPStatus.ACCEPTED, {"outcome": receipt.outcome})

    async def _receive(
        self, lock: JiraLock, scope: Scope, receive: Receive, signature: str
    ) -> Receipt:
        # Bounds the memory of bodies of which nobody knows yet whether they are genuine.
        if self._unknown >= _AT_ONCE:
            raise StoreUnavailable("too many deliveries at once")
        self._unknown += 1
        try:
            body = await body_of(scope, receive, LARGEST)
            signed = bool(signature) and lock.has_signature(body, signature)
        finally:
            self._unknown -= 1
        if signature and not signed:
            raise Refused(HTTPStatus.UNAUTHORIZED, "the signature does not fit")
        identifier = header(scope, b"x-atlassian-webhook-identifier")
        return await self._inbox.receive(lambda: lock.read(body, identifier, time.time(), signed))
