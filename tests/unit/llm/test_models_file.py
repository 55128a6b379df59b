"""Who sits where: the models file, and which place goes before which."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from pipeline.errors import LLMMisconfigured
from pipeline.llm.base import Usage
from pipeline.llm.models_file import ModelsFile, read_models_file
from pipeline.llm.pricing import Prices
from pipeline.llm.seating import Place, Seating, seatings

FILE = """
checked = 2026-11-22
[models]
coder = "anthropic:made-up-9, openai:made-up-1"
qa = "google:made-up-2"
[effort]
reviewer = "high"
[prices."anthropic:made-up-9"]
input = 2
output = 10
checked = 2026-11-20
"""


def test_a_models_file_is_read() -> None:
    file = read_models_file(FILE, "models.toml")
    assert file.checked == date(2026, 11, 22)
    assert file.models["coder"] == "anthropic:made-up-9, openai:made-up-1"
    assert file.efforts == {"reviewer": "high"}
    cost = Prices(file.prices).cost("anthropic", "made-up-9", Usage(1_000_000))
    assert cost == Decimal(2)
    assert read_models_file("", "empty.toml") == ModelsFile()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[models", "is no TOML"),
        ("[model]\ncoder = 'openai:x'", "model is not known; there are checked, models"),
        ("[models]\ncodr = 'openai:x'", "there is no codr; there are gpt, claude"),
        ("[models]\ncoder = 'nobody:x'", "no vendor 'nobody'"),
        ("[models]\ncoder = 3", "must be a table of texts"),
        ("[effort]\ncoder = 'huge'", "there is no effort 'huge'; there are none, low"),
        ("checked = 'soon'", "checked must be a day"),
    ],
)
def test_a_models_file_that_cannot_be_read_is_refused_with_the_mend(text: str, said: str) -> None:
    with pytest.raises(LLMMisconfigured, match=said) as caught:
        read_models_file(text, "models.toml")
    assert "models.toml" in str(caught.value)


def test_the_nearer_place_goes_first_and_in_it_the_seat_before_its_role() -> None:
    near = Place("a flag", {"claude": "anthropic:near"}, {})
    far = Place("a file", {"coder": "openai:far", "gpt": "openai:own"}, {"coder": "low"})
    gpt, claude, tests, qa = seatings([near, far])
    assert gpt == Seating("gpt", "coder", "openai:own", "a file", "low", "a file")
    assert claude == Seating("claude", "coder", "anthropic:near", "a flag", "low", "a file")
    assert tests == Seating("tests", "tester")
    assert (qa.role, qa.models, qa.effort) == ("reviewer", "", None)
