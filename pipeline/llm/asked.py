"""Requests in the journal: kept short, read back whole, and compared for people."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.redaction import around_marks, marked

Json = Mapping[str, Any]
_DIFF_LINES = 400
_LINE_CHARS = 500


def shorten(asked: Json, before: Json) -> dict[str, Any]:
    """Of a request only what is new since the one before: a talk is kept once, not once a turn."""
    short = {k: v for k, v in asked.items() if k not in before or before[k] != v}
    old, new = before.get("messages", []), asked["messages"]
    same = 0
    while same < min(len(old), len(new)) and old[same] == new[same]:
        same += 1
    return {**short, "messages": new[same:], "after": same}


def lengthen(short: Json, before: Json) -> dict[str, Any]:
    """The whole request again."""
    kept = list(before.get("messages", []))[: short.get("after", 0)]
    new = {key: value for key, value in short.items() if key != "after"}
    return {**before, **new, "messages": [*kept, *short.get("messages", [])]}


def difference(recorded: Json, asked: Json) -> str:
    """A unified diff of two requests, "" where they are the same.

    A marker of the recorded request stands for whatever was taken out there: whoever replays a run
    does not have its secrets.
    """
    old, new = _lines(recorded), _lines(asked)
    if old == new or _fits("\n".join(old), "\n".join(new)):
        return ""
    found = list(difflib.unified_diff(old, new, "recorded", "asked now", lineterm=""))
    left = len(found) - _DIFF_LINES
    more = [f"... {left} more lines"] if left > 0 else []
    return "\n".join([line[:_LINE_CHARS] for line in found[:_DIFF_LINES]] + more)


def _fits(recorded: str, asked: str) -> bool:
    """Whether the text is the recorded one with something in the place of each marker."""
    if not marked(recorded):
        return False
    first, *rest = around_marks(recorded)
    if not asked.startswith(first):
        return False
    at = len(first)
    for piece in rest[:-1]:
        found = asked.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return len(asked) - len(rest[-1]) >= at and asked.endswith(rest[-1])


def _lines(asked: Json) -> list[str]:
    """The request as people read it: the text of each part line by line."""
    lines = [f"system: {line}" for line in asked.get("system", "").split("\n")]
    lines += [
        f"tool: {json.dumps(tool, sort_keys=True, ensure_ascii=False)}"
        for tool in asked.get("tools", ())
    ]
    lines.append(f"output: {json.dumps(asked.get('output'), sort_keys=True, ensure_ascii=False)}")
    for message in asked.get("messages", ()):
        lines += _message(message["role"], message["parts"])
    return lines


def _message(role: str, parts: Sequence[Json]) -> list[str]:
    lines = []
    for part in parts:
        text = part.get("text") or part.get("content")
        if not isinstance(text, str):
            text = ""
        facts = {key: value for key, value in part.items() if value != text or not text}
        lines.append(f"{role}: {json.dumps(facts, sort_keys=True, ensure_ascii=False)}")
        lines += [f"  {line}" for line in text.split("\n")] if text else []
    return lines
