"""The edit tool: exact, tolerant, refused - and why."""

from __future__ import annotations

import pytest

from pipeline.agents.editing import check_python, replace
from pipeline.errors import EditRejected

CODE = "def f(x):\n    if x:\n        return 1\n    return 2\n"


def test_an_exact_match_is_replaced() -> None:
    assert replace(CODE, "return 2", "return 3") == CODE.replace("return 2", "return 3")


def test_two_exact_matches_are_refused_with_their_lines() -> None:
    with pytest.raises(EditRejected, match=r"2 places \(lines 3, 4\)"):
        replace(CODE, "return", "yield")


def test_no_match_is_refused_and_names_the_nearest_line() -> None:
    with pytest.raises(EditRejected, match=r"nearest line is 4\|     return 2"):
        replace(CODE, "    return 22\n", "    return 3\n")


def test_no_match_at_all_asks_to_read_again() -> None:
    with pytest.raises(EditRejected, match="read the lines again"):
        replace(CODE, "class Nothing:\n    alike = True\n", "x\n")


def test_line_numbers_pasted_in_from_read_are_forgiven() -> None:
    got = replace(
        CODE, "2|     if x:\n3|         return 1\n", "2|     if not x:\n3|         return 1\n"
    )
    assert got == CODE.replace("if x", "if not x")


def test_trailing_blanks_are_forgiven() -> None:
    assert replace("a = 1  \nb = 2\n", "a = 1\nb = 2", "a = 3\nb = 2") == "a = 3\nb = 2\n"


def test_a_uniform_difference_in_indentation_moves_the_replacement() -> None:
    got = replace(CODE, "if x:\n    return 1\n", "if x > 0:\n    return 1\n")
    assert got == CODE.replace("if x:", "if x > 0:")


def test_too_much_indentation_is_taken_off_again() -> None:
    got = replace("a = 1\nb = 2\n", "    a = 1\n    b = 2\n", "    a = 1\n    b = 3\n")
    assert got == "a = 1\nb = 3\n"


def test_a_difference_in_indentation_that_is_not_uniform_is_refused() -> None:
    with pytest.raises(EditRejected):
        replace("if a:\n    b\n", "if a:\nb\nc\n", "x\n")


def test_two_tolerant_matches_are_refused() -> None:
    twice = "def a():\n    go()\n    on()\n\n\ndef b():\n    go()\n    on()\n"
    with pytest.raises(EditRejected, match="2 places"):
        replace(twice, "go() \non()", "stop()")


def test_windows_line_endings_stay() -> None:
    assert replace("a\r\nb\r\nc\r\n", "a\nb\n", "a\nx\n") == "a\r\nx\r\nc\r\n"


@pytest.mark.parametrize(("old", "new"), [("", "x"), ("return 1", "return 1")])
def test_an_edit_that_says_nothing_is_refused(old: str, new: str) -> None:
    with pytest.raises(EditRejected):
        replace(CODE, old, new)


def test_blank_lines_alone_match_nothing() -> None:
    with pytest.raises(EditRejected):
        replace("a\n\nb\n", "  \n", "x\n")


def test_an_edit_that_breaks_python_is_refused_with_the_line() -> None:
    with pytest.raises(EditRejected, match=r"m\.py would no longer parse: line 1"):
        check_python("m.py", "x = 1\n", "x = (\n")


def test_a_file_that_was_broken_before_may_be_mended_in_steps() -> None:
    check_python("m.py", "x = (\n", "x = ((\n")


def test_a_new_file_must_parse() -> None:
    with pytest.raises(EditRejected):
        check_python("m.py", None, "def\n")


def test_other_languages_are_not_parsed() -> None:
    check_python("m.js", "x", "}{")


def test_a_bomb_for_the_parser_is_refused_and_not_a_crash() -> None:
    with pytest.raises(EditRejected):
        check_python("m.py", "x = 1\n", "(" * 10_000)
    with pytest.raises(EditRejected):
        check_python("m.py", "x = 1\n", "x = '\0'\n")
