"""Projects that are not Python's: the same ends, by what their own runners tell of each test."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.repo_config import read, recipes
from pipeline.environment.provision import Provisioner
from pipeline.environment.supply import Supply
from tests.e2e.evidence.harness import House, commit, end_of, stopped_by
from tests.e2e.evidence.stacks import GO_ROWS, ISSUE, MAKE_ROWS, NODE_ROWS, Row

pytestmark = pytest.mark.needs_bubblewrap
ROWS = {
    f"{language}: {name}": row
    for language, rows in (("node", NODE_ROWS), ("make", MAKE_ROWS), ("go", GO_ROWS))
    for name, row in rows.items()
}
PROGRAMS = {"node": ("node",), "make": ("node", "make"), "go": ("go",)}


@pytest.fixture(scope="module")
def foreign(house: House, tmp_path_factory: pytest.TempPathFactory) -> House:
    """The house with environments for other languages."""
    home = tmp_path_factory.mktemp("environments")
    home.chmod(0o711)
    supply = Supply(Provisioner(home), reads=lambda data: recipes(read(data)))
    return replace(house, supply=supply)


@pytest.mark.parametrize("name", ROWS)
def test_another_stack_has_its_end(name: str, foreign: House, tmp_path: Path) -> None:
    row, needed = ROWS[name], PROGRAMS[name.partition(":")[0]]
    if missing := [program for program in needed if shutil.which(program) is None]:
        pytest.skip(f"{missing[0]} is not on this machine")
    (tmp_path / "calc").mkdir()
    repository = commit(tmp_path / "calc", {**row.stack.files, **row.base})
    state = foreign.run(ISSUE, repository, row.coder, row.stack.test)
    assert end_of(state) == row.end, state.get("feedback")
    assert stopped_by(state) == row.rule if row.rule else not row.rule
