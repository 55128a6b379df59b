"""A test run says the same whichever sandbox it ran in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipeline.environment import find_environment
from pipeline.errors import SandboxUnavailable
from pipeline.sandbox.bubblewrap import Bubblewrap
from pipeline.sandbox.none import NoSandbox
from pipeline.verification.runner import Selection, canary_name, run_tests

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "calc.py": "def add(a, b):\n    c = a - b\n    return c\n\n\ndef one():\n    return 1\n",
    "tests/test_a.py": (
        "import pytest, unittest\nfrom calc import add, one\n\n\n"
        "def test_passes():\n    assert one() == 1\n\n\n"
        "def test_fails():\n    assert add(1, 2) == 3\n\n\n"
        "def test_raises():\n    {}['x']\n\n\n"
        "def test_says_so():\n    pytest.fail('no')\n\n\n"
        "def test_does_not_raise():\n    with pytest.raises(ValueError):\n        one()\n\n\n"
        "def test_skips():\n    pytest.skip('later')\n\n\n"
        "@pytest.mark.xfail\ndef test_known():\n    assert False\n\n\n"
        "@pytest.mark.xfail(strict=True)\ndef test_mended():\n    pass\n\n\n"
        "@pytest.fixture\ndef broken():\n    assert False\n\n\n"
        "def test_set_up(broken):\n    pass\n\n\n"
        "@pytest.mark.parametrize('n', [1, 2, 'a::b', 'c d'])\n"
        "def test_each(n):\n    assert n != 2\n\n\n"
        "class TestCase(unittest.TestCase):\n"
        "    def test_unit(self):\n        self.assertEqual(1, 2)\n"
    ),
    "tests/test_b.py": "import absent\n",
}
EXPECTED = {
    "test_passes": ("passed", False),
    "test_fails": ("failed", True),
    "test_raises": ("failed", False),
    "test_says_so": ("failed", True),
    "test_does_not_raise": ("failed", True),
    "test_skips": ("skipped", False),
    "test_known": ("xfailed", False),
    "test_mended": ("failed", False),
    "test_set_up": ("error", False),
    "test_each[1]": ("passed", False),
    "test_each[2]": ("failed", True),
    "test_each[a::b]": ("passed", False),
    "test_each[c d]": ("passed", False),
    "TestCase::test_unit": ("failed", True),
}


@pytest.fixture(params=["bubblewrap", "none"])
async def session(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    sandbox = NoSandbox() if request.param == "none" else Bubblewrap()
    try:
        await sandbox.probe()
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    for path, text in FILES.items():
        (tmp_path / "t" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "t" / path).write_text(text)
    session = await sandbox.open(find_environment(None).spec(tmp_path / "t"))
    yield session
    await session.close()


async def test_every_outcome_is_told(session: Any) -> None:
    run = await run_tests(session, find_environment(None), canary=canary_name())
    assert run.problem == ""
    prefix = "tests/test_a.py::"
    told = {
        key.removeprefix(prefix): (result.outcome, result.assertion)
        for key, result in run.results.items()
        if key.startswith(prefix)
    }
    assert told == EXPECTED
    broken = run.results["tests/test_b.py"]
    assert (broken.outcome, broken.exception) == ("error", "ModuleNotFoundError")
    assert run.canary not in run.output
    assert ".acp-" not in run.output


async def test_single_ids_can_be_run(session: Any) -> None:
    ids = ["tests/test_a.py::test_each[a::b]", "tests/test_a.py::test_each[c d]"]
    run = await run_tests(
        session, find_environment(None), Selection.of_ids(ids), canary=canary_name()
    )
    assert set(run.results) == set(ids)
    assert run.problem == ""


async def test_the_ids_that_run_certain_lines_are_known(session: Any) -> None:
    chosen = Selection(lines={"calc.py": (2,)})
    run = await run_tests(session, find_environment(None), chosen, canary=canary_name())
    assert run.reached == {"tests/test_a.py::test_fails"}


async def test_a_file_that_is_not_there_makes_the_run_untrusted(session: Any) -> None:
    chosen = Selection(paths=("tests/test_nowhere.py",))
    run = await run_tests(session, find_environment(None), chosen, canary=canary_name())
    assert run.problem
