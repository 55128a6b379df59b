"""How many tokens a model holds, by the table of genai-prices."""

from __future__ import annotations

from functools import cache

from pipeline.llm.base import LLMClient
from pipeline.llm.fallback import Fallback

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


def window_of(client: LLMClient) -> int:
    """The window of a client: of a chain the smallest one, whoever of it would be asked now.

    It decides when a talk is shortened, so a replayed client tells the recorded `window`.
    """
    told: object = getattr(client, "window", None)
    if isinstance(told, int):
        return told
    chain = client.clients if isinstance(client, Fallback) else (client,)
    return min(window(one.provider, one.model) for one in chain)
