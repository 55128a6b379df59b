"""From the settings to models: who sits where, how hard each thinks, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bot.errors import Misconfigured
from pipeline.llm.models_file import ModelsFile, checked_chain, checked_effort, read_models_file
from pipeline.llm.pricing import Prices, read_prices
from pipeline.llm.seating import Place, Seating, seatings

if TYPE_CHECKING:
    from bot.settings import Settings

_SEATS = ("gpt", "claude", "tests", "qa")
_ROLES = ("coder", "tester", "reviewer")


def models_file(settings: Settings) -> ModelsFile:
    """The operator's models file, or an empty one. Raises Misconfigured, LLMMisconfigured."""
    path = settings.models_file
    if path is None:
        return ModelsFile()
    try:
        text = path.expanduser().read_text("utf-8")
    except (OSError, UnicodeError):
        raise Misconfigured(
            f"ACP_MODELS_FILE: {path} cannot be read; mend it or unset it"
        ) from None
    return read_models_file(text, str(path))


def seated(
    settings: Settings,
    flags: Mapping[str, str] | None = None,
    repository: Mapping[str, str] | None = None,
) -> tuple[Seating, ...]:
    """Who sits where: flags go before the repository's choice, that before variables and file.

    Raises Misconfigured, LLMMisconfigured.
    """
    file = models_file(settings)
    named = {name: getattr(settings, f"model_{name}") for name in (*_SEATS, *_ROLES)}
    efforts = {role: getattr(settings, f"effort_{role}") for role in _ROLES}
    places = [
        Place("--model", dict(flags or {}), {}),
        Place(".github/acp.yml", dict(repository or {}), {}),
        *(
            Place(f"ACP_MODEL_{name.upper()}", {name: checked_chain(model, "ACP_MODEL_*")}, {})
            for name, model in named.items()
            if model
        ),
        *(
            Place(variable, {}, {role: checked_effort(effort, variable)})
            for role, effort in efforts.items()
            if effort and (variable := f"ACP_EFFORT_{role.upper()}")
        ),
        Place(str(settings.models_file), file.models, file.efforts),
    ]
    return seatings(places)


def prices_of(settings: Settings) -> Prices:
    """The operator's own prices: those of the variable go before those of the file."""
    return Prices({**models_file(settings).prices, **read_prices(settings.prices, "ACP_PRICES")})
