from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.errors import LLMError
from pipeline.llm.base import LLMRequest, Message, Stop, ToolResult
from pipeline.llm.scripted import (
    FunctionClient,
    Playable,
    ScriptedClient,
    ScriptError,
    Turn,
    load_script,
)

REQUEST = LLMRequest("system", (Message.user("please fix it"),))


async def test_turns_are_played_in_order() -> None:
    client = ScriptedClient(
        ["one", {"tools": [{"name": "f", "args": {"x": 1}}, {"name": "g"}]}, {"json": {"ok": True}}]
    )
    one, two, three = [await client.complete(REQUEST) for _ in range(3)]
    assert (one.text, one.stop) == ("one", Stop.END)
    assert [(c.name, c.arguments) for c in two.tool_calls] == [("f", {"x": 1}), ("g", {})]
    assert two.stop is Stop.TOOL
    assert json.loads(three.text) == {"ok": True}
    assert client.left == 0


async def test_the_same_script_gives_the_same_answers_to_the_token() -> None:
    turns = [{"text": "hm", "tools": [{"name": "f", "args": {"x": "y"}}]}]
    first = await ScriptedClient(turns).complete(REQUEST)
    assert first == await ScriptedClient(turns).complete(REQUEST)
    assert first.usage.input_tokens == (len("system") + len("please fix it")) // 4
    assert first.usage.output_tokens > 0


async def test_an_exhausted_script_shows_what_was_asked() -> None:
    client = ScriptedClient(["only"])
    await client.complete(REQUEST)
    with pytest.raises(
        ScriptError, match=r"1 turns and was asked for more.*please fix it"
    ) as caught:
        await client.complete(REQUEST)
    assert caught.value.code == "script_exhausted"
    assert isinstance(caught.value, LLMError)


async def test_a_script_out_of_step_shows_both_sides_and_waits() -> None:
    client = ScriptedClient([{"text": "well", "expect": "2 failed"}])
    with pytest.raises(ScriptError, match=r"'2 failed'.*please fix it"):
        await client.complete(REQUEST)
    result = Message("user", (ToolResult("c", "run", "E: 2 failed, 1 passed"),))
    answer = await client.complete(LLMRequest("", (*REQUEST.messages, result)))
    assert answer.text == "well"


def test_a_script_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "script.json"
    path.write_text('{"coder": [{"text": "hi", "expect": "x"}], "qa": [{"json": {"a": null}}]}')
    assert load_script(path) == {
        "coder": [Turn("hi", expect="x")],
        "qa": [Turn('{"a": null}')],
    }


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "[]",
        '{"coder": {}}',
        '{"coder": [{}]}',
        '{"coder": [{"texts": "typo"}]}',
        '{"coder": [{"tools": [{"args": {}}]}]}',
        '{"coder": [{"tools": ["f"]}]}',
        '{"coder": [3]}',
        '{"coder": [{"expect": "alone"}]}',
    ],
)
def test_a_malformed_script_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "script.json"
    path.write_text(text)
    with pytest.raises(ScriptError):
        load_script(path)


async def test_a_function_may_decide_the_answer() -> None:
    client = FunctionClient(lambda request: request.system.upper())
    assert (await client.complete(REQUEST)).text == "SYSTEM"
    assert client.requests == [REQUEST]


async def test_a_function_may_be_async() -> None:
    async def later(_request: LLMRequest) -> Playable:
        return {"json": [1]}

    assert (await FunctionClient(later).complete(REQUEST)).text == "[1]"
