"""Chains of models by name, and what the settings make of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.bootstrap import Choices, pipeline_of
from bot.settings import Settings
from pipeline.agents.seated import ModelAgent
from pipeline.errors import LLMMisconfigured
from pipeline.llm.fallback import Fallback
from pipeline.llm.gate import gate_of
from pipeline.llm.vendors import VendorOptions, open_chain, split_model
from pipeline.sandbox.none import NoSandbox

KEYS = {name: VendorOptions(api_key="k") for name in ("openai", "anthropic", "google")}


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def named(client: object) -> list[tuple[str, str]]:
    assert isinstance(client, Fallback)
    return [(one.provider, one.model) for one in client.clients]


async def test_a_chain_is_opened_in_its_order() -> None:
    client = open_chain(["anthropic:claude-x", "gpt-y"], KEYS)
    assert named(client) == [("anthropic", "claude-x"), ("openai", "gpt-y")]
    await client.aclose()


async def test_one_model_is_no_chain() -> None:
    client = open_chain(["gemini-z"], KEYS)
    assert not isinstance(client, Fallback)
    await client.aclose()


def test_every_model_of_a_chain_needs_its_key() -> None:
    with pytest.raises(LLMMisconfigured, match="ANTHROPIC_API_KEY"):
        open_chain(["openai:gpt-y", "anthropic:claude-x"], {"openai": KEYS["openai"]})


@pytest.mark.parametrize("wanted", ["mistral:x", "openai:", "whose", "", "openai"])
def test_a_name_that_is_none_is_told_how_to_be_one(wanted: str) -> None:
    with pytest.raises(LLMMisconfigured, match="VENDOR:MODEL"):
        split_model(wanted)


async def test_the_settings_reach_the_clients(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given = {
        "OPENAI_API_KEY": "k",
        "ANTHROPIC_API_KEY": "k",
        "OPENAI_BASE_URL": "https://name.openai.azure.com",
        "ACP_OPENAI_API_VERSION": "2025-04-01-preview",
        "ACP_OPENAI_WIRE": "responses",
        "ACP_MODEL_GPT": "openai:mine, anthropic:claude-x",
        "ACP_MODEL_CONCURRENCY": "3",
        "ACP_DATA_DIR": str(tmp_path),
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    before = gate_of("openai").places
    pipeline = pipeline_of(Settings.load(tmp_path / "none"), Choices(), NoSandbox())
    agent = next(a for a in pipeline.agents if isinstance(a, ModelAgent) and a.name == "gpt")
    client = agent.client
    try:
        assert named(client) == [("openai", "mine"), ("anthropic", "claude-x")]
        assert gate_of("openai").places == gate_of("anthropic").places == 3
        assert isinstance(client, Fallback)
        adapter = client.clients[0]._client  # type: ignore[attr-defined]
        assert type(adapter).__name__ == "OpenAIResponses"
        assert adapter.open()._api_version == "2025-04-01-preview"
    finally:
        for vendor in ("openai", "anthropic"):
            gate_of(vendor).resize(before)
        await agent.aclose()
