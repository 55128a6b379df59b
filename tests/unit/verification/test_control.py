"""A proof with wrong expectations must fail, whatever shape the test has."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.verification.control import inverted
from tests.e2e.evidence.bugs import BUGS
from tests.unit.verification.judging import CALC, TRUE_FIX, court

# a body of a test -> what of it is wrong then; "" leaves the test out
SHAPES = {
    "assert f() == 1": "assert f() == _another(1)",
    "assert 1 == f()": "assert _another(1) == f()",
    "result = f()\nassert result == wanted": "assert result == _another(wanted)",
    "assert f() in (1, 2)": "assert False",
    "assert f()": "assert False",
    "assert 1 < f() == 2": "assert False",
    "for n in (1, 2):\n    assert f(n) == n": "assert f(n) == _another(n)",
    "for n in known():\n    assert f(n) == n": "assert False",
    "with opened() as file:\n    assert file.read() == 'x'": "assert file.read() == _another('x')",
    "with pytest.raises(E):\n    f()\n    assert 1 == 1": "assert False",
    "if windows:\n    assert f() == 1": "assert False",
    "self.assertEqual(f(), 1)": "self.assertEqual(f(), _another(1))",
    "self.assertEqual(1, f())": "self.assertEqual(_another(1), f())",
    "self.assertTrue(f())": "assert False",
    "def inner():\n    return 1\nassert f(inner) == 1": "assert f(inner) == _another(1)",
    "if windows:\n    return\nassert f() == 1": "",
}


def indented(body: str, by: str) -> str:
    return "".join(f"{by}{line}\n" for line in body.splitlines())


@pytest.mark.parametrize(("body", "wrong"), SHAPES.items())
def test_every_shape_of_test_gets_an_expectation_that_nothing_meets(body: str, wrong: str) -> None:
    text, names = inverted(f"def test_it():\n{indented(body, '    ')}")
    assert names == ({"test_it"} if wrong else set())
    assert wrong in text
    inside = f"class TestBox:\n    async def test_it(self):\n{indented(body, ' ' * 8)}"
    text, names = inverted(inside)
    assert names == ({"TestBox::test_it"} if wrong else set())
    assert wrong in text


def test_what_is_no_test_is_left_as_it_is() -> None:
    assert inverted("def helper():\n    assert f() == 1\n")[1] == frozenset()
    assert inverted("def (") == ("def (", frozenset())


def test_every_test_of_a_modelled_bug_can_be_made_wrong() -> None:
    assert all(inverted(bug.test)[1] for bug in BUGS.values())


async def test_the_proof_is_run_once_more_with_wrong_expectations(tmp_path: Path) -> None:
    async with court(tmp_path) as it:
        evidence = await it.judge(TRUE_FIX)
        text = CALC["calc/__init__.py"] + (
            "\n\nclass Any(int):\n    def __eq__(self, other):\n"
            "        return isinstance(other, int)\n\n\n"
            "def add(a, b):\n    return Any(0)\n"
        )
        equal = await it.judge({"calc/__init__.py": text})
    assert evidence.blind == ()
    assert "with wrong expectations the proof fails, as it should" in evidence.render()
    assert equal.blind == ("tests/test_acp_add.py::test_add",)
    assert "Pass with wrong expectations too: 1" in equal.render()
