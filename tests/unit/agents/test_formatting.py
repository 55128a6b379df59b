"""The formatter changes what the change touches, and only where Ruff had the say before."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.agents.base import Seat
from pipeline.agents.formatting import FormattingAgent
from pipeline.environment import find_environment
from pipeline.progress import Progress
from pipeline.sandbox.none import NoSandbox
from pipeline.state import PipelineState
from pipeline.workspace.repository import Repository
from pipeline.workspace.workspace import Workspace

TIDY = 'import sys\n\nx = {"a": 1}\nprint(sys.path, x)\n'
OWN_STYLE = "import sys\nx = { 'a': 1 }\nprint(sys.path, x)\n"
SLOPPY = "y = {  'b':2 }\n"


@pytest.fixture
async def formatted(tmp_path: Path, seat: Seat) -> dict[str, str]:
    """One seat over a base of a tidy and a foreign file, each with a sloppy line added."""
    repository = await Repository.open(None, scratch=tmp_path)
    tree = repository.base_tree
    for path, text in {"tidy.py": TIDY, "own.py": OWN_STYLE, "rest.py": SLOPPY}.items():
        tree = await repository.write(tree, path, text.encode())
    repository.base_tree = tree
    sandbox, environment = NoSandbox(), find_environment(None)
    async with await Workspace.open(
        repository, tree, lambda root: sandbox.open(environment.spec(root)), scratch=tmp_path
    ) as workspace:
        for path, text in {"tidy.py": TIDY, "own.py": OWN_STYLE, "new.py": ""}.items():
            await workspace.write(path, text + SLOPPY)
        await FormattingAgent().run(PipelineState(task="t"), workspace, seat)
        texts = {path: await workspace.read(path) for path in await workspace.files()}
    await repository.close()
    return texts


async def test_a_file_is_formatted_only_where_ruff_had_the_say(
    formatted: dict[str, str], told: list[Progress]
) -> None:
    assert formatted == {
        "tidy.py": TIDY + 'y = {"b": 2}\n',
        "new.py": 'y = {"b": 2}\n',
        "own.py": OWN_STYLE + SLOPPY,
        "rest.py": SLOPPY,
    }
    assert [line.text for line in told] == [
        "Ruff went over 2 file(s)",
        "left in the style they had: own.py",
    ]
