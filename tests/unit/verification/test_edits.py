"""An existing test may be added to; everything else about it counts as altered."""

from __future__ import annotations

import pytest

from pipeline.verification.edits import altered, altered_examples, rewritten
from pipeline.verification.mutants import mutants
from pipeline.verification.stubs import stubbed
from pipeline.verification.vacuous import vacuous

TEST = (
    "import pytest\n\n\n"
    '@pytest.mark.parametrize("n", [1, 2])\n'
    "def test_one(n):\n    assert n\n\n\n"
    "class TestBox:\n    def test_two(self):\n        assert 1\n        assert 2\n\n\n"
    "def helper():\n    return 1\n"
)
FILE_GONE = ["TestBox", "TestBox::test_two", "test_one"]


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("assert n", "assert n  # why", []),
        ("[1, 2]", "[1, 2, 3]", []),
        ("        assert 2\n", "        assert 2\n        assert 3\n", []),
        ("return 1", "return 2", []),
        ("import pytest\n", "import pytest\n\n\ndef test_new():\n    assert 1\n", []),
        ("[1, 2]", "[1]", ["test_one"]),
        ("assert n", "assert True", ["test_one"]),
        ("def test_one(n):\n", "def test_one(n):\n    return\n", ["test_one"]),
        ("@pytest", "@pytest.mark.skip\n@pytest", ["test_one"]),
        ("        assert 2\n", "", ["TestBox::test_two"]),
        ("def test_two", "def two", ["TestBox", "TestBox::test_two"]),
        ("class TestBox", "@pytest.mark.skip\nclass TestBox", ["TestBox"]),
        ("def helper", "def test_one():\n    pass\n\n\ndef helper", ["test_one"]),
        ("import pytest\n", "import pytest\n\npytestmark = pytest.mark.skip\n", FILE_GONE),
        ("import pytest\n", "import pytest\n\npytest.skip(allow_module_level=True)\n", FILE_GONE),
        ("import pytest\n", "import (\n", FILE_GONE),
        ("class TestBox:\n", "class TestBox:\n    __test__ = False\n\n", FILE_GONE),
    ],
)
def test_what_counts_as_altered(old: str, new: str, names: list[str]) -> None:
    assert TEST.count(old) == 1
    assert altered(TEST, TEST.replace(old, new)) == names


def test_a_deleted_file_has_lost_all_its_tests() -> None:
    assert altered(TEST, None) == FILE_GONE


def test_examples_may_be_added_but_not_changed() -> None:
    source = 'def f():\n    """F.\n\n    >>> f()\n    1\n    """\n    return 1\n'
    more = source.replace("    1\n", "    1\n    >>> 2\n    2\n")
    assert altered_examples(source, more) == []
    assert altered_examples(source, source.replace("    1\n", "    2\n", 1)) == ["f"]
    assert altered_examples(source, "def f():\n    return 1\n") == ["f"]


@pytest.mark.parametrize("bomb", ["x = " + "-" * 20_000 + "1", "x = " + "+".join(["1"] * 20_000)])
def test_a_file_nested_without_end_has_lost_its_tests(bomb: str) -> None:
    assert altered("def test_a():\n    assert True\n", bomb) == ["test_a"]
    assert altered_examples("", bomb) == []
    assert stubbed({"a.py": ""}, {"a.py": bomb}) == {}
    assert mutants({"a.py": bomb}, {"a.py": [1]}, 2) == []
    assert "cannot be parsed" in vacuous(bomb, frozenset())


JS = "import { add } from './calc.js';\n\ntest('adds', () => {\n  equal(add(1, 2), 3);\n});\n"


@pytest.mark.parametrize(
    ("after", "lost"),
    [
        (JS, False),
        (JS + "\ntest('more', () => {});\n", False),
        (JS.replace("{ add }", "{ add, sub }"), False),
        (JS.replace("\n", "\n\n").replace("  equal", "    equal"), False),
        (None, True),
        ("", True),
        (JS.replace("3", "4"), True),
        (JS.replace("test('adds'", "test.skip('adds'"), True),
        (JS.replace("  equal", "  return;\n  equal"), True),
        (JS.replace("  equal", "  process.exit(0);\n  equal"), True),
        (JS + "process.exit(0);\n", True),
    ],
)
def test_a_test_file_of_another_language_may_only_grow(after: str | None, lost: bool) -> None:
    assert rewritten(JS, after) is lost


def test_a_way_out_that_was_there_before_is_none_of_the_change() -> None:
    text = JS + "function helper() {\n  return;\n}\n"
    assert not rewritten(text, text)


def test_a_huge_file_is_compared_line_by_line() -> None:
    text = "equal(1, 1);\n" * 200_000
    assert not rewritten(text, text + "more();\n")
