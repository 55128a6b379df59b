"""The model stand-in itself: what it refuses, and that the vendors' own SDKs can read it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import anthropic
import openai
import pytest
from google import genai

from bot.emulators.models import Incoming, ModelServer
from pipeline.llm.base import LLMRequest, Message
from pipeline.llm.vendors import Vendor, default_model, open_client

CALL = {"text": "I look.", "tools": [{"name": "f", "args": {"path": "a"}}]}


def gemini(server: ModelServer, version: str) -> Any:
    options: Any = {"base_url": server.url, "api_version": version}
    return genai.Client(api_key="k", vertexai=False, http_options=options)


def test_it_listens_on_loopback_only() -> None:
    with ModelServer({}) as server:
        assert server.url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("version", ["v1", "v1beta"])
def test_gemini_streams_on_both_versions(version: str) -> None:
    with ModelServer({"google": [CALL]}) as server, gemini(server, version) as client:
        chunks = list(client.models.generate_content_stream(model="m", contents="hi"))
    parts = [part for chunk in chunks for part in chunk.candidates[0].content.parts]
    assert "".join(part.text or "" for part in parts) == "I look."
    assert parts[-1].function_call.args == {"path": "a"}
    ended = [bool(chunk.candidates[0].finish_reason) for chunk in chunks]
    assert ended == [False, False, True]


def test_anthropics_own_stream_helper_reads_it() -> None:
    with (
        ModelServer({"anthropic": [CALL]}) as server,
        anthropic.Anthropic(api_key="k", base_url=server.url) as client,
        client.messages.stream(
            model="m", max_tokens=9, messages=[{"role": "user", "content": "hi"}]
        ) as stream,
    ):
        message: Any = stream.get_final_message()
    assert message.stop_reason == "tool_use"
    assert message.content[0].text == "I look."
    assert message.content[1].input == {"path": "a"}


def test_anthropic_answers_without_a_stream_too() -> None:
    with (
        ModelServer({"anthropic": ["hi"]}) as server,
        anthropic.Anthropic(api_key="k", base_url=server.url) as client,
    ):
        message: Any = client.messages.create(
            model="m", max_tokens=9, messages=[{"role": "user", "content": "hi"}]
        )
    assert message.content[0].text == "hi"


def test_a_seat_is_found_by_the_mapping_then_by_model_then_by_vendor() -> None:
    script = {"coder": ["c"], "tester": ["t"], "m-reviewer": ["r"], "openai": ["o"]}
    seats = {"openai:m-coder": "coder", "m-tester": "tester"}
    with (
        ModelServer(script, seats=seats) as server,
        openai.OpenAI(api_key="k", base_url=f"{server.url}/v1") as client,
    ):
        said = [
            client.responses.create(model=model, input="hi").output_text
            for model in ("m-coder", "m-tester", "m-reviewer", "whatever")
        ]
        assert [incoming.model for incoming in server.requests][:2] == ["m-coder", "m-tester"]
        assert set(server.stage.left.values()) == {0}
    assert said == ["c", "t", "r", "o"]


def test_a_seat_may_be_chosen_by_what_is_said() -> None:
    def choose(incoming: Incoming) -> str:
        return "tester" if "tests" in incoming.system else "coder"

    with (
        ModelServer({"coder": ["c"], "tester": ["t"]}, seats=choose) as server,
        openai.OpenAI(api_key="k", base_url=f"{server.url}/v1") as client,
    ):
        system: Any = {"role": "system", "content": "You write tests."}
        user: Any = {"role": "user", "content": "go"}
        answer = client.chat.completions.create(model="m", messages=[system, user])
    assert answer.choices[0].message.content == "t"


async def test_the_environment_alone_leads_all_three_vendors_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    with ModelServer({vendor: [vendor] for vendor in Vendor}) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        for vendor in Vendor:
            client = open_client(vendor)
            answer = await client.complete(LLMRequest("", (Message.user("hi"),)))
            await client.aclose()
            assert (answer.text, answer.model) == (vendor, default_model(vendor))
        assert [incoming.wire for incoming in server.requests] == ["chat", "messages", "generate"]


def test_a_script_out_of_step_is_refused_and_says_why() -> None:
    with (
        ModelServer({"openai": [{"text": "x", "expect": "2 failed"}]}) as server,
        openai.OpenAI(api_key="k", base_url=f"{server.url}/v1", max_retries=0) as client,
        pytest.raises(openai.BadRequestError, match="2 failed") as caught,
    ):
        client.responses.create(model="m", input="all passed")
    assert caught.value.code == "script_out_of_step"


def test_a_tool_call_without_its_result_is_refused() -> None:
    call: Any = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    with (
        ModelServer({"openai": ["x"]}) as server,
        openai.OpenAI(api_key="k", base_url=f"{server.url}/v1", max_retries=0) as client,
        pytest.raises(openai.BadRequestError, match="no result"),
    ):
        client.responses.create(model="m", input=[call])


@pytest.mark.parametrize(
    ("path", "data", "headers", "status"),
    [
        ("/v1/responses", b"{}", {}, 401),
        ("/v1/responses", b"not json", {"Authorization": "Bearer k"}, 400),
        ("/v1/responses", b"[]", {"Authorization": "Bearer k"}, 400),
        ("/v1/messages", b"{}", {"Authorization": "Bearer k"}, 400),
        ("/v1/elsewhere", b"{}", {"Authorization": "Bearer k"}, 404),
        ("/v1beta/models/m:generateContent", b'{"contents": 1}', {"X-Goog-Api-Key": "k"}, 400),
    ],
)
def test_a_bad_request_is_refused_in_the_vendors_form(
    path: str, data: bytes, headers: dict[str, str], status: int
) -> None:
    with ModelServer({"openai": ["x"]}) as server:
        request = Request(server.url + path, data=data, headers=headers)
        with pytest.raises(HTTPError) as caught:
            urlopen(request, timeout=10)
        with caught.value:
            assert caught.value.code == status
            assert json.loads(caught.value.read())["error"]["message"]


def test_it_can_be_started_from_the_command_line(tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    script.write_text('{"coder": [{"text": "hello"}]}')
    command = [sys.executable, "-m", "bot.emulators.models", str(script), "--seat", "m=coder"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            lines = [process.stdout.readline().strip() for _ in range(6)]
            variables = dict(line.removeprefix("export ").split("=", 1) for line in lines)
            with openai.OpenAI(api_key="k", base_url=variables["OPENAI_BASE_URL"]) as client:
                assert client.responses.create(model="m", input="hi").output_text == "hello"
        finally:
            process.terminate()


def test_an_unreadable_script_ends_with_a_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bot.emulators.models", str(tmp_path / "none.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "not a readable JSON file" in done.stderr
