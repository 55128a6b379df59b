"""What a run has used, in the words that every face shows: whole, and seat by seat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from typing_extensions import override

from pipeline.state import usage_table
from pipeline.tally import Tally, rounded, total

_SEEN_WHOLE = 0.1
HEADS = ("Seat", "Model", "Calls", "Read", "Written", "Cost")
Row = tuple[str, ...]
_GAP = "  "


@dataclass(frozen=True, slots=True)
class Spent:
    """What a run that was cut short has used, as last heard; `tokens` None: that is not known.

    `usage` has its seats up to the last step that was done.
    """

    tokens: int | None = 0
    usd: float | None = 0.0
    lost_usd: float | None = 0.0
    usage: Mapping[str, Any] = field(default_factory=usage_table)

    @property
    def cost_usd(self) -> float | None:
        """Paid, and perhaps paid; None where a price is unknown."""
        unknown = self.usd is None or self.lost_usd is None
        return None if unknown else (self.usd or 0.0) + (self.lost_usd or 0.0)

    @override
    def __str__(self) -> str:
        cost = paid(self.usd, self.lost_usd)
        return cost if self.tokens is None else f"{cost} · {count(self.tokens)} tokens"


def rows(usage: Mapping[str, Any]) -> list[Row]:
    """A row of `HEADS` for every seat that has used something; seat and model as they are."""
    return [
        (name, str(seat["model"]), *_words(Tally.read(seat)))
        for name, seat in usage["agents"].items()
    ]


def columns(usage: Mapping[str, Any]) -> list[str]:
    """The rows below their heads, aligned for a terminal; nothing where nothing was used."""
    found = rows(usage)
    if not found:
        return []
    lines = [HEADS, *found]
    widths = [max(len(line[at]) for line in lines) for at in range(len(HEADS))]
    return [
        _GAP.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]


def whole(usage: Mapping[str, Any]) -> str:
    """The whole run, such as "$0.11 · 7.0k tokens (4.0k cached) in 5 calls"."""
    used = total(usage)
    return f"{paid_of(used)} · {_read_and_written(used)} in {calls(used)}"


def paid_of(used: Tally) -> str:
    """Its dollars, as `paid`."""
    return paid(rounded(used.usd), rounded(used.lost_usd))


def paid(usd: float | None, lost_usd: float | None) -> str:
    """Dollars paid, and those perhaps paid for calls that were cut off from their answer."""
    perhaps = "" if lost_usd == 0 else f" and perhaps {money(lost_usd)} more"
    return f"{money(usd)}{perhaps}"


def money(usd: float | None) -> str:
    """US dollars, with four digits below ten cents; an unknown price is said to be one."""
    if usd is None:
        return "cost unknown"
    return f"${usd:.2f}" if usd >= _SEEN_WHOLE or usd == 0 else f"${usd:.4f}"


def count(number: int) -> str:
    """A number of tokens, such as "950", "12.3k", "1.2M"."""
    for unit, letter in ((1_000_000, "M"), (1_000, "k")):
        if number >= unit:
            return f"{number / unit:.1f}{letter}"
    return str(number)


def calls(used: Tally) -> str:
    """Calls that were answered, and tries that were not."""
    tries = (("failed", used.failed), ("lost", used.lost))
    said = f"{used.calls} call" if used.calls == 1 else f"{used.calls:,} calls"
    return _with_parts(said, [f"{number} {what}" for what, number in tries if number])


def _words(used: Tally) -> Row:
    read = (("cached", used.cached_tokens), ("cache written", used.cache_write_tokens))
    wrote = (("reasoning", used.reasoning_tokens),)
    return (
        calls(used),
        _with_parts(count(used.input_tokens), _tokens(read)),
        _with_parts(count(used.output_tokens), _tokens(wrote)),
        paid_of(used),
    )


def _read_and_written(used: Tally) -> str:
    return _with_parts(f"{count(used.tokens)} tokens", _tokens([("cached", used.cached_tokens)]))


def _tokens(parts: Sequence[tuple[str, int]]) -> list[str]:
    return [f"{count(number)} {kind}" for kind, number in parts if number]


def _with_parts(whole_: str, parts: Sequence[str]) -> str:
    return f"{whole_} ({', '.join(parts)})" if parts else whole_
