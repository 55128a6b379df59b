"""How many tokens a model holds, by the table of genai-prices."""

from __future__ import annotations

from functools import cache

# Models that nobody knows are mostly small and self-hosted; too low only shortens a talk early.
UNKNOWN = 128_000
# Beyond this, vendors charge more for every token, and models find less of what they were told.
USEFUL = 200_000


@cache
def window(provider: str, model: str) -> int:
    """Tokens of input and output together that the model should be given at most."""
    from genai_prices.data_snapshot import get_snapshot

    try:
        _, found = get_snapshot().find_provider_model(model, None, provider, None)
    except LookupError:
        return UNKNOWN
    return min(found.context_window or UNKNOWN, USEFUL)
