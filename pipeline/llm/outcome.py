"""What came of a model call, as the journal keeps it: a reply, or the error in its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.errors import BudgetExceeded, InvalidState, LLMError

Ended = LLMError | BudgetExceeded
_PLAIN = (str, int, float, bool, type(None))


def error_to_json(error: Ended) -> dict[str, Any]:
    """The error's kind, message and facts."""
    facts = {name: value for name, value in vars(error).items() if isinstance(value, _PLAIN)}
    return {"kind": _known_name(type(error)), "message": str(error), "facts": facts}


def error_from_json(raw: Mapping[str, Any]) -> Ended:
    """An error of the same kind and message. Raises InvalidState where it is not one of ours."""
    known: list[type[Ended]] = [BudgetExceeded, *_family(LLMError)]
    try:
        kind = {one.__name__: one for one in known}[raw["kind"]]
        # Past the constructors, which differ: message and facts are all that an error is.
        error: Ended = kind.__new__(kind, raw["message"])
        vars(error).update(raw["facts"])
    except (KeyError, TypeError) as wrong:
        raise InvalidState(f"not a journalled error: {wrong!r}") from wrong
    return error


def _family(kind: type[LLMError]) -> list[type[LLMError]]:
    found = [kind]
    for child in kind.__subclasses__():
        found += _family(child)
    return [one for one in found if one.__module__ == LLMError.__module__]


def _known_name(kind: type[Ended]) -> str:
    """The nearest kind of the drawn tree: an error of somebody's own stands for its parent."""
    parents = [one for one in kind.__mro__ if one.__module__ == LLMError.__module__]
    return parents[0].__name__
