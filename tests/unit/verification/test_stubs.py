"""What a patch adds is emptied, and nothing else."""

from __future__ import annotations

import pytest

from pipeline.verification.stubs import stubbed

BEFORE = (
    "LIMIT = 3\n\n\ndef old(n):\n    return n\n\n\n"
    "class Box:\n    def get(self):\n        return 1\n"
)


def emptied(added: str, before: str = BEFORE) -> str:
    return stubbed({"m.py": before}, {"m.py": before + added}).get("m.py", "")


def names_of(source: str) -> dict[str, object]:
    names: dict[str, object] = {}
    exec(source, names)
    return names


def test_a_new_function_returns_none_and_an_old_one_still_works() -> None:
    found = names_of(emptied("\n\ndef double(n):\n    return 2 * n\n"))
    assert found["double"](2) is None  # type: ignore[operator]
    assert found["old"](2) == 2  # type: ignore[operator]


def test_a_changed_function_counts_as_new() -> None:
    after = BEFORE.replace("return n", "return n + 1")
    found = names_of(stubbed({"m.py": BEFORE}, {"m.py": after})["m.py"])
    assert found["old"](2) is None  # type: ignore[operator]


def test_a_generator_stays_one_and_gives_nothing() -> None:
    found = names_of(emptied("\n\ndef each():\n    yield 1\n"))
    assert list(found["each"]()) == []  # type: ignore[operator]


def test_methods_of_old_and_new_classes_are_emptied() -> None:
    after = (
        BEFORE
        + "    def put(self):\n        return 2\n\n\n"
        + "class New:\n    def go(self):\n        return 3\n"
    )
    found = names_of(stubbed({"m.py": BEFORE}, {"m.py": after})["m.py"])
    assert found["Box"]().put() is None  # type: ignore[operator]
    assert found["Box"]().get() == 1  # type: ignore[operator]
    assert found["New"]().go() is None  # type: ignore[operator]


def test_a_class_of_fields_alone_loses_them() -> None:
    source = "\n\nfrom dataclasses import dataclass\n\n\n@dataclass\nclass Point:\n    x: int\n"
    found = names_of(emptied(source))
    assert not hasattr(found["Point"](1), "x")  # type: ignore[operator]


@pytest.mark.parametrize(
    ("added", "name"), [("\nSIZE = 4\n", "SIZE"), ("\nfrom json import dumps\n", "dumps")]
)
def test_where_no_body_is_new_names_are_none(added: str, name: str) -> None:
    assert names_of(emptied(added))[name] is None


def test_what_adds_nothing_or_cannot_be_parsed_is_left_alone() -> None:
    assert emptied("") == ""
    assert emptied("\ndef broken(:\n") == ""
    assert emptied('\n"a comment"\n') == ""
