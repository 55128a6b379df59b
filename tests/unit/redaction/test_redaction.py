"""A known secret is taken out in every form, and wherever a stream is cut."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.agents.editing import check_marks, replace
from pipeline.errors import EditRejected
from pipeline.llm.base import LLMRequest, Message, Native, Text, ToolCall, ToolResult
from pipeline.llm.codec import redacted
from pipeline.redaction import Redactor, marked, marks

SECRET = 'sk-"quoted"/se+cret=1'
MARK = "[redacted:openai-api-key]"
redact = Redactor({"openai_api_key": SECRET})


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
@pytest.mark.parametrize("after", ["", "x", "xy", "xyz"])
def test_base64_is_found_wherever_the_secret_stands_in_it(before: str, after: str) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        assert MARK in redact(encode(f"{before}{SECRET}{after}".encode()).decode())


def test_a_secret_is_found_as_json_in_json_in_urls_and_in_hex() -> None:
    said = json.dumps({"log": json.dumps({"key": SECRET})})
    for form in (said, quote(SECRET), quote(SECRET, safe=""), SECRET.encode().hex()):
        assert MARK in redact(form)


def test_a_key_file_counts_line_by_line_but_not_its_armour() -> None:
    lines = ["-----BEGIN RSA PRIVATE KEY-----", "MIIEow" + "a1" * 29, "MIIEpQ" + "b2" * 29]
    key = Redactor({"app": "\n".join(lines)})
    assert key(f"first {lines[1]} second") == "first [redacted:app] second"
    assert key(lines[0]) == lines[0]


def test_short_values_are_no_secrets() -> None:
    assert Redactor({"x": "short"})("a short text") == "a short text"


@given(st.lists(st.integers(1, 9), max_size=30), st.text(max_size=20))
def test_a_stream_may_be_cut_anywhere(cuts: list[int], around: str) -> None:
    data = f"{around}{SECRET}{around} the end {SECRET}".encode()
    out: list[bytes] = []
    stream = redact.stream(out.append)
    for cut in cuts:
        stream(data[:cut])
        data = data[cut:]
    stream(data)
    stream.close()
    assert b"".join(out).decode() == f"{around}{MARK}{around} the end {MARK}"


def test_every_part_of_a_request_is_clean() -> None:
    parts = (
        Text(SECRET),
        ToolCall("1", "run", {"command": f"echo {SECRET}"}, json.dumps({"command": SECRET})),
        ToolResult("1", "run", SECRET),
        Native("openai", [{"thought": SECRET}]),
    )
    request = LLMRequest(SECRET, (Message("user", parts),))
    clean = redacted(request, redact)
    assert SECRET not in repr(clean)
    assert json.dumps(SECRET)[1:-1] not in repr(clean)
    assert repr(clean).count(MARK) == 6
    assert redacted(clean, redact) == clean


def test_an_edit_of_a_redacted_line_is_refused_with_the_reason() -> None:
    content = f"key = {SECRET}\nname = 1\n"
    assert marks(redact(content)) == [MARK]
    with pytest.raises(EditRejected, match="a secret stands there"):
        replace(content, f"key = {MARK}", "key = 2")
    with pytest.raises(EditRejected, match="a secret stands there"):
        replace(content, "name = 1", f"name = {MARK}")
    with pytest.raises(EditRejected, match="a secret stands there"):
        check_marks("", f"a new file with {MARK}")
    assert replace(content, "name = 1", "name = 2").startswith(f"key = {SECRET}\n")


def test_a_marker_that_is_the_files_own_text_is_edited_like_any() -> None:
    assert replace(f"a {MARK}\n", f"a {MARK}", f"b {MARK}") == f"b {MARK}\n"
    assert marked(MARK)
    assert not marked("[redacted]")
