from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import LLMMisconfigured
from pipeline.llm.vendors import (
    Vendor,
    VendorOptions,
    default_model,
    defaults_checked,
    max_turns,
    open_client,
    open_first,
)

KEYS = {
    "openai": ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY"),
    "anthropic": ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_PROFILE"),
    "google": ("GOOGLE_API_KEY", "GEMINI_API_KEY"),
}
BASES = ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "GOOGLE_GEMINI_BASE_URL")


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (*BASES, *(key for keys in KEYS.values() for key in keys)):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))  # anthropic also looks for a profile there


@pytest.mark.parametrize("vendor", list(Vendor))
def test_a_missing_key_is_named_before_any_request(vendor: str) -> None:
    with pytest.raises(LLMMisconfigured, match=KEYS[vendor][0]):
        open_client(vendor)


def test_an_admin_key_is_no_model_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "k")
    with pytest.raises(LLMMisconfigured, match="OPENAI_API_KEY"):
        open_client("openai")


@pytest.mark.parametrize("vendor", list(Vendor))
async def test_a_key_in_the_environment_opens_the_default_model(
    vendor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEYS[vendor][-1 if vendor == "google" else 0], "k")
    client = open_client(vendor)
    assert (client.provider, client.model) == (vendor, default_model(vendor))
    await client.aclose()
    await client.aclose()


async def test_the_first_vendor_with_a_key_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "k")
    client = open_first(["anthropic", "google", "openai"])
    assert client.provider == "google"
    await client.aclose()


async def test_options_count_as_a_key() -> None:
    options = {"anthropic": VendorOptions(model="claude-x", api_key="k")}
    client = open_first(["openai", "anthropic"], options)
    assert (client.provider, client.model) == ("anthropic", "claude-x")
    await client.aclose()


def test_without_any_key_every_variable_is_named() -> None:
    with pytest.raises(LLMMisconfigured, match="OPENAI_API_KEY, ANTHROPIC_API_KEY, GOOGLE_API_KEY"):
        open_first(["openai", "anthropic", "google"])


def test_an_unknown_vendor_is_told_the_known_ones() -> None:
    with pytest.raises(LLMMisconfigured, match="openai, anthropic, google"):
        open_client("mistral", api_key="k")


@pytest.mark.parametrize("vendor", ["openai", "anthropic"])
@pytest.mark.parametrize("base_url", ["localhost:8000/v1", "http://host:port", "/v1"])
def test_a_base_url_that_is_none_is_not_taken_for_a_missing_key(
    vendor: str, base_url: str | None
) -> None:
    with pytest.raises(LLMMisconfigured, match="base URL"):
        open_first([vendor], {vendor: VendorOptions(api_key="k", base_url=base_url)})


@pytest.mark.parametrize(
    ("base_url", "wire", "expected"),
    [
        (None, "auto", "OpenAIResponses"),
        ("https://eu.api.openai.com/v1", "auto", "OpenAIResponses"),
        ("https://api.openai.com.evil.example/v1", "auto", "OpenAIChat"),
        ("http://localhost:11434/v1", "auto", "OpenAIChat"),
        ("http://localhost:11434/v1", "responses", "OpenAIResponses"),
        (None, "chat", "OpenAIChat"),
    ],
)
async def test_the_wire_follows_the_address(base_url: str | None, wire: Any, expected: str) -> None:
    client: Any = open_client("openai", api_key="k", base_url=base_url, wire=wire)
    assert type(client._client).__name__ == expected
    await client.aclose()


async def test_the_address_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:1/v1")
    client: Any = open_client("openai", api_key="k")
    assert type(client._client).__name__ == "OpenAIChat"
    await client.aclose()


def test_the_shipped_models_have_a_date_and_every_role() -> None:
    assert defaults_checked() >= date(2026, 11, 22)
    for vendor in Vendor:
        for role in ("default", "coder", "tester", "reviewer"):
            assert default_model(vendor, role)
    assert [max_turns(vendor) for vendor in Vendor] == [40, 90, 90]
    assert max_turns("of-my-own") == 40


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


LOADED = (
    "import sys; print([m for m in sys.modules if m.partition('.')[0] in "
    "{'openai', 'anthropic', 'google', 'httpx2', 'genai_prices', 'pydantic'}])"
)


def test_importing_the_room_loads_no_sdk() -> None:
    rooms = ("vendors", "scripted", "pricing", "retrying", "openai_chat", "openai_responses")
    names = ", ".join(f"pipeline.llm.{room}" for room in (*rooms, "anthropic", "google"))
    assert run(f"import {names}; {LOADED}") == "[]"


def test_preloading_loads_the_named_sdk_alone() -> None:
    code = "from pipeline.llm.vendors import preload; preload(['openai']); import sys; "
    code += "print('openai.resources.responses' in sys.modules, 'anthropic' in sys.modules)"
    assert run(code) == "True False"
