"""What calls have used: tokens by kind, money known, and money perhaps paid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from typing import Any, cast

from pipeline.state import SeatUsage
from pipeline.usage import Usage

Dollars = Decimal | None
ZERO = Decimal(0)
_PLACES = 12


@dataclass(frozen=True, slots=True)
class Tally:
    """A sum over calls. Dollars are None as soon as one price in the sum is unknown.

    `calls` were answered, `failed` tries were billed without a usable answer; `lost` tries were
    begun and their end is not known: `lost_usd` is what was reserved for them, no part of `usd`.
    """

    calls: int = 0
    failed: int = 0
    lost: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    usd: Dollars = ZERO
    lost_usd: Dollars = ZERO

    def __add__(self, other: Tally) -> Tally:
        sums = {
            name: plus(getattr(self, name), getattr(other, name))
            for name in (field.name for field in fields(Tally))
        }
        return Tally(**sums)

    def __sub__(self, other: Tally) -> Tally:
        less: dict[str, Any] = {
            name: None if value is None else -value for name, value in asdict(other).items()
        }
        return self + Tally(**less)

    @property
    def tokens(self) -> int:
        """All tokens, read and written."""
        return self.input_tokens + self.output_tokens

    @property
    def committed(self) -> Dollars:
        """What counts against a limit: paid, and perhaps paid."""
        return None if self.usd is None or self.lost_usd is None else self.usd + self.lost_usd

    @classmethod
    def of(cls, usage: Usage, usd: Dollars, *, answered: bool) -> Tally:
        """One try that was billed."""
        return cls(
            calls=int(answered),
            failed=int(not answered),
            input_tokens=usage.input_tokens,
            cached_tokens=usage.cached_tokens,
            cache_write_tokens=usage.cache_write_tokens,
            output_tokens=usage.output_tokens,
            reasoning_tokens=usage.reasoning_tokens,
            usd=usd,
        )

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Tally:
        """From a seat's usage, or a journalled bill; what is not there is nothing."""
        known = {f.name: raw[f.name] for f in fields(cls) if f.name in raw}
        money = {name: dollars(known.get(name, 0)) for name in ("usd", "lost_usd")}
        return cls(**{**known, **money})

    def plain(self) -> dict[str, Any]:
        """JSON-ready: dollars as numbers, or None."""
        money = {"usd": rounded(self.usd), "lost_usd": rounded(self.lost_usd)}
        return asdict(self) | money

    def seat(self, provider: str, model: str) -> SeatUsage:
        """As the state carries it; `model` is the one that was asked last."""
        return cast("SeatUsage", {"provider": provider, "model": model, **self.plain()})


def total(usage: Mapping[str, Any]) -> Tally:
    """What all seats of a run have used."""
    return sum(map(Tally.read, usage["agents"].values()), Tally())


def plus(one: Any, other: Any) -> Any:
    """The sum, or None where either is unknown."""
    return None if one is None or other is None else one + other


def dollars(value: object) -> Dollars:
    """A number of a JSON file as exact dollars."""
    return None if value is None else Decimal(str(value))


def rounded(usd: Dollars) -> float | None:
    """Exact dollars as a number of a JSON file."""
    return None if usd is None else float(round(usd, _PLACES))
