"""A models file: who sits where, how hard each thinks, and what it costs, as an operator says it.

In `[models]` and `[effort]` stand roles or seats, in `[prices]` "vendor:model" (see `pricing`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import cast, get_args

from pipeline.errors import LLMMisconfigured
from pipeline.llm.base import Effort
from pipeline.llm.pricing import OwnPrice, read_prices
from pipeline.llm.vendors import split_model

ROLE_OF = {"gpt": "coder", "claude": "coder", "tests": "tester", "qa": "reviewer"}
"""The role of each seat of the default line-up."""
_PLACES = (*ROLE_OF, *dict.fromkeys(ROLE_OF.values()))
_PARTS = ("checked", "models", "effort", "prices")


@dataclass(frozen=True, slots=True)
class ModelsFile:
    """What the file says; a name of `models` and `effort` is a seat or a role."""

    checked: date | None = None
    models: Mapping[str, str] = field(default_factory=dict)
    efforts: Mapping[str, Effort] = field(default_factory=dict)
    prices: Mapping[str, OwnPrice] = field(default_factory=dict)


def read_models_file(text: str, where: str) -> ModelsFile:
    """The file. Raises LLMMisconfigured, saying what is wrong in `where` and how to write it."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise LLMMisconfigured(f"{where} is no TOML: {error}") from None
    if unknown := sorted(set(raw) - set(_PARTS)):
        raise LLMMisconfigured(
            f"{where}: {', '.join(unknown)} is not known; there are {', '.join(_PARTS)}"
        )
    checked = raw.get("checked")
    if checked is not None and not isinstance(checked, date):
        raise LLMMisconfigured(f"{where}: checked must be a day, such as 2026-11-22")
    models = _named(raw.get("models", {}), f"{where}: models")
    for model in models.values():
        checked_chain(model, where)
    efforts = _named(raw.get("effort", {}), f"{where}: effort")
    return ModelsFile(
        checked=checked,
        models=models,
        efforts={name: checked_effort(effort, where) for name, effort in efforts.items()},
        prices=read_prices(raw.get("prices", {}), where),
    )


def checked_chain(models: str, where: str) -> str:
    """The text, if it is one model or several with commas between. Raises LLMMisconfigured."""
    for model in models.split(","):
        try:
            split_model(model)
        except LLMMisconfigured as error:
            raise LLMMisconfigured(f"{where}: {error}") from None
    return models


def checked_effort(text: str, where: str) -> Effort:
    """The text, if it is an effort. Raises LLMMisconfigured."""
    if text not in get_args(Effort):
        known = ", ".join(get_args(Effort))
        raise LLMMisconfigured(f"{where}: there is no effort {text!r}; there are {known}")
    return cast("Effort", text)


def _named(table: object, where: str) -> dict[str, str]:
    if not isinstance(table, Mapping) or not all(isinstance(v, str) for v in table.values()):
        raise LLMMisconfigured(f'{where} must be a table of texts, such as coder = "..."')
    if unknown := sorted(set(table) - set(_PLACES)):
        raise LLMMisconfigured(
            f"{where}: there is no {', '.join(unknown)}; there are {', '.join(_PLACES)}"
        )
    return dict(table)
