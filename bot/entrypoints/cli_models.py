"""`acp models`: who sits where, what it costs and who said so; and what the vendors offer."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from bot.bootstrap import keys_of
from bot.bootstrap.models import prices_of, seated
from bot.domain.scrub import Scrubber, printable
from bot.settings import Settings
from pipeline.errors import LLMError
from pipeline.llm import vendors
from pipeline.llm.models_file import ROLE_OF
from pipeline.llm.pricing import Prices, Quote
from pipeline.llm.seating import Seating
from pipeline.llm.vendors import VendorOptions

OK, FAILED, NOT_RUN = 0, 1, 2
_OFFICIAL = "api.openai.com"
_FIRST = {"gpt": "openai", "claude": "anthropic", "tests": "anthropic", "qa": "google"}


def models(settings: Settings, args: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    scrub = Scrubber(settings.secrets())
    try:
        rows = list(_rows(settings))
        lists = {} if args.offline else asyncio.run(_offers(settings))
    except LLMError as error:
        sys.stderr.write(f"acp: {scrub(printable(str(error)))}\n")
        return NOT_RUN
    strange = [row for row in rows if _is_strange(row, lists)]
    if args.json:
        sys.stdout.write(scrub(json.dumps({"models": rows, "offered": lists})) + "\n")
    else:
        text = "\n".join([*map(_line, rows), *_told(lists), *map(_unknown, strange)])
        sys.stdout.write(scrub(printable(text)) + "\n")
    return FAILED if strange else OK


def _rows(settings: Settings) -> Iterable[dict[str, Any]]:
    """One row for each model of each seat, in the order in which they are asked."""
    keys, prices = keys_of(settings), prices_of(settings)
    for one in seated(settings):
        for vendor, model in _chain(one, settings):
            yield {
                "seat": one.seat,
                "role": one.role,
                "vendor": vendor,
                "model": model,
                "wire": _wire(vendor, keys[vendor]),
                "effort": one.effort or "as asked",
                "price": _price(prices, vendor, model),
                "from": one.source or f"shipped, checked {vendors.defaults_checked()}",
                "key": vendor in settings.vendors(),
            }


def _chain(one: Seating, settings: Settings) -> list[tuple[str, str]]:
    if one.models:
        return [vendors.split_model(model) for model in one.models.split(",")]
    first = _FIRST[one.seat]
    at_hand = settings.vendors()
    vendor = first if first in at_hand or not at_hand else at_hand[0]
    return [(vendor, vendors.default_model(vendor, ROLE_OF[one.seat]))]


def _wire(vendor: str, options: VendorOptions) -> str:
    match vendor:
        case "anthropic":
            return "messages"
        case "google":
            return f"generate {options.api_version or 'v1beta'}"
        case _:
            official = not options.base_url or _OFFICIAL in options.base_url
            auto = "responses" if official else "chat"
            return auto if options.wire == "auto" else options.wire


def _price(prices: Prices, vendor: str, model: str) -> dict[str, Any] | None:
    quote: Quote | None = prices.quote(vendor, model)
    if quote is None:
        return None
    rates = quote.rates
    return {
        "input": float(rates.input),
        "cached": float(rates.cached),
        "cache_write": float(rates.cache_write),
        "output": float(rates.output),
        "long_above": quote.long_above,
        "source": quote.source,
    }


async def _offers(settings: Settings) -> dict[str, Any]:
    """By vendor with a key: the ids that it offers, or why that could not be learnt."""
    keys = keys_of(settings)
    found: dict[str, Any] = {}
    for vendor in settings.vendors():
        try:
            found[vendor] = list(await vendors.offered(vendor, keys[vendor]))
        except LLMError as error:
            found[vendor] = str(error)
    return found


def _is_strange(row: Mapping[str, Any], lists: Mapping[str, Any]) -> bool:
    """Whether its vendor has told what it offers, and this is not among it."""
    ids = lists.get(row["vendor"])
    return isinstance(ids, list) and row["model"] not in ids


def _line(row: Mapping[str, Any]) -> str:
    price = row["price"]
    cost = "price UNKNOWN: a limit in dollars refuses it"
    if price is not None:
        long = f", more above {price['long_above']:,} tokens" if price["long_above"] else ""
        cost = (
            f"${price['input']:g} in, ${price['cached']:g} cached, ${price['cache_write']:g} cache "
            f"written, ${price['output']:g} out per million{long} ({price['source']})"
        )
    key = "" if row["key"] else " · NO KEY"
    return (
        f"{row['seat']:7} {row['vendor']}:{row['model']} · {row['wire']} · "
        f"effort {row['effort']} · {cost} · from {row['from']}{key}"
    )


def _told(lists: Mapping[str, Any]) -> Iterable[str]:
    for vendor, ids in lists.items():
        if isinstance(ids, str):
            yield f"{vendor} did not tell what it offers: {ids}"
        else:
            yield f"{vendor} offers {len(ids)}: {', '.join(ids)}"


def _unknown(row: Mapping[str, Any]) -> str:
    return (
        f"UNKNOWN: {row['vendor']} does not offer {row['model']} ({row['seat']}, {row['from']}): "
        "choose one of its list"
    )
