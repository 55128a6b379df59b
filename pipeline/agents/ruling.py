"""A reviewer's ruling where test and change keep disagreeing: which of them contradicts the task.

Only words that stand in the task count, and that is checked by code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from pipeline.state import Ruling
from pipeline.verification.kinds import unquoted

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "against": {"type": "string", "enum": ["change", "test"]},
        "quote": {"type": "string"},
        "why": {"type": "string"},
    },
    "required": ["against", "quote", "why"],
    "additionalProperties": False,
}
_CHARS = 1000


def read_ruling(text: str, task: str, by: str) -> Ruling:
    """Read the answer. Never raises: an invalid ruling has a `problem`, and the test stands."""
    try:
        raw = json.loads(text)
        against, quote, why = raw["against"], str(raw["quote"]), str(raw["why"])
    except (ValueError, KeyError, TypeError) as error:
        return _ruling(by, "change", "", "", f"the ruling could not be read: {error!r}")
    if against not in ("change", "test"):
        return _ruling(by, "change", quote, why, f"the ruling is against {against!r}")
    return _ruling(by, against, quote, why, unquoted(quote, task))


def no_ruling(by: str, problem: str) -> Ruling:
    """What stands for a ruling that was not given: the test stands."""
    return _ruling(by, "change", "", "", problem)


def render(ruling: Ruling) -> str:
    """For people, and for the author of the change."""
    if ruling["problem"]:
        return f"{ruling['by']} has not ruled: {ruling['problem']}"
    return (
        f"{ruling['by']}: the {ruling['against']} contradicts the task, which says: "
        f'"{ruling["quote"]}"\n{ruling["why"]}'
    )


def _ruling(
    by: str, against: Literal["change", "test"], quote: str, why: str, problem: str
) -> Ruling:
    return Ruling(
        by=by, against=against, quote=quote[:_CHARS], why=why[:_CHARS], problem=problem[:_CHARS]
    )
