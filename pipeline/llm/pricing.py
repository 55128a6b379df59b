"""What a call costs: by prices of the operator's own, else by the table of genai-prices.

A price that neither knows is None, never 0: a budget would take it for free.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from pipeline.errors import LLMMisconfigured
from pipeline.usage import Usage

_MILLION = 1_000_000
_RATES = ("input", "cached", "cache_write", "output")
_EXAMPLE = (
    '[prices."openai:my-model"] with input, output and checked = "2026-11-22" '
    "(US dollars per million tokens)"
)


@dataclass(frozen=True, slots=True)
class Rates:
    """US dollars per million tokens: fresh input, cache reads, cache writes, output."""

    input: Decimal
    cached: Decimal
    cache_write: Decimal
    output: Decimal

    def cost(self, usage: Usage) -> Decimal:
        """What the usage costs at these rates; its parts must fit into its whole."""
        fresh = usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens
        return (
            self.input * fresh
            + self.cached * usage.cached_tokens
            + self.cache_write * usage.cache_write_tokens
            + self.output * usage.output_tokens
        ) / _MILLION


@dataclass(frozen=True, slots=True)
class OwnPrice:
    """A price that the operator has read on the day `checked`.

    A request with more than `above` input tokens is charged by `long`, all of it.
    """

    rates: Rates
    checked: date
    above: int | None = None
    long: Rates | None = None

    def cost(self, usage: Usage) -> Decimal:
        """What the usage of one call costs."""
        is_long = self.above is not None and usage.input_tokens > self.above
        return (self.long if is_long and self.long else self.rates).cost(usage)


@dataclass(frozen=True, slots=True)
class Quote:
    """A price for people: its rates for short requests, whose it is, and how old.

    `long_above`: longer requests cost more.
    """

    rates: Rates
    source: str
    long_above: int | None = None


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices by "provider:model". `own` comes before the shipped table."""

    own: Mapping[str, OwnPrice] = field(default_factory=dict)

    def cost(self, provider: str, model: str, usage: Usage) -> Decimal | None:
        """US dollars for the usage of one call; None where nobody knows the price."""
        usage = _consistent(usage)
        if mine := self.own.get(f"{provider}:{model}"):
            return mine.cost(usage)
        return _listed(provider, model, usage)

    def ceiling(
        self, provider: str, model: str, *, input_tokens: int, output_tokens: int
    ) -> Decimal | None:
        """The most that a call of that size can cost: all of it fresh, or all of it written."""
        fresh = Usage(input_tokens=input_tokens, output_tokens=output_tokens)
        written = replace(fresh, cache_write_tokens=input_tokens)
        both = [self.cost(provider, model, usage) for usage in (fresh, written)]
        known = [price for price in both if price is not None]
        return max(known) if known else None

    def quote(self, provider: str, model: str) -> Quote | None:
        """The price as people read it, or None."""
        if mine := self.own.get(f"{provider}:{model}"):
            return Quote(mine.rates, f"your own, checked {mine.checked}", mine.above)
        return _quoted(provider, model)


def read_prices(table: object, where: str) -> dict[str, OwnPrice]:
    """Own prices from a parsed `prices` table. Raises LLMMisconfigured; `where` names the place."""
    if not isinstance(table, Mapping):
        raise LLMMisconfigured(f"{where}: prices must be a table such as {_EXAMPLE}")
    return {str(name): _own(entry, f"{where}: prices of {name}") for name, entry in table.items()}


def _own(entry: object, where: str) -> OwnPrice:
    if not isinstance(entry, Mapping):
        raise LLMMisconfigured(f"{where}: write {_EXAMPLE}")
    if unknown := sorted(set(entry) - {*_RATES, "checked", "long"}):
        raise LLMMisconfigured(f"{where}: {', '.join(unknown)} is not known; write {_EXAMPLE}")
    long = entry.get("long")
    if long is None:
        return OwnPrice(_rates(entry, where), _day(entry.get("checked"), where))
    above = long.get("above") if isinstance(long, Mapping) else None
    if not isinstance(above, int) or above < 1:
        raise LLMMisconfigured(f"{where}: long needs above (input tokens), input and output")
    return OwnPrice(
        _rates(entry, where), _day(entry.get("checked"), where), above, _rates(long, where)
    )


def _rates(entry: Mapping[str, Any], where: str) -> Rates:
    """The four rates; without one of their own, cached and written input cost as fresh input."""
    given = {name: _amount(entry[name], name, where) for name in _RATES if name in entry}
    if "input" not in given or "output" not in given:
        raise LLMMisconfigured(f"{where}: input and output are needed; write {_EXAMPLE}")
    fresh = given["input"]
    return Rates(
        fresh, given.get("cached", fresh), given.get("cache_write", fresh), given["output"]
    )


def _amount(value: object, name: str, where: str) -> Decimal:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal("NaN")
    if isinstance(value, bool) or not amount.is_finite() or amount < 0:
        raise LLMMisconfigured(f"{where}: {name} must be US dollars per million tokens, 0 or more")
    return amount


def _day(value: object, where: str) -> date:
    try:
        return value if isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError:
        raise LLMMisconfigured(
            f'{where}: checked must be the day of the price, such as "2026-11-22"'
        ) from None


def _consistent(usage: Usage) -> Usage:
    """The usage with parts that fit into the whole: a stranger's count may not."""
    cached = min(usage.cached_tokens, usage.input_tokens)
    written = min(usage.cache_write_tokens, usage.input_tokens - cached)
    return replace(usage, cached_tokens=cached, cache_write_tokens=written)


def _listed(provider: str, model: str, usage: Usage) -> Decimal | None:
    """By the shipped table; a model without a price there is unknown, as is one not there."""
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
    if priced.model_price.input_mtok is None or priced.model_price.output_mtok is None:
        return None
    return Decimal(priced.total_price)


def _quoted(provider: str, model: str) -> Quote | None:
    """The shipped table's rates, asked for a million tokens of each kind in small steps."""
    step = Usage(input_tokens=1)
    kinds = {
        "input": step,
        "cached": replace(step, cached_tokens=1),
        "cache_write": replace(step, cache_write_tokens=1),
        "output": Usage(output_tokens=1),
    }
    rates: dict[str, Decimal] = {}
    for name, usage in kinds.items():
        price = _listed(provider, model, usage)
        if price is None:
            return None
        rates[name] = (price * _MILLION).normalize()
    return Quote(Rates(**rates), price_source(), _long_above(provider, model))


def _long_above(provider: str, model: str) -> int | None:
    """Where the shipped table's first tier of longer requests begins, in input tokens."""
    import genai_prices

    priced = genai_prices.calc_price(genai_prices.Usage(), model, provider_id=provider)
    tiers = getattr(priced.model_price.input_mtok, "tiers", None)
    return int(tiers[0].start) if tiers else None


@cache
def price_source() -> str:
    """Which table the prices come from; it carries no date, its version stands for one."""
    from importlib.metadata import version

    return f"genai-prices {version('genai-prices')}"
