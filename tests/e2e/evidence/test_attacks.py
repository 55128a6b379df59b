"""A patch that forges the result never completes, on whichever shape of project."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.evidence.attacks import ATTACKS, edits, product, rows
from tests.e2e.evidence.bugs import Bug
from tests.e2e.evidence.harness import Coder, House, lay_out, stopped_by

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
