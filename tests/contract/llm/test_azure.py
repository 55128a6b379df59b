"""Azure and other servers that speak OpenAI's wires, by base URL and API version."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.errors import LLMIncomplete, LLMMisconfigured
from pipeline.llm.base import LLMRequest, Message
from pipeline.llm.openai_chat import OpenAIChat
from pipeline.llm.vendors import open_client

REQUEST = LLMRequest("s", (Message.user("plain please"),), timeout_s=20)
VERSION = "2025-04-01-preview"
DEPLOYED = f"/openai/deployments/mine/chat/completions?api-version={VERSION}"


@pytest.mark.parametrize(
    ("path", "version", "wire", "asked", "header"),
    [
        (
            "",
            VERSION,
            "auto",
            f"/openai/deployments/mine/chat/completions?api-version={VERSION}",
            "api-key",
        ),
        ("", VERSION, "responses", f"/openai/responses?api-version={VERSION}", "api-key"),
        ("/openai/v1", None, "auto", "/openai/v1/chat/completions", "authorization"),
        ("/openai/v1", None, "responses", "/openai/v1/responses", "authorization"),
        ("/v1", None, "auto", "/v1/chat/completions", "authorization"),
    ],
)
async def test_a_deployment_is_found_where_azure_has_it(
    path: str, version: Any, wire: Any, asked: str, header: str, opened: Any, canned: Any
) -> None:
    client = opened(
        open_client(
            "openai",
            model="mine",
            api_key="k",
            base_url=canned.url + path,
            wire=wire,
            api_version=version,
        )
    )
    canned.garble()
    with pytest.raises(LLMIncomplete):
        await client._client.complete(REQUEST)
    assert canned.asked == [asked]
    assert canned.bodies[0]["model"] == "mine"
    (seen,) = canned.seen
    assert "k" in {name.lower(): value for name, value in seen.items()}[header]


async def test_a_strangers_azure_answers(opened: Any, aimock: Any) -> None:
    client = OpenAIChat("mine", api_key="k", base_url=aimock.url, api_version=VERSION)
    assert (await opened(client).complete(REQUEST)).text.startswith("Hello from a second stranger")


@pytest.mark.parametrize(
    ("options", "mend"),
    [
        ({"api_version": "latest", "base_url": "https://x.openai.azure.com"}, "such as 2025-"),
        ({"api_version": VERSION}, "https://NAME.openai.azure.com"),
        (
            {"api_version": VERSION, "base_url": "https://x.openai.azure.com/openai/v1"},
            "without /openai",
        ),
        ({"api_version": VERSION, "base_url": "x.openai.azure.com"}, "not a valid address"),
        (
            {"api_version": VERSION, "base_url": "https://x.openai.azure.com", "api_key": ""},
            "OPENAI_API_KEY",
        ),
        ({"wire": "grpc"}, "auto, responses, chat"),
    ],
)
def test_a_wrong_setting_names_its_mend(options: Any, mend: str) -> None:
    with pytest.raises(LLMMisconfigured, match=mend):
        open_client("openai", **{"model": "m", "api_key": "k", **options})


def test_an_api_version_that_gemini_does_not_have_is_refused() -> None:
    with pytest.raises(LLMMisconfigured, match="v1beta and v1"):
        open_client("google", model="m", api_key="k", api_version="v2")
