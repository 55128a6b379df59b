"""Role texts of the operator's own, by seat, role and repository; slips are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.bootstrap import Choices, pipeline_of
from bot.bootstrap.prompts import prompts_of
from bot.errors import Misconfigured
from bot.settings import Settings
from pipeline.agents import prompts
from pipeline.agents.seated import ModelAgent
from pipeline.sandbox.none import NoSandbox


def a_settings(**values: str) -> Settings:
    return Settings.model_validate(values)


def written(directory: Path, **files: str) -> Settings:
    """Settings whose prompts directory holds these files; `__` in a name is a slash."""
    for name, text in files.items():
        path = directory / f"{name.replace('__', '/')}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return a_settings(ACP_PROMPTS_DIR=str(directory), ACP_DATA_DIR=str(directory / "data"))


def test_without_a_directory_the_shipped_texts_hold() -> None:
    assert prompts_of(a_settings(), "acme/shop") == {}


def test_a_role_covers_its_seats_and_a_seat_goes_before_its_role(tmp_path: Path) -> None:
    settings = written(tmp_path, coder="All coders.", claude="Claude alone.")
    assert prompts_of(settings, "") == {"gpt": "All coders.", "claude": "Claude alone."}


def test_a_repositorys_own_text_goes_before_the_one_for_all(tmp_path: Path) -> None:
    settings = written(tmp_path, gpt="For all.", reviewer="Look.", acme__shop__coder="For shop.")
    shop = {"gpt": "For shop.", "claude": "For shop.", "qa": "Look."}
    assert prompts_of(settings, "Acme/Shop") == shop
    assert prompts_of(settings, "acme/other") == {"gpt": "For all.", "qa": "Look."}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"codr": "x"}, "named after nobody; there are claude, coder, gpt, qa, reviewer"),
        ({"acme__shop__qa": " \n"}, "is empty"),
    ],
)
def test_a_slip_is_refused_and_not_passed_over(
    tmp_path: Path, files: dict[str, str], said: str
) -> None:
    with pytest.raises(Misconfigured, match=said):
        prompts_of(written(tmp_path, **files), "acme/shop")


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="is not a directory"):
        prompts_of(a_settings(ACP_PROMPTS_DIR=str(tmp_path / "none")), "")


def test_agents_are_given_the_texts(tmp_path: Path) -> None:
    settings = written(tmp_path / "prompts", tester="Test it.")
    made = pipeline_of(settings, Choices(repository="acme/shop"), NoSandbox())
    told = {agent.name: agent.system for agent in made.agents if isinstance(agent, ModelAgent)}
    assert told["tests"] == "Test it."
    assert told["gpt"] == prompts.role_text("coder")
