"""Small ASGI pieces: an answer, a header, and a body that is read within bounds."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.types import Receive, Scope, Send

from bot.domain.store import StoreUnavailable

READ_S = 10.0
"""How long a body may take: a forge gives up on the whole delivery after that time."""
_log = logging.getLogger(__name__)
_DRAINED = 64 * 1024 * 1024


class Refused(Exception):
    """The request is answered with `status` and a sentence."""

    def __init__(self, status: HTTPStatus, said: str) -> None:
        super().__init__(said)
        self.status = status
        self.said = said


@dataclass(frozen=True, slots=True)
class Json:
    """An ASGI application that gives one answer."""

    status: HTTPStatus
    data: Mapping[str, Any]
    headers: tuple[tuple[bytes, bytes], ...] = ()

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer."""
        body = json.dumps(self.data).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            *self.headers,
        ]
        status = self.status.value
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


Take = Callable[[Scope, Receive], Awaitable[Json]]
"""Takes one delivery in. Raises Refused, StoreUnavailable."""


async def answered(take: Take, scope: Scope, receive: Receive) -> Json:
    """What `take` answers to a delivery, or why it is not taken in.

    A 503 is told as a failure that passes: Jira tries again, and GitHub shows the delivery as
    failed, for which our sweeper asks again.
    """
    try:
        return await take(scope, receive)
    except Refused as refused:
        return Json(refused.status, {"error": refused.said})
    except StoreUnavailable as error:
        _log.error("a delivery could not be taken in: %s", error)
        said = {"error": "try again"}
        return Json(HTTPStatus.SERVICE_UNAVAILABLE, said, ((b"retry-after", b"30"),))


def header(scope: Scope, name: bytes) -> str:
    """The value of a header, "" where it is missing; `name` in lower case."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return ""


async def body_of(scope: Scope, receive: Receive, most: int) -> bytes:
    """The raw body of at most `most` bytes. Raises Refused (408, 413, or 400 where it was cut)."""
    try:
        async with asyncio.timeout(READ_S):
            return await _read(scope, receive, most)
    except TimeoutError:
        raise Refused(HTTPStatus.REQUEST_TIMEOUT, "the body took too long") from None


async def _read(scope: Scope, receive: Receive, most: int) -> bytes:
    declared = header(scope, b"content-length")
    parts: list[bytes] = []
    size = 0
    fits = not (declared.isascii() and declared.isdigit()) or int(declared[:20]) <= most
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(HTTPStatus.BAD_REQUEST, "the body was cut off")
        part = message.get("body", b"")
        size += len(part)
        fits = fits and size <= most
        if fits:
            parts.append(part)
        else:
            # What is too large is read on and dropped, so that the sender hears our answer.
            parts.clear()
        if not message.get("more_body", False) or size > _DRAINED:
            break
    if not fits:
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is over {most} bytes")
    return b"".join(parts)
