"""The contract matrix over real HTTP, cell by cell; see `matrix` for who plays which."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.emulators.models import ModelServer
from pipeline.errors import LLMIncomplete
from pipeline.llm.base import Delta, LLMRequest, Message, Stop, ToolResult
from pipeline.llm.gate import gate_of
from pipeline.llm.retrying import Retrying
from tests.contract.llm.matrix import (
    ANSWER_CELLS,
    ANSWERS,
    FAULT_CELLS,
    FAULTS,
    flat,
    table,
)
from tests.contract.llm.test_answers import READ, VERDICT

HELLO = "Hello from a second stranger, who says a little more."
SCRIPTS: dict[str, list[Any]] = {
    "plain": [HELLO],
    "stream": [HELLO],
    "schema": [{"json": {"verdict": "PASS"}}],
    "tools": [{"tools": [{"name": "read_file", "args": {"path": "a.py"}}]}, "It says x = 1."],
}
SAID = {"plain": "plain please", "stream": "plain please"}


class House:
    """One cell's double, ready, and a client before it."""

    def __init__(self, request: pytest.FixtureRequest, wire: Any, opened: Any) -> None:
        self._request, self.wire, self._opened = request, wire, opened

    @contextmanager
    def client(self, double: str, kind: str, **options: Any) -> Iterator[Any]:
        if double == "aimock":
            root = self._request.getfixturevalue("aimock").url
            yield self._opened(self.wire.open(root, **options))
        elif double == "own_emulator":
            with ModelServer({"all": SCRIPTS[kind]}, seats=lambda _: "all") as server:
                yield self._opened(self.wire.open(server.url, **options))
        else:
            llmock = self._request.getfixturevalue("llmock")
            if kind in {"plain", "stream"}:
                llmock.reply(HELLO)
            if kind == "tools":
                llmock.call_tool("read_file", {"path": "a.py"})
            yield self._opened(self.wire.at(llmock, **options))


@pytest.fixture
def house(request: pytest.FixtureRequest, wires: Any, opened: Any) -> House:
    return House(request, wires[request.getfixturevalue("name")], opened)


def asking(kind: str) -> LLMRequest:
    request = LLMRequest("You are careful.", (Message.user(SAID.get(kind, f"{kind} please")),))
    return replace(request, timeout_s=30)


@pytest.mark.parametrize(("name", "kind", "double"), flat(ANSWER_CELLS))
async def test_every_wire_answers(house: House, name: str, kind: str, double: str) -> None:
    with house.client(double, kind) as client:
        await {"plain": plain, "stream": stream, "tools": tools, "schema": schema}[kind](client)


async def plain(client: Any) -> None:
    response = await client.complete(asking("plain"))
    assert (response.text, response.stop) == (HELLO, Stop.END)
    assert response.provider == client.provider


async def stream(client: Any) -> None:
    pieces: list[Delta] = []
    response = await client.complete(replace(asking("stream"), watch=pieces.append))
    assert len(pieces) > 1
    assert "".join(piece.text for piece in pieces) == response.text == HELLO


async def tools(client: Any) -> None:
    request = replace(asking("tools"), tools=(READ,))
    first = await client.complete(request)
    assert first.stop is Stop.TOOL
    (call,) = first.tool_calls
    assert (call.name, call.arguments) == ("read_file", {"path": "a.py"})
    result = Message("user", (ToolResult(call.id, call.name, "x = 1"),))
    second = await client.complete(
        replace(request, messages=(*request.messages, first.message, result))
    )
    assert second.stop is Stop.END
    assert second.text


async def schema(client: Any) -> None:
    response = await client.complete(replace(asking("schema"), output=VERDICT))
    assert json.loads(response.text)["verdict"] in {"PASS", "FAIL"}


WHOLE = "whole and sound and long enough to be cut"


def prepare(llmock: Any, kind: str) -> None:
    """One fault, and a whole answer after it."""
    chunks = 3  # behind Anthropic's ping, which carries nothing that could be lost
    faults: dict[str, Any] = {
        "429_with_retry_after": lambda: llmock.rate_limit(retry_after=0.2),
        "429_without": llmock.rate_limit,
        "500": lambda: llmock.fail(500),
        "529": lambda: llmock.fail(529, retry_after=0.1),
        "timeout": lambda: llmock.delay(1.2),
        "stall": lambda: llmock.stall(after_chunks=chunks, seconds=1.5),
        "truncated": lambda: llmock.truncate(after_chunks=chunks),
        "dropped": lambda: llmock.disconnect(after_chunks=chunks),
        "corrupt_chunk": lambda: llmock.corrupt(after_chunks=chunks),
    }
    faults[kind]()
    if kind == "corrupt_chunk":
        llmock.pace(30)  # it must see that we hang up
    llmock.reply(WHOLE, times=None)


BY_LLMOCK = [cell for cell in flat(FAULT_CELLS) if cell[2].startswith("llmock")]


@pytest.mark.parametrize(("name", "kind", "double"), BY_LLMOCK)
async def test_a_fault_is_survived_and_the_double_finds_no_fault_with_us(
    name: str, kind: str, double: str, wires: Any, opened: Any, llmock: Any, doorway: Any
) -> None:
    doorway.keeps_wishes = double == "llmock_without_its_header"
    prepare(llmock, kind)
    patient = 0.5 if kind in {"timeout", "stall"} else None
    client = Retrying(opened(wires[name].at(llmock, silence_s=patient)), chance=lambda: 0.1)
    told: list[Delta] = []
    response = await client.complete(replace(asking("plain"), watch=told.append))
    assert response.text == WHOLE
    assert Delta("again") in told
    after = "".join(d.text for d in told[told.index(Delta("again")) :])
    assert after.endswith(WHOLE)
    if double != "llmock_without_its_header":  # llmock believes that it has sent the header
        llmock.assert_resilient(strict=True)


@pytest.mark.parametrize(
    ("name", "kind", "double"), [c for c in flat(FAULT_CELLS) if not c[2].startswith("llmock")]
)
async def test_garbage_never_becomes_an_answer(
    name: str, kind: str, double: str, wires: Any, opened: Any, request: pytest.FixtureRequest
) -> None:
    server = request.getfixturevalue({"aimock": "aimock", "own_server": "canned"}[double])
    server.garble()
    client = Retrying(opened(wires[name].open(server.url)), chance=lambda: 0.0)
    with pytest.raises(LLMIncomplete):
        await client.complete(asking("plain"))


def test_every_cell_is_played() -> None:
    assert len(ANSWER_CELLS) == 5 * 4
    assert len(FAULT_CELLS) == 5 * 10
    assert all(plays for plays in (*ANSWER_CELLS.values(), *FAULT_CELLS.values()))


def test_the_reference_of_wires_shows_who_plays_what() -> None:
    page = (Path(__file__).parents[3] / "docs/reference/model-wires.md").read_text("utf-8")
    for cells, kinds in ((ANSWER_CELLS, ANSWERS), (FAULT_CELLS, FAULTS)):
        assert table(cells, kinds) in page, f"put this there:\n{table(cells, kinds)}"


async def test_no_more_calls_are_under_way_than_the_vendors_gate_admits(
    wire: Any, opened: Any, llmock: Any
) -> None:
    llmock.delay(0.05, times=None).reply(HELLO, times=None)
    client = opened(wire.at(llmock))
    gate = gate_of(wire.vendor)
    before = gate.places
    gate.resize(2)
    try:
        asked = (client.complete(asking("plain")) for _ in range(6))
        await asyncio.gather(*asked)
    finally:
        gate.resize(before)
    spans = [(record.started_at, record.ended_at) for record in llmock.requests]
    assert len(spans) == 6
    assert max(sum(a <= begun < b for a, b in spans) for begun, _ in spans) <= 2
