"""How what was blocked is told."""

from __future__ import annotations

import pytest

from pipeline.environment.blocked import Blocked, Why, told

A, B = Blocked("a:443", Why.UNKNOWN), Blocked("b:443", Why.UNKNOWN)
C = Blocked("c:443", Why.PRIVATE)


def test_a_reason_is_told_once_with_its_mend() -> None:
    mends = {Why.UNKNOWN: "set A", Why.PRIVATE: "set B"}
    assert told([A, C, B], mends) == (
        "a:443, b:443 (not a registry: set A); c:443 (its address is not a public one: set B)"
    )


def test_without_mends_the_reason_stands_alone() -> None:
    assert told([A], {}) == "a:443 (not a registry)"
    assert told([Blocked("a:443", Why.TOO_MUCH, "9 bytes")], {}) == "a:443 (9 bytes)"


def test_the_list_stays_short_and_none_is_no_text() -> None:
    assert told([Blocked(f"{n}:443", Why.UNKNOWN) for n in range(99)], {}).count(":443") == 10
    assert told([], {}) == ""


def test_what_was_kept_is_read_again() -> None:
    assert Blocked.of_json(C.to_json()) == C


@pytest.mark.parametrize("found", ["a", ["a", "NO_REASON", ""], ["a"], None, [1, "UNKNOWN", ""]])
def test_what_is_no_record_is_passed_over(found: object) -> None:
    assert Blocked.of_json(found) is None
