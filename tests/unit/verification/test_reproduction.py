from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.verification.decide import RULES, decide
from pipeline.verification.decide import hollow as rule_of_empty_bodies
from pipeline.verification.kinds import Kind
from tests.unit.verification.judging import CALC, TRUE_FIX, court

if TYPE_CHECKING:
    from pathlib import Path
from typing import Any


@pytest.mark.parametrize(
    ("test", "complaint"),
    [
        ("from calc import add\n\n\ndef test_it():\n    assert add(1, 0) == 1\n", "passes on the"),
        (
            "from calc import add\n\n\ndef helper():\n    assert add(1, 2) == 3\n",
            "collects no test",
        ),
        ("from calc import add\n\n\ndef test_it():\n    add(1, 2)\n", "asserts nothing"),
        ("def test_it():\n    assert 1 == 2\n", "uses nothing of the project"),
        ("from calc import nothing\n\n\ndef test_it():\n    assert nothing\n", "by an assertion"),
        ("import calc\n\n\ndef test_it(absent):\n    assert calc\n", "by an assertion"),
        ("import calc\n\n\ndef test_it(:\n", "cannot be parsed"),
        (
            "import pytest, calc\n\n\n@pytest.mark.skip\n"
            "def test_it():\n    assert calc.add(1, 2) == 3\n",
            "skipped",
        ),
    ],
)
async def test_a_vacuous_reproduction_goes_back_with_the_reason(
    tmp_path: Path, test: Any, complaint: Any
) -> None:
    async with court(tmp_path) as it:
        check = await it.check(test)
        verdict = await it.verdict(TRUE_FIX, test)
    assert not check.ok
    assert complaint in check.complaint
    assert not verdict.passed


async def test_a_test_that_passes_on_the_base_says_so(tmp_path: Path) -> None:
    async with court(tmp_path) as it:
        check = await it.check("from calc import one\n\n\ndef test_it():\n    assert one() == 1\n")
    assert check.passes_on_base
    assert not check.ok


async def test_a_missing_name_proves_a_feature_but_not_a_bug(tmp_path: Path) -> None:
    test = "from calc import double\n\n\ndef test_it():\n    assert double(2) == 4\n"
    change = {
        "calc/__init__.py": CALC["calc/__init__.py"] + "\n\ndef double(n):\n    return 2 * n\n"
    }
    async with court(tmp_path) as it:
        assert (await it.check(test, Kind.FEATURE)).ok
        assert not (await it.check(test, Kind.BUG)).ok
        assert (await it.verdict(change, test, Kind.FEATURE)).passed
        assert (await it.verdict(change, test, Kind.BUG)).reason == "unproven"
        assert (await it.verdict({}, test, Kind.FEATURE)).reason == "tests failed"


async def test_a_test_of_a_feature_that_passes_with_empty_bodies_proves_nothing(
    tmp_path: Path,
) -> None:
    hollow = "import calc\n\n\ndef test_it():\n    assert callable(calc.double)\n"
    change = {
        "calc/__init__.py": CALC["calc/__init__.py"] + "\n\ndef double(n):\n    return 2 * n\n"
    }
    async with court(tmp_path) as it:
        evidence = await it.judge(change, hollow, Kind.FEATURE)
        verdict = await it.verdict(change, hollow, Kind.FEATURE)
        others = tuple(one for one in RULES if one is not rule_of_empty_bodies)
        assert decide(evidence, others).passed
    assert verdict.reason == "unproven"
    assert "every body that the change adds is empty" in verdict.feedback
