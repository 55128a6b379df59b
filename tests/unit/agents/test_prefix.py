"""What a vendor's cache can hold stays the same, byte for byte, from turn to turn and iteration."""

from __future__ import annotations

import pytest

from pipeline.agents.base import Seat
from pipeline.agents.coding import CodingAgent
from pipeline.llm.base import Text
from pipeline.llm.scripted import ScriptedClient
from pipeline.state import PipelineState
from pipeline.workspace.workspace import Workspace

DONE = {"tools": [{"name": "finish", "args": {"summary": "done", "keep": []}}]}


@pytest.fixture
def agreed() -> PipelineState:
    return PipelineState(task="Fix it.", test_paths=["test_it.py"])


async def test_the_next_iteration_begins_with_the_same_bytes(
    workspace: Workspace, seat: Seat, agreed: PipelineState
) -> None:
    llm = ScriptedClient([DONE, DONE])
    coder = CodingAgent("gpt", llm=llm)
    await coder.run({**agreed}, workspace, seat)
    await workspace.write("new.py", "x = 1\n")
    await coder.run(
        {**agreed, "proposed_code": await workspace.diff(), "feedback": "1 failed"}, workspace, seat
    )

    first, second = llm.requests
    assert (first.system, first.tools) == (second.system, second.tools)
    (opening,) = first.messages[0].parts
    again, present = second.messages[0].parts
    assert again == opening
    assert isinstance(present, Text)
    assert "1 failed" in present.text
    assert "new.py" in present.text
