"""Usage of each wire, from answers as the vendors document them."""

from __future__ import annotations

from pipeline.llm import anthropic, google, openai_chat, openai_responses
from pipeline.llm.base import LLMRequest, Usage
from pipeline.llm.wire import Json, number, strict_ready

REQUEST = LLMRequest("s", ())
EVERYTHING = Usage(
    input_tokens=10_000,
    cached_tokens=9_000,
    cache_write_tokens=500,
    output_tokens=70,
    reasoning_tokens=40,
)


def test_responses_counts_the_cache_inside_the_input() -> None:
    data = {
        "status": "completed",
        "output": [{"type": "message", "content": [{"type": "output_text", "text": "t"}]}],
        "usage": {
            "input_tokens": 10_000,
            "input_tokens_details": {"cached_tokens": 9_000, "cache_write_tokens": 500},
            "output_tokens": 70,
            "output_tokens_details": {"reasoning_tokens": 40},
        },
    }
    events = [{"type": "response.completed", "response": data}]
    client = openai_responses.OpenAIResponses("m")
    assert client._read(events, REQUEST).usage == EVERYTHING


def test_chat_counts_the_cache_inside_the_prompt() -> None:
    data = {
        "choices": [{"delta": {"content": "t"}, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": 10_000,
            "prompt_tokens_details": {"cached_tokens": 9_000, "cache_write_tokens": 500},
            "completion_tokens": 70,
            "completion_tokens_details": {"reasoning_tokens": 40},
        },
    }
    assert openai_chat.OpenAIChat("m")._read([data], REQUEST).usage == EVERYTHING


def test_anthropic_counts_the_cache_beside_the_input() -> None:
    counted = {
        "input_tokens": 500,
        "cache_read_input_tokens": 9_000,
        "cache_creation_input_tokens": 500,
        "output_tokens": 1,
    }
    usage = {"output_tokens": 70, "output_tokens_details": {"thinking_tokens": 40}}
    events: list[Json] = [
        {"type": "message_start", "message": {"usage": counted}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage},
        {"type": "message_stop"},
    ]
    assert anthropic.AnthropicMessages("m")._read(events, REQUEST).usage == EVERYTHING


def test_google_counts_thoughts_beside_the_candidates() -> None:
    data = {
        "candidates": [{"finish_reason": "STOP", "content": {"parts": [{"text": "t"}]}}],
        "usage_metadata": {
            "prompt_token_count": 10_000,
            "cached_content_token_count": 9_000,
            "candidates_token_count": 30,
            "thoughts_token_count": 40,
        },
    }
    usage = google.GoogleGenerate("m")._read([data], REQUEST).usage
    assert usage == Usage(10_000, 9_000, 0, 70, 40)


def test_strict_mode_is_asked_for_only_where_the_vendor_takes_it() -> None:
    closed = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    nested = {**closed, "properties": {"a": {"type": "array", "items": {"type": "object"}}}}
    assert strict_ready(closed)
    assert not strict_ready({**closed, "required": []})
    assert not strict_ready({k: v for k, v in closed.items() if k != "additionalProperties"})
    assert not strict_ready(nested)


def test_a_count_below_nothing_pays_nothing_back() -> None:
    assert number({"usage": {"prompt_tokens": -5}}, "usage", "prompt_tokens") == 0
