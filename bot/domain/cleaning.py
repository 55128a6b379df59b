"""Orders without secrets: what strangers wrote is cleaned before anything is kept of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bot.domain.store import Hear, Order, Say, Start


def cleaned(order: Order, clean: Callable[[str], str]) -> Order:
    """The order with the texts that people wrote in it cleaned."""
    if isinstance(order, Start):
        text = order.request.text
        kept = replace(text, title=clean(text.title), body=clean(text.body), hint=clean(text.hint))
        return replace(order, request=replace(order.request, text=kept))
    if isinstance(order, Say):
        return replace(order, argument=clean(order.argument))
    if isinstance(order, Hear):
        told = order.trigger
        return Hear(replace(told, argument=clean(told.argument)))
    return order
