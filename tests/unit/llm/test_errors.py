from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import openai
import pytest

from pipeline.errors import LLMError, LLMMisconfigured, LLMRefused, LLMUnavailable
from pipeline.llm.errors import from_code, translate

URL = httpx2.Request("POST", "http://localhost")


def limited(**headers: str) -> Exception:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    response = httpx2.Response(429, headers=names, request=URL)
    return openai.RateLimitError("x", response=response, body=None)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "3"}, 3),
        ({"retry_after": "0.5"}, 0.5),
        ({"retry_after_ms": "250", "retry_after": "9"}, 0.25),
        (
            {
                "retry_after": "Sun, 22 Nov 2026 10:00:30 GMT",
                "date": "Sun, 22 Nov 2026 10:00:00 GMT",
            },
            30,
        ),
        ({"retry_after": "Sun, 22 Nov 2026 10:00:30 GMT"}, 0),
        ({"retry_after": "soon"}, None),
        ({}, None),
    ],
)
def test_the_wish_to_wait_is_read_in_every_form(
    headers: dict[str, str], seconds: float | None
) -> None:
    error = translate(limited(**headers), "openai")
    assert isinstance(error, LLMUnavailable)
    assert error.retry_after_s == seconds


def test_a_date_without_the_servers_clock_is_compared_with_ours() -> None:
    in_an_hour = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    error = translate(limited(retry_after=in_an_hour), "openai")
    assert isinstance(error, LLMUnavailable)
    assert error.retry_after_s is not None
    assert 3500 < error.retry_after_s <= 3600


def test_identifiers_are_shown_and_prose_is_not() -> None:
    body = {"message": "key sk-secret", "type": "invalid_request_error", "param": "tools[0].name"}
    response = httpx2.Response(400, request=URL)
    error = translate(openai.BadRequestError("sk-secret", response=response, body=body), "openai")
    assert str(error) == (
        "openai: HTTP 400 (invalid_request_error, tools[0].name): the request was refused"
    )


def test_a_code_that_is_prose_is_not_shown() -> None:
    error = from_code("your key sk-secret is bad", "openai")
    assert "secret" not in str(error)


@pytest.mark.parametrize(
    ("code", "leaf"),
    [
        ("server_error", LLMUnavailable),
        ("rate_limit_exceeded", LLMUnavailable),
        ("invalid_prompt", LLMRefused),
        ("authentication_error", LLMMisconfigured),
    ],
)
def test_failures_inside_a_200_have_their_leaf(code: str, leaf: type[LLMError]) -> None:
    assert type(from_code(code, "openai")) is leaf


def test_an_address_without_a_scheme_is_a_setting() -> None:
    assert isinstance(translate(httpx2.UnsupportedProtocol("x"), "google"), LLMMisconfigured)
