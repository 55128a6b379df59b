"""Two vendors' wires against a real model: SmolLM2 behind the HTTP server of llama.cpp.

It has 135 million parameters, so nothing is asked of what it says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from pipeline.errors import LLMIncomplete
from pipeline.llm.base import Delta, LLMRequest, Message, OutputSchema, Stop
from tests.contract.llm import peers

pytestmark = pytest.mark.needs_model_server
SMALL = LLMRequest(
    "Answer briefly.", (Message.user("Say hello."),), max_output_tokens=8, effort="none"
)
YES = OutputSchema(
    "answer",
    {
        "type": "object",
        "properties": {"ok": {"type": "boolean"}},
        "required": ["ok"],
        "additionalProperties": False,
    },
)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with peers.running(peers.model_server()) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()


@pytest.mark.parametrize("wire", ["responses", "chat", "messages"], indirect=True)
async def test_a_real_model_answers_on_the_wire(wire: Any, opened: Any, server: str) -> None:
    pieces: list[Delta] = []
    client = opened(wire.open(server, model="smollm2"))
    response = await client.complete(replace(SMALL, watch=pieces.append))
    assert response.text
    assert "".join(piece.text for piece in pieces) == response.text
    assert 0 < response.usage.output_tokens <= 8
    assert response.usage.input_tokens > 0
    # It may well have had more to say; then that is what the answer tells.
    assert response.stop is (Stop.END if response.usage.output_tokens < 8 else Stop.LENGTH)


@pytest.mark.parametrize("wire", ["chat"], indirect=True)  # llama.cpp holds to schemas here alone
async def test_a_real_grammar_makes_the_document_and_a_cut_one_is_none(
    wire: Any, opened: Any, server: str
) -> None:
    client = opened(wire.open(server, model="smollm2"))
    request = replace(SMALL, output=YES)
    response = await client.complete(replace(request, max_output_tokens=40))
    assert isinstance(json.loads(response.text)["ok"], bool)
    with pytest.raises(LLMIncomplete) as caught:
        await client.complete(replace(request, max_output_tokens=2))
    assert caught.value.by_length
    assert caught.value.usage is not None
    assert caught.value.usage.output_tokens == 2
