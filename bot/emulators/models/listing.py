"""Lists of models, as each vendor writes its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from email.message import Message

from bot.emulators.models.stage import Json, Refusal

_LIST = re.compile(r"/v1(beta)?/models")
_SINCE = "2026-11-22T00:00:00Z"


def answer(path: str, headers: Message, ids: Sequence[str]) -> Json:
    """The list at that path. Raises `Refusal` where none is served."""
    if not _LIST.fullmatch(path.partition("?")[0]):
        raise Refusal(404, "not_found", "no wire is spoken on this path")
    return _writer(headers)(ids)


def _writer(headers: Message) -> Callable[[Sequence[str]], Json]:
    """Two vendors list under one path: their headers tell them apart."""
    if headers.get("x-goog-api-key"):
        return _google
    return _anthropic if headers.get("anthropic-version") else _openai


def _openai(ids: Sequence[str]) -> Json:
    data = [{"id": name, "object": "model", "created": 0, "owned_by": "emulated"} for name in ids]
    return {"object": "list", "data": data}


def _anthropic(ids: Sequence[str]) -> Json:
    data = [
        {"id": name, "type": "model", "display_name": name, "created_at": _SINCE} for name in ids
    ]
    return {"data": data, "has_more": False, "first_id": None, "last_id": None}


def _google(ids: Sequence[str]) -> Json:
    return {"models": [{"name": f"models/{name}", "displayName": name} for name in ids]}
