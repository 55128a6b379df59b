"""What a call cost, by the price table of genai-prices."""

from __future__ import annotations

from decimal import Decimal

from pipeline.llm.base import Usage


def cost(provider: str, model: str, usage: Usage) -> Decimal | None:
    """US dollars for that usage; None where the table does not know the model.

    Never 0 for an unknown model: a budget would take it for free.
    """
    import genai_prices

    try:
        priced = genai_prices.calc_price(
            genai_prices.Usage(
                input_tokens=usage.input_tokens,
                cache_read_tokens=usage.cached_tokens,
                cache_write_tokens=usage.cache_write_tokens,
                output_tokens=usage.output_tokens,
            ),
            model,
            provider_id=provider,
        )
    except LookupError:
        return None
    return Decimal(priced.total_price)


def price_source() -> str:
    """Which table the prices come from; it carries no date, its version stands for one."""
    from importlib.metadata import version

    return f"genai-prices {version('genai-prices')}"
