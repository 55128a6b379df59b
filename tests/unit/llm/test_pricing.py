"""What calls cost: hand-computed, and held against the shipped table's own figures."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import genai_prices
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import LLMMisconfigured
from pipeline.llm.base import Usage
from pipeline.llm.pricing import OwnPrice, Prices, Rates, price_source, read_prices
from pipeline.llm.vendors import Vendor, default_model

SHIPPED = Prices()
cost = SHIPPED.cost

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


# By hand, per million, from the vendors' tiers: a request past the threshold pays more for all of
# it. The thresholds: 272,000 read for sol, 200,000 for pro, 100,000 for haiku.
@pytest.mark.parametrize(
    ("provider", "model", "usage", "expected"),
    [
        ("openai", "gpt-6.1-sol", Usage(272_000, 0, 0, 1000), "0.554"),  # 272k at 2, 1k at 10
        ("openai", "gpt-6.1-sol", Usage(300_000, 250_000, 0, 1000), "0.265"),  # 50k 4, 250k .2, 15
        ("openai", "gpt-6.1-sol", Usage(10_000, 0, 10_000, 0), "0.025"),  # all written at 2.5
        ("google", "gemini-3.1-pro-preview", Usage(100_000, 0, 0, 1000), "0.212"),
        ("google", "gemini-3.1-pro-preview", Usage(300_000, 250_000, 0, 1000), "0.318"),
        ("anthropic", "claude-haiku-5-5", Usage(100_000, 0, 0, 1000), "0.0105"),
        ("anthropic", "claude-haiku-5-5", Usage(200_000, 150_000, 0, 1000), "0.035"),
        ("anthropic", "claude-sonnet-5-5", Usage(900_000, 800_000, 50_000, 2000), "0.325"),
    ],
)
def test_long_requests_and_cache_writes_by_hand(
    provider: str, model: str, usage: Usage, expected: str
) -> None:
    assert cost(provider, model, usage) == Decimal(expected)


@given(
    st.sampled_from(
        [
            ("openai", "gpt-6-astra"),
            ("anthropic", "claude-opus-5-5"),
            ("google", "gemini-3.8-flash"),
        ]
    ),
    st.integers(0, 600_000),
    st.integers(0, 600_000),
    st.integers(0, 600_000),
    st.integers(0, 64_000),
)
def test_our_price_is_the_shipped_tables_own_and_no_call_costs_more_than_its_ceiling(
    asked: tuple[str, str], fresh: int, cached: int, written: int, out: int
) -> None:
    usage = Usage(fresh + cached + written, cached, written, out)
    theirs = genai_prices.calc_price(
        genai_prices.Usage(
            input_tokens=usage.input_tokens,
            cache_read_tokens=cached,
            cache_write_tokens=written,
            output_tokens=out,
        ),
        asked[1],
        provider_id=asked[0],
    ).total_price
    ours = cost(*asked, usage)
    most = SHIPPED.ceiling(*asked, input_tokens=usage.input_tokens, output_tokens=out)
    assert ours == theirs
    assert most is not None
    assert ours <= most


def test_a_model_that_the_table_lists_without_a_price_is_unknown() -> None:
    assert genai_prices.calc_price(
        genai_prices.Usage(input_tokens=10), "gemma-4-31b-it", provider_id="google"
    ).total_price == Decimal(0)
    assert cost("google", "gemma-4-31b-it", READ_MOSTLY) is None
    assert SHIPPED.quote("google", "gemma-4-31b-it") is None


def test_counts_that_do_not_fit_together_are_priced_as_far_as_they_do() -> None:
    assert cost("openai", "gpt-6.1-sol", Usage(10, cached_tokens=99)) == Decimal("0.000001")
    assert cost("openai", "gpt-6.1-sol", Usage(10, 6, 99)) == Decimal("0.0000106")


MINE: dict[str, Any] = {
    "input": 1.25,
    "cached": "0.125",
    "output": 10,
    "checked": "2026-11-22",
    "long": {"above": 200_000, "input": 2.5, "output": 15},
}


def test_a_price_of_ones_own_goes_before_the_table() -> None:
    prices = Prices(read_prices({"openai:my-model": MINE, "openai:gpt-6.1-sol": MINE}, "m.toml"))
    # By hand: 1,000 fresh at 1.25, 9,000 cached at 0.125, 500 out at 10.
    assert prices.cost("openai", "my-model", READ_MOSTLY) == Decimal("0.007375")
    assert prices.cost("openai", "gpt-6.1-sol", READ_MOSTLY) == Decimal("0.007375")
    # Longer: 300,000 at 2.5, of which nothing is cheaper, 1,000 out at 15.
    assert prices.cost("openai", "my-model", Usage(300_000, 0, 0, 1000)) == Decimal("0.765")
    assert prices.cost("anthropic", "my-model", READ_MOSTLY) is None
    quote = prices.quote("openai", "my-model")
    assert quote is not None
    assert (quote.source, quote.long_above) == ("your own, checked 2026-11-22", 200_000)


def test_cached_and_written_input_costs_as_fresh_where_nothing_else_is_said() -> None:
    (price,) = read_prices(
        {"a:b": {"input": 1, "output": 2, "checked": date(2026, 1, 2)}}, "x"
    ).values()
    one, two = Decimal(1), Decimal(2)
    assert price == OwnPrice(Rates(one, one, one, two), date(2026, 1, 2))


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ([], r'write \[prices\."openai:my-model"\]'),
        ({"input": 1, "checked": "2026-11-22"}, "input and output are needed"),
        ({"input": 1, "output": 2}, "checked must be the day"),
        ({"input": -1, "output": 2, "checked": "2026-11-22"}, "input must be US dollars"),
        ({"input": True, "output": 2, "checked": "2026-11-22"}, "input must be US dollars"),
        ({"input": "nan", "output": 2, "checked": "2026-11-22"}, "input must be US dollars"),
        ({**MINE, "inptu": 1}, "inptu is not known"),
        ({**MINE, "long": {"input": 1, "output": 2}}, "long needs above"),
        ({**MINE, "checked": "yesterday"}, "checked must be the day"),
    ],
)
def test_a_price_that_cannot_be_read_is_refused_with_its_place(entry: object, said: str) -> None:
    with pytest.raises(LLMMisconfigured, match=said) as caught:
        read_prices({"a:b": entry}, "models.toml")
    assert "models.toml: prices of a:b" in str(caught.value)


def test_the_quote_for_people_is_the_tables() -> None:
    quote = SHIPPED.quote("openai", "gpt-6.1-sol")
    assert quote is not None
    assert quote.rates == Rates(Decimal(2), Decimal("0.1"), Decimal("2.5"), Decimal(10))
    assert (quote.source, quote.long_above) == (price_source(), 272_000)
