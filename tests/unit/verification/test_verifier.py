from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipeline.errors import StateOwnershipError
from pipeline.sandbox.none import NoSandbox
from pipeline.verification.evidence import Evidence
from pipeline.verification.kinds import Claim, Kind
from tests.unit.verification.judging import CALC, TEST, TEST_PATH, TRUE_FIX, court

if TYPE_CHECKING:
    from pathlib import Path

BREAKING = {"calc/__init__.py": "def add(a, b):\n    return a + b\n\n\ndef one():\n    return 2\n"}
WRONG = {"calc/__init__.py": "def add(a, b):\n    return a * b\n\n\ndef one():\n    return 1\n"}


async def test_the_true_fix_of_a_bug_passes(tmp_path: Path) -> None:
    async with court(tmp_path) as it:
        evidence = await it.judge(TRUE_FIX)
        again = Evidence.from_dict(evidence.to_dict() | {"reason": ""})
    assert [failure.id for failure in evidence.red] == [f"{TEST_PATH}::test_add"]
    assert evidence.reproduction == (f"{TEST_PATH}::test_add",)
    assert again.to_dict() == evidence.to_dict()
    text = evidence.render()
    assert "on the base 1 of them failed\n    test_add: assert -1 == 3" in text
    assert "with the change all passed" in text
    assert "1 passed; exit code 1, as the planted test failed" in text


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (TRUE_FIX, ""),
        ({}, "tests failed"),
        (WRONG, "tests failed"),
        (BREAKING, "tests failed"),
        ({**TRUE_FIX, "tests/test_one.py": None}, "tests failed"),
        ({**BREAKING, "tests/test_one.py": None}, "tests failed"),
        ({**BREAKING, "tests/test_one.py": "def test_one():\n    pass\n"}, "tests failed"),
        ({"calc/__init__.py": "def add(a, b:\n"}, "tests failed"),
    ],
    ids=[
        "true fix",
        "no change",
        "wrong fix",
        "breaks another test",
        "true fix that deletes a test",
        "deletes the test that it breaks",
        "weakens the test that it breaks",
        "syntax error",
    ],
)
async def test_every_change_gets_its_own_end(tmp_path: Path, change: Any, reason: Any) -> None:
    async with court(tmp_path) as it:
        verdict = await it.verdict(change)
    assert (verdict.reason, verdict.passed) == (reason, reason == "")


async def test_the_author_sees_how_the_reproduction_fails_but_not_its_source(
    tmp_path: Path,
) -> None:
    test = TEST.replace("assert", "secret = 3\n    assert")
    async with court(tmp_path) as it:
        verdict = await it.verdict(WRONG, test)
    assert "assert 2 == 3" in verdict.feedback
    assert f"{TEST_PATH}::test_add (failed)" in verdict.feedback
    assert "python -m pytest tests/test_acp_add.py (exit code 1" in verdict.feedback
    assert "assert add(1, 2) == 3" not in verdict.feedback
    assert "secret" not in verdict.feedback


async def test_the_author_sees_the_lines_of_his_own_code(tmp_path: Path) -> None:
    crash = {**CALC, **TRUE_FIX}["calc/__init__.py"].replace("a + b", "a / 0")
    async with court(tmp_path) as it:
        verdict = await it.verdict({"calc/__init__.py": crash})
    assert "calc/__init__.py:2" in verdict.feedback
    assert "return a / 0" in verdict.feedback


async def test_a_test_that_fails_on_the_base_already_is_nobodys_fault(tmp_path: Path) -> None:
    files = {**CALC, "tests/test_red.py": "def test_red():\n    assert False\n"}
    async with court(tmp_path, files) as it:
        evidence = await it.judge(TRUE_FIX)
        verdict = await it.verdict(TRUE_FIX)
    assert verdict.passed
    assert evidence.failing_before == ("tests/test_red.py::test_red",)
    assert "Failed on the base already: 1" in evidence.render()


@pytest.mark.parametrize("passes", ["runs != 1", "runs == 0"], ids=["once", "from now on"])
async def test_a_test_that_fails_by_chance_or_by_date_never_blames_a_patch(
    tmp_path: Path, passes: str
) -> None:
    # Its runs are counted outside the tree: the first is the baseline, the second the suite.
    counter = tmp_path / "counter"
    flaky = (
        "from pathlib import Path\n\n\ndef test_flaky():\n"
        f"    file = Path({str(counter)!r})\n"
        "    runs = len(file.read_text()) if file.exists() else 0\n"
        "    file.write_text('x' * (runs + 1))\n"
        f"    assert {passes}\n"
    )
    files = {**CALC, "tests/test_flaky.py": flaky}
    async with court(tmp_path, files, sandbox=NoSandbox()) as it:
        evidence = await it.judge(TRUE_FIX)
    assert evidence.regressions == ()
    assert evidence.unstable == ("tests/test_flaky.py::test_flaky",)
    assert [run.name for run in evidence.runs].count("rerun, base") == 1


async def test_state_that_leaks_between_tests_is_a_regression_although_each_passes_alone(
    tmp_path: Path,
) -> None:
    files = {
        **CALC,
        "tests/test_a.py": "import calc\n\n\ndef test_a():\n    calc.one()\n",
        "tests/test_b.py": "import calc\n\n\ndef test_b():\n    assert calc.one() == 1\n",
    }
    leak = (
        "calls = []\n\n\ndef add(a, b):\n    return a + b\n\n\n"
        "def one():\n    calls.append(1)\n    return len(calls)\n"
    )
    async with court(tmp_path, files) as it:
        evidence = await it.judge({"calc/__init__.py": leak})
        verdict = await it.verdict({"calc/__init__.py": leak})
    assert {failure.id for failure in evidence.regressions} == {
        "tests/test_b.py::test_b",
        "tests/test_one.py::test_one",
    }
    assert verdict.reason == "tests failed"


async def test_a_parameter_that_the_patch_brings_and_that_fails_is_held_against_it(
    tmp_path: Path,
) -> None:
    files = {
        "calc/__init__.py": "def add(a, b):\n    return a - b\n\n\nKNOWN = [1]\n",
        "tests/test_all.py": (
            "import pytest\nfrom calc import KNOWN\n\n\n@pytest.mark.parametrize('n', KNOWN)\n"
            "def test_each(n):\n    assert n == 1\n"
        ),
    }
    change = {"calc/__init__.py": "def add(a, b):\n    return a + b\n\n\nKNOWN = [1, 2]\n"}
    async with court(tmp_path, files) as it:
        verdict = await it.verdict(change)
    assert verdict.reason == "tests failed"
    assert "test_each[2]" in verdict.feedback


async def test_a_refactoring_is_proven_by_tests_that_run_its_lines(tmp_path: Path) -> None:
    files = {**CALC, "calc/unused.py": "def never():\n    return 1\n"}
    seen = {"calc/__init__.py": CALC["calc/__init__.py"].replace("return 1", "return 2 - 1")}
    unseen = {"calc/unused.py": "def never():\n    return 2 - 1\n"}
    async with court(tmp_path, files) as it:
        evidence = await it.judge(seen, "", Kind.REFACTORING)
        assert evidence.covering == ("tests/test_one.py::test_one",)
        assert (await it.verdict(seen, "", Kind.REFACTORING)).passed
        verdict = await it.verdict(unseen, "", Kind.REFACTORING)
    assert (verdict.reason, verdict.passed) == ("unproven", False)


async def test_documentation_needs_no_proof_but_must_be_documentation(tmp_path: Path) -> None:
    async with court(tmp_path) as it:
        assert (await it.verdict({"README.md": "Hello"}, "", Kind.DOCS)).passed
        both = {"README.md": "Hello", **TRUE_FIX}
        assert (await it.verdict(both, "", Kind.DOCS)).reason == "unproven"
        assert (await it.verdict({}, "", Kind.DOCS)).reason == "unproven"


async def test_without_a_reproduction_a_fix_is_unproven(tmp_path: Path) -> None:
    async with court(tmp_path) as it:
        assert (await it.verdict(TRUE_FIX, "")).reason == "unproven"


async def test_a_quote_that_the_task_does_not_hold_proves_nothing(tmp_path: Path) -> None:
    async with court(tmp_path) as it:
        assert (await it.verdict(TRUE_FIX, quote="please add a feature")).reason == "unproven"
        spaced = "It returns the  difference of its arguments."
        assert (await it.verdict(TRUE_FIX, quote=spaced)).passed


async def test_tests_that_touch_the_product_are_refused(tmp_path: Path) -> None:
    async with court(tmp_path) as it:
        tests = await it.patch({**TRUE_FIX, TEST_PATH: TEST})
        claim = Claim(Kind.BUG, "add() is wrong")
        with pytest.raises(StateOwnershipError, match=r"calc/__init__\.py"):
            await it.verifier.check_reproduction(tests, claim)
        with pytest.raises(StateOwnershipError):
            await it.verifier.judge("", tests, claim)


async def test_a_repository_without_tests_is_judged_by_the_reproduction_and_says_so(
    tmp_path: Path,
) -> None:
    files = {"calc/__init__.py": CALC["calc/__init__.py"]}
    async with court(tmp_path, files) as it:
        evidence = await it.judge(TRUE_FIX)
        assert (await it.verdict(TRUE_FIX)).passed
    assert "regressions: the repository has no tests that can be collected" in evidence.not_verified


async def test_a_task_without_a_repository_can_be_proven(tmp_path: Path) -> None:
    test = "from calc import add\n\n\ndef test_it():\n    assert add(1, 2) == 3\n"
    async with court(tmp_path, source=False) as it:
        assert (await it.check(test, Kind.FEATURE)).ok
        assert (await it.verdict(TRUE_FIX, test, Kind.FEATURE)).passed


async def test_a_run_that_does_not_end_is_not_verified(tmp_path: Path) -> None:
    endless = {"calc/__init__.py": "def add(a, b):\n    while True:\n        pass\n"}
    files = {"calc/__init__.py": CALC["calc/__init__.py"]}
    async with court(tmp_path, files, wall_s=8.0) as it:
        verdict = await it.verdict(endless)
    assert verdict.reason == "not verified"
    assert "did not end within" in verdict.feedback


async def test_options_of_plugins_that_are_missing_are_left_out_and_it_is_said(
    tmp_path: Path,
) -> None:
    files = {**CALC, "pytest.ini": "[pytest]\naddopts = --cov=calc\n"}
    async with court(tmp_path, files) as it:
        evidence = await it.judge(TRUE_FIX)
        assert (await it.verdict(TRUE_FIX)).passed
    assert any("addopts" in note for note in evidence.not_verified)


async def test_a_base_that_cannot_be_tested_is_not_verified(tmp_path: Path) -> None:
    files = {**CALC, "pytest.ini": "[pytest]\nrequired_plugins = pytest-that-nobody-has\n"}
    async with court(tmp_path, files) as it:
        verdict = await it.verdict(TRUE_FIX)
    assert verdict.reason == "not verified"
    assert "already the unchanged code" in verdict.feedback


async def test_files_that_the_base_cannot_load_are_named(tmp_path: Path) -> None:
    files = {**CALC, "tests/test_web.py": "import nowhere_to_be_found\n"}
    async with court(tmp_path, files) as it:
        evidence = await it.judge(TRUE_FIX)
        assert (await it.verdict(TRUE_FIX)).passed
    assert any("nowhere_to_be_found" in note for note in evidence.not_verified)


async def test_the_evidence_is_bounded_and_without_terminal_controls(tmp_path: Path) -> None:
    noisy = {
        "calc/__init__.py": "def add(a, b):\n"
        "    print('\\x1b[31m' + 'x' * 200000)\n    return a * b\n"
        "\n\ndef one():\n    return 1\n"
    }
    async with court(tmp_path) as it:
        evidence = await it.judge(noisy)
    data = evidence.to_dict()
    assert len(data["output"]) < 61_000
    assert "\x1b" not in data["output"] + evidence.render()
    assert len(evidence.render()) < 21_000
