"""The reference names what there is."""

import inspect
from pathlib import Path
from types import ModuleType

import pytest

from bot.domain.commands import MEANINGS
from bot.domain.messages import answers, proof, pull_request, status

REFERENCE = Path(__file__).parents[4] / "docs/reference"


def test_every_command_is_listed() -> None:
    page = (REFERENCE / "commands.md").read_text("utf-8")
    for verb, meaning in MEANINGS.items():
        assert f"| `/acp {verb}` | {meaning} |" in page


@pytest.mark.parametrize("module", [answers, proof, pull_request, status])
def test_every_message_is_listed(module: ModuleType) -> None:
    page = (REFERENCE / "messages.md").read_text("utf-8")
    said = [
        name
        for name, one in inspect.getmembers(module, inspect.isfunction)
        if one.__module__ == module.__name__ and not name.startswith("_")
    ]
    assert said
    room = module.__name__.rpartition(".")[2]
    missing = [name for name in said if f"`{room}.{name}`" not in page]
    assert missing == []
