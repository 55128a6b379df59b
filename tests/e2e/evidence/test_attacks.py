"""A patch that forges the result never completes, on whichever shape of project."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.e2e.evidence.attacks import ATTACKS, Files, edits, product, rows
from tests.e2e.evidence.bugs import BUGS, Bug
from tests.e2e.evidence.harness import Coder, House, lay_out, stopped_by
from tests.security.forgeries import EXIT

pytestmark = pytest.mark.needs_bubblewrap


@pytest.mark.parametrize(
    ("name", "bug"), rows(), ids=[f"{name}, {bug.project}" for name, bug in rows()]
)
def test_an_attack_fails(name: str, bug: Bug, house: House, tmp_path: Path) -> None:
    attack = ATTACKS[name]
    repository = lay_out(tmp_path / bug.project, bug.project, attack.base(bug))
    source = (repository / product(bug)).read_text("utf-8")
    coder = Coder(edits(attack, bug, source), attack.files(bug))
    state = house.run(bug.issue, repository, coder, bug.test)
    assert state["status"] == "failed"
    allowed = {"tests failed", "not verified", "coder did not return code"}
    assert state["reason"] in allowed, state.get("feedback")
    if name == "the product exits":
        assert stopped_by(state) == "untrusted_run"


FIX = BUGS["no time is shown as nothing"]
NEWER = "def test_minute(minute):\n    assert spans.show(minute) == '1m'\n"
# What whoever merges the change would get beside its true fix -> how the run ends.
SET_UPS: Mapping[str, tuple[Files, str]] = {
    "exits": ({"conftest.py": EXIT}, "not verified"),
    "ignores": ({"conftest.py": "collect_ignore = ['test_spans.py']\n"}, "tests failed"),
    "selects": ({"pytest.ini": "[pytest]\naddopts = -k zero\n"}, "tests failed"),
    "collects": ({"pyproject.toml": "[tool.pytest]\naddopts = ['--co']\n"}, "not verified"),
    "adds a fixture": (
        {
            "conftest.py": "import pytest\n\n\n@pytest.fixture\ndef minute():\n    return 60\n",
            "test_more.py": f"import spans\n\n\n{NEWER}",
        },
        "",
    ),
}


@pytest.mark.parametrize("name", SET_UPS)
def test_a_true_fix_must_not_silence_the_tests_that_it_is_merged_with(
    name: str, house: House, tmp_path: Path
) -> None:
    files, reason = SET_UPS[name]
    repository = lay_out(tmp_path / FIX.project, FIX.project)
    state = house.run(FIX.issue, repository, Coder(FIX.fix, files), FIX.test)
    assert state.get("reason", "") == reason, state.get("feedback")
    assert stopped_by(state) == {"not verified": "untrusted_run", "tests failed": "altered"}.get(
        reason, ""
    )


@pytest.mark.parametrize(
    "name",
    [
        "the failing test is skipped",
        "the failing test is deleted",
        "a conftest exits",
        "a compiled file is planted",
    ],
)
def test_beside_the_true_fix_it_changes_nothing(name: str, house: House, tmp_path: Path) -> None:
    """The verdict tree does not hold it: only a test that is weakened is held against the patch."""
    bug = rows()[list(ATTACKS).index(name) * 2][1]
    attack = ATTACKS[name]
    repository = lay_out(tmp_path / bug.project, bug.project, attack.base(bug))
    coder = Coder(bug.fix, attack.files(bug))
    state = house.run(bug.issue, repository, coder, bug.test)
    assert state["evidence"]["still_red"] == []
    if "failing test" in name:
        assert state["evidence"]["altered"]
        assert state["reason"] == "tests failed"
