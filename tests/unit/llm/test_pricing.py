from __future__ import annotations

from decimal import Decimal

import pytest

from pipeline.llm.base import Usage
from pipeline.llm.pricing import cost, price_source
from pipeline.llm.vendors import Vendor, default_model

# By hand, per million: 1,000 fresh at 2.00, 9,000 cached at 0.10, 500 out at 10.00.
READ_MOSTLY = Usage(input_tokens=10_000, cached_tokens=9_000, output_tokens=500)


@pytest.mark.parametrize(
    ("provider", "model", "expected"),
    [
        ("openai", "gpt-6.1-sol", "0.0079"),
        ("anthropic", "claude-sonnet-5-5", "0.0079"),
        ("google", "gemini-3.8-flash", "0.0033"),
    ],
)
def test_cached_tokens_are_priced_as_cached(provider: str, model: str, expected: str) -> None:
    assert cost(provider, model, READ_MOSTLY) == Decimal(expected)


def test_reasoning_is_not_charged_twice() -> None:
    plain = cost("openai", "gpt-6.1-sol", Usage(output_tokens=500))
    thought = cost("openai", "gpt-6.1-sol", Usage(output_tokens=500, reasoning_tokens=400))
    assert plain == thought


def test_cache_writes_cost_more_than_reads() -> None:
    written = cost(
        "anthropic", "claude-sonnet-5-5", Usage(input_tokens=1000, cache_write_tokens=1000)
    )
    assert written == Decimal("0.0025")


@pytest.mark.parametrize(
    ("provider", "model"),
    [("openai", "gpt-99-nova"), ("scripted", "scripted"), ("of-my-own", "gpt-6.1-sol")],
)
def test_an_unknown_model_has_no_price_rather_than_none(provider: str, model: str) -> None:
    assert cost(provider, model, READ_MOSTLY) is None


@pytest.mark.parametrize("vendor", list(Vendor))
def test_the_shipped_defaults_have_a_price(vendor: str) -> None:
    assert cost(vendor, default_model(vendor), READ_MOSTLY)


def test_the_table_is_named() -> None:
    assert price_source().startswith("genai-prices ")
