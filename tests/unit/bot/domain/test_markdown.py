"""Foreign text in Markdown of ours: shown as it is, and doing nothing."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.markdown import (
    code,
    cut,
    details,
    fence,
    fit,
    inline,
    one_line,
    plain,
    prose,
    size,
    subject,
    table,
)

WILD = st.text(alphabet="a`~<>[]()!#@1\\&|*_\n\r\x1b\x00é日🚀 /-:", max_size=120)


@given(WILD, st.integers(0, 200))
def test_a_cut_text_keeps_to_its_bytes_and_whole_characters(text: str, limit: int) -> None:
    found = cut(text, limit)
    assert size(found) <= max(limit, 0) or found == text
    assert "\ufffd" not in found
    if size(text) <= limit:
        assert found == text


def test_a_cut_text_is_head_and_tail_with_the_number_that_is_missing() -> None:
    found = cut("h" * 500 + "t" * 500, 140)
    head, note, tail = re.fullmatch(r"(h+)\n(… .* …)\n(t+)", found, re.DOTALL).groups()  # type: ignore[union-attr]
    assert note == f"… {1000 - len(head) - len(tail)} bytes of 1,000 omitted …"
    assert len(head) / (len(head) + len(tail)) == pytest.approx(0.4, abs=0.01)
    assert cut("日" * 100, 130).count("日") < 100


@given(WILD, st.integers(50, 300))
def test_nothing_closes_a_fence_from_within(text: str, limit: int) -> None:
    lines = fence(text, "text", limit=limit).split("\n")
    mark = lines[-1]
    assert lines[0] == f"{mark}text"
    assert all(mark not in line for line in lines[1:-1])
    assert "\x1b" not in "".join(lines)


@given(WILD)
def test_a_code_span_is_one_span_on_one_line(text: str) -> None:
    found = code(text)
    assert "\n" not in found
    assert not re.search(r"(?<!\\)\|", found)
    if found:
        ticks = re.match("`+", found)[0]  # type: ignore[index]
        assert found.endswith(ticks)
        inner = found[len(ticks) : -len(ticks)]
        assert not re.search(rf"(?<!`){ticks}(?!`)", inner)


LIVE = re.compile(r"@\w|(?<![&\w])#\d|GH-\d|<\w|(?<!\\)\[|/(issues|pull)/\w|```|~~~")


@given(WILD)
def test_inline_text_is_no_markdown_at_all(text: str) -> None:
    found = inline(text)
    assert not LIVE.search(found)
    assert not set(found) & set("*_`~|\\<[\n")


@settings(max_examples=300)
@given(WILD, st.integers(0, 400))
def test_prose_keeps_to_its_bytes_and_leaves_nothing_open(text: str, limit: int) -> None:
    found = prose(text, limit)
    assert size(found) <= limit or limit < 60
    marks = [line for line in found.split("\n") if re.match(r"`{3,}\S*$", line)]
    assert len(marks) % 2 == 0


PROSE = {
    "a mention": ("Ask @everyone", "Ask @&#8203;everyone"),
    "a mention as an entity": ("&#64;everyone", "&amp;#&#8203;64;everyone"),
    "a reference": ("Fixes #12, GH-3", "Fixes #&#8203;12, GH-&#8203;3"),
    "a reference elsewhere": ("closes acme/shop#12", "closes acme/shop#&#8203;12"),
    "an address of an issue": (
        "closes https://x/a/b/issues/3",
        "closes https://x/a/b/issues/&#8203;3",
    ),
    "an image": ("![x](https://evil/?k=1)", "!&#91;x](https://evil/?k=1)"),
    "an escaped link": ("\\[x](y)", "\\&#91;x](y)"),
    "an element": ("<details><img src=x>", "&lt;details>&lt;img src=x>"),
    "emphasis": ("**bold**\n- item", "**bold**\n- item"),
    "a code span": ("see `@x #1 <b>`", "see `@x #1 <b>`"),
    "a fence": ("```py\n@x #1 <b>\n```\nafter", "```py\n@x #1 <b>\n```\nafter"),
    "a fence that stays open": ("a\n```py\nx", "a\n```py\nx\n```"),
    "a fence in a quote": ("> ```\n> x", "> &#96;&#96;&#96;\n> x"),
    "colours": ("\x1b[31mred\x1b[0m \x1b]0;t\x07x", "red x"),
}


@pytest.mark.parametrize(("text", "wanted"), PROSE.values(), ids=PROSE.keys())
def test_foreign_markdown_does_nothing(text: str, wanted: str) -> None:
    assert prose(text) == wanted


def test_a_line_is_one_line() -> None:
    assert one_line(" a\r\nb\tc\u2028d ") == "a b cd"
    assert one_line("x" * 300, 10) == "x" * 9 + "…"
    assert plain("a\ud800") == "a?"


@pytest.mark.parametrize(
    "words", ["[skip ci]", "[CI Skip]", "[no ci]", "[skip actions]", "[actions skip]", "[skip-ci]"]
)
def test_the_subject_of_a_commit_keeps_no_checks_from_running(words: str) -> None:
    assert subject(f"Totals {words}") == f"Totals [\u200b{words[1:]}"
    assert subject("[ci] Skip [skip list]") == "[ci] Skip [skip list]"


def test_the_subject_of_a_commit_closes_nothing() -> None:
    assert subject("Fixes #12 for @wanda\nx") == "Fixes #\u200b12 for @\u200bwanda x"


def test_tables_and_folds() -> None:
    assert table(("a", "b"), [("1", code("x|y"))]) == "| a | b |\n| --- | --- |\n| 1 | `x\\|y` |"
    assert details("More", "x") == "<details><summary>More</summary>\n\nx\n\n</details>"


def test_a_body_gives_its_long_parts_what_fits() -> None:
    body = fit(lambda share: "head\n" + fence("x" * 5000, limit=share), 1000)
    assert 700 < size(body) <= 1000
    assert fit(lambda share: "x" * 10 + "y" * (share and 500), 100) == "x" * 10
