"""Requests are kept short, read back whole, and compared for people."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.errors import BudgetExceeded, InvalidState, LLMError, LLMUnavailable
from pipeline.llm.asked import difference, lengthen, shorten
from pipeline.llm.base import LLMRequest, Message
from pipeline.llm.codec import request_to_json
from pipeline.llm.outcome import error_from_json, error_to_json
from pipeline.llm.scripted import ScriptError


def asked(*texts: str, system: str = "You work.") -> dict[str, Any]:
    return request_to_json(LLMRequest(system, tuple(Message.user(text) for text in texts)))


def test_a_talk_is_kept_once_and_read_back_whole() -> None:
    talk = [asked("a"), asked("a", "b"), asked("a", "c", "d"), asked("z", system="Other.")]
    before: dict[str, Any] = {}
    kept: dict[str, Any] = {}
    for request in talk:
        short = shorten(request, before)
        kept = lengthen(short, kept)
        assert kept == request
        before = request
    second = shorten(talk[1], talk[0])
    assert (second["after"], len(second["messages"]), "system" in second) == (1, 1, False)


def test_a_difference_is_a_diff_that_people_read() -> None:
    said = difference(asked("one\ntwo\nthree"), asked("one\n2\nthree"))
    assert said.startswith("--- recorded\n+++ asked now\n")
    assert "-  two\n+  2\n" in said
    assert difference(asked("a"), asked("a")) == ""


@pytest.mark.parametrize("now", ["x SECRET y SECRET", "x  y ", "x two\nlines y and more"])
def test_a_marker_stands_for_whatever_was_taken_out(now: str) -> None:
    assert difference(asked("x [redacted:k] y [redacted:k]"), asked(now)) == ""


@pytest.mark.parametrize("now", ["x SECRET z", "SECRET y SECRET", "w x SECRET y SECRET"])
def test_but_not_for_what_stands_around_it(now: str) -> None:
    assert difference(asked("x [redacted:k] y [redacted:k]"), asked(now))


@pytest.mark.parametrize(
    "error",
    [
        BudgetExceeded("money", "no more"),
        LLMUnavailable("busy", provider="openai", status=503, retry_after_s=2.5),
        LLMError("broken", provider="google"),
    ],
)
def test_an_error_comes_back_as_it_was(error: LLMError | BudgetExceeded) -> None:
    again = error_from_json(error_to_json(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def test_an_error_of_somebodys_own_comes_back_as_its_parent() -> None:
    again = error_from_json(error_to_json(ScriptError("x", "out of step")))
    assert (type(again).__name__, str(again)) == ("LLMBadRequest", "out of step")


def test_what_is_no_error_is_refused() -> None:
    with pytest.raises(InvalidState, match="not a journalled error"):
        error_from_json({"kind": "SystemExit", "message": "", "facts": {}})
