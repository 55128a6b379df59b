"""How suites of different kinds are found and bounded, and what is kept between runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipeline.environment import find_environment
from pipeline.sandbox.base import Limits
from pipeline.verification.kept import Kept
from pipeline.verification.kinds import Claim, Kind
from pipeline.verification.verifier import AFFECTED, Bounds, Verifier
from tests.unit.verification.judging import CALC, TEST, TEST_PATH, TRUE_FIX, court

if TYPE_CHECKING:
    from pathlib import Path

CODE = CALC["calc/__init__.py"]
BROKEN = {"calc/__init__.py": TRUE_FIX["calc/__init__.py"].replace("return 1", "return 2")}
UNITTEST = (
    "import unittest\n\nimport calc\n\n\nclass One(unittest.TestCase):\n"
    "    def check(self):\n        self.assertEqual(calc.one(), 1)\n\n"
    "    def fails(self):\n        self.fail('as always')\n\n"
    "    @unittest.skip('later')\n    def skips(self):\n        pass\n\n\n"
    "def load_tests(loader, tests, pattern):\n"
    "    return unittest.TestSuite([One('check'), One('fails'), One('skips')])\n"
)
CLAIM = Claim(Kind.BUG, "add() is wrong")


async def test_what_only_unittest_finds_is_run_by_unittest(tmp_path: Path) -> None:
    files = {"calc/__init__.py": CODE, "tests/testcalc.py": UNITTEST}
    async with court(tmp_path, files) as it:
        baseline = await it.verifier.baseline()
        evidence = await it.judge(TRUE_FIX)
        verdict = await it.verdict(BROKEN)
    told = {key.rpartition("::")[2]: one.outcome for key, one in baseline.results.items()}
    assert told == {"check": "passed", "fails": "failed", "skips": "skipped"}
    assert baseline.command == "python -m unittest"
    assert evidence.run("suite").command == "python -m unittest"
    assert evidence.regressions == ()
    assert verdict.reason == "tests failed"
    assert "tests/testcalc.py::One::check" in verdict.feedback


async def test_doctests_are_run_where_there_is_nothing_else(tmp_path: Path) -> None:
    code = CODE.replace("def one():\n", 'def one():\n    """1.\n\n    >>> one()\n    1\n    """\n')
    files = {"calc/__init__.py": code}
    fixed = {"calc/__init__.py": code.replace("a - b", "a + b")}
    edited = {"calc/__init__.py": fixed["calc/__init__.py"].replace("    1\n", "    2\n", 1)}
    wrong = {"calc/__init__.py": edited["calc/__init__.py"].replace("return 1", "return 2")}
    async with court(tmp_path, files) as it:
        assert list((await it.verifier.baseline()).results) == ["calc/__init__.py::calc.one"]
        assert (await it.verdict(fixed)).passed
        verdict = await it.verdict(wrong)
    assert verdict.reason == "tests failed"
    assert "calc/__init__.py::calc.one" in verdict.feedback


async def test_a_coroutine_is_awaited_where_no_plugin_does(tmp_path: Path) -> None:
    test = "import calc\n\n\nasync def test_one():\n    assert calc.one() == 1\n"
    async with court(tmp_path, {"calc/__init__.py": CODE, "tests/test_one.py": test}) as it:
        evidence = await it.judge(BROKEN)
    assert [one.id for one in evidence.regressions] == ["tests/test_one.py::test_one"]


SLOW = "import time\n\n\ndef test_first():\n    time.sleep(2)\n\n\ndef test_last():\n    pass\n"


async def test_a_command_is_run_again_as_a_whole_and_its_makefile_is_the_bases(
    tmp_path: Path,
) -> None:
    files = {"Makefile": "test:\n\tgrep -q one page\n", "page": "one\n", **CALC}
    broken = {**TRUE_FIX, "page": "two\n"}
    environment = replace(find_environment(None), test=("make", "test"))
    async with court(tmp_path, files, environment=environment) as it:
        verdict = await it.verdict(broken)
        rewritten = await it.judge({**broken, "Makefile": "test:\n\ttrue\n"})
    assert verdict.reason == "tests failed"
    assert [one.id for one in rewritten.regressions] == ["make test"]
    assert any("set-up: Makefile" in note for note in rewritten.not_verified)


async def test_what_the_time_limit_leaves_out_is_not_verified_unless_allowed(
    tmp_path: Path,
) -> None:
    files = {**CALC, "tests/test_a_slow.py": SLOW}
    async with court(tmp_path, files, more={"share": 0.02}) as it:
        verdict = await it.verdict(TRUE_FIX)
        bounds = Bounds(Limits(wall_s=60.0), share=0.02, partial=True)
        lenient = Verifier(it.workspace, it.verifier._environment, bounds=bounds)
        tests = await it.patch({TEST_PATH: TEST})
        evidence = await lenient.judge(await it.patch(TRUE_FIX), tests, CLAIM)
    assert verdict.reason == "not verified"
    assert "test_last" in verdict.feedback
    assert evidence.unreached == ()
    assert any("time limit" in note for note in evidence.not_verified)


async def test_of_a_large_suite_the_affected_tests_run_first(tmp_path: Path) -> None:
    files = {
        **CALC,
        "other.py": "def two():\n    return 2\n",
        "tests/test_other.py": "import other\n\n\ndef test_two():\n    assert other.two() == 2\n",
    }
    async with court(tmp_path, files, more={"large_s": 0.0}) as it:
        broken = await it.judge(BROKEN)
        fine = await it.judge(TRUE_FIX)
    assert broken.run("suite") is None
    assert broken.run(AFFECTED).counts == {"failed": 1, "passed": 1}
    assert [one.id for one in broken.regressions] == ["tests/test_one.py::test_one"]
    assert fine.run("suite").counts["passed"] == 3


async def test_a_kept_baseline_is_not_run_again_and_a_damaged_one_is(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "kept")
    seen: list[Any] = []
    async with court(tmp_path) as it:
        for _ in range(3):
            environment = it.verifier._environment
            verifier = Verifier(it.workspace, environment, kept=kept)
            seen.append(await verifier.baseline())
            if len(seen) == 2:
                (file,) = kept.directory.glob("*.json")
                file.write_text("{", "utf-8")
    assert seen[0] == seen[1]
    assert seen[2].canary != seen[0].canary


async def test_a_baseline_of_one_sandbox_does_not_stand_for_another_one(tmp_path: Path) -> None:
    strong, weak = (Kept(tmp_path / "kept", name) for name in ("bubblewrap", "landlock"))
    async with court(tmp_path) as it:
        environment = it.verifier._environment
        seen = [
            await Verifier(it.workspace, environment, kept=kept).baseline()
            for kept in (strong, weak, strong)
        ]
    assert seen[0].canary == seen[2].canary != seen[1].canary


async def test_a_baseline_that_failed_or_was_cut_off_is_not_kept(tmp_path: Path) -> None:
    flaky = "def test_by_chance():\n    assert False\n"
    async with court(tmp_path, {**CALC, "tests/test_two.py": flaky}) as it:
        kept = Kept(tmp_path / "kept")
        environment = it.verifier._environment
        assert (await Verifier(it.workspace, environment, kept=kept).baseline()).red()
    assert not kept.directory.exists()
