"""`POST /webhooks/github`: size, signature, one transaction, 202. Nobody outside is asked."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus

from starlette.types import Receive, Scope, Send

from bot.domain.store import Delivery, Order, Receipt, StoreUnavailable
from bot.entrypoints.http.answers import Json, Refused, answered, body_of, header
from bot.entrypoints.http.inbox import Inbox

LARGEST = 26 * 1024 * 1024
"""GitHub delivers at most 25 MB."""
_HELD = 3 * LARGEST
_SMALL = 256 * 1024
_SIGNATURE_CHARS = len("sha256=") + 64
_NAME_CHARS = 100
_DIGITS = 12
_log = logging.getLogger(__name__)

Verify = Callable[[Sequence[bytes], bytes, str], bool]
Read = Callable[[str, str, bytes], tuple[Delivery, Order]]


@dataclass(frozen=True, slots=True)
class Lock:
    """How deliveries are told genuine, and read. `secrets`: the present one and the previous."""

    secrets: Sequence[bytes]
    verify: Verify
    read: Read


class GitHubDoor:
    """An ASGI application. `lock` gives None while the App is not set up."""

    def __init__(self, inbox: Inbox, lock: Callable[[], Lock | None]) -> None:
        self._inbox = inbox
        self._lock = lock
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one delivery."""
        answer = await answered(self._take, scope, receive)
        await answer(scope, receive, send)

    async def _take(self, scope: Scope, receive: Receive) -> Json:
        if scope["method"] != "POST":
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "deliveries are posted")
        lock = self._lock()
        if lock is None:
            raise StoreUnavailable("the GitHub App is not set up yet")
        signature = header(scope, b"x-hub-signature-256")
        if len(signature) != _SIGNATURE_CHARS:
            raise Refused(HTTPStatus.UNAUTHORIZED, "no X-Hub-Signature-256 of SHA-256")
        event = header(scope, b"x-github-event")[:_NAME_CHARS]
        guid = header(scope, b"x-github-delivery")[:_NAME_CHARS]
        if not event or not guid:
            raise Refused(HTTPStatus.BAD_REQUEST, "X-GitHub-Event and X-GitHub-Delivery are needed")
        with self._room(_size(scope)):
            body = await body_of(scope, receive, LARGEST)
            receipt = await self._receive(lock, (event, guid, signature), body)
        status = HTTPStatus.OK if event == "ping" else HTTPStatus.ACCEPTED
        return Json(status, {"outcome": receipt.outcome, "run": receipt.run_id})

    async def _receive(self, lock: Lock, said: tuple[str, str, str], body: bytes) -> Receipt:
        event, guid, signature = said
        if len(body) <= _SMALL:
            good = lock.verify(lock.secrets, body, signature)
        else:
            good = await asyncio.to_thread(lock.verify, lock.secrets, body, signature)
        if not good:
            raise Refused(HTTPStatus.UNAUTHORIZED, "the signature does not fit")
        return await self._inbox.receive(lambda: lock.read(event, guid, body))

    @contextmanager
    def _room(self, size: int) -> Iterator[None]:
        """Bounds the memory of bodies of which nobody knows yet whether they are genuine."""
        if self._held + size > _HELD:
            raise StoreUnavailable("too many large deliveries at once")
        self._held += size
        try:
            yield
        finally:
            self._held -= size


def _size(scope: Scope) -> int:
    """What the body may come to: what it says of itself, and the most where it says nothing."""
    declared = header(scope, b"content-length")
    known = declared.isascii() and declared.isdigit() and len(declared) <= _DIGITS
    return min(int(declared), LARGEST) if known else LARGEST
