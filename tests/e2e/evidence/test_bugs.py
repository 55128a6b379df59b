"""Every bug of every project: the true fix completes, and nothing else does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.evidence.bugs import BREAKS, BUGS
from tests.e2e.evidence.harness import Coder, House, end_of, lay_out, stopped_by

pytestmark = pytest.mark.needs_bubblewrap


@pytest.mark.parametrize("name", BUGS)
def test_only_the_true_fix_completes(name: str, house: House, tmp_path: Path) -> None:
    bug = BUGS[name]
    repository = lay_out(tmp_path / bug.project, bug.project)
    attempts = {
        "completed": Coder(bug.fix),
        "failed - coder did not return code": Coder(),
        "failed - tests failed": Coder(bug.wrong),
    }
    ends = {}
    for expected, coder in attempts.items():
        state = house.run(bug.issue, repository, coder, bug.test)
        ends[expected] = end_of(state)
        assert ends[expected] == expected, state.get("feedback")
        if coder.edits == bug.wrong:
            assert stopped_by(state) in {"still_red", "regression"}
    breaking = house.run(bug.issue, repository, Coder([*bug.fix, BREAKS[bug.project]]), bug.test)
    assert end_of(breaking) == "failed - tests failed"
    assert stopped_by(breaking) == "regression", breaking["feedback"]
