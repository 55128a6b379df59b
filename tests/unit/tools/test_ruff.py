from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipeline.tools.ruff import format_paths
from tests.unit.verification.judging import court

if TYPE_CHECKING:
    from pathlib import Path

UGLY = "import os\nimport sys\nx = {  'a':1 }\nprint(sys.path)\n"


async def formatted(tmp_path: Path, files: Any, paths: Any) -> Any:
    async with court(tmp_path, files) as it:
        outcome = await format_paths(it.workspace, paths)
        texts = {path: await it.workspace.read(path) for path in files}
        assert await it.workspace.files() == sorted(files)
    return outcome, texts


async def test_only_the_touched_python_files_are_fixed_and_formatted(tmp_path: Path) -> None:
    files = {"a.py": UGLY, "b.py": UGLY, "notes.md": "x = {  'a':1 }\n", "c.pyi": "x : int\n"}
    outcome, texts = await formatted(tmp_path, files, ["a.py", "notes.md", "c.pyi"])
    assert texts["a.py"] == 'import sys\n\nx = {"a": 1}\nprint(sys.path)\n'
    assert texts["b.py"] == UGLY
    assert texts["notes.md"] == files["notes.md"]
    assert texts["c.pyi"] == "x: int\n"
    assert outcome.files == ("a.py", "c.pyi")
    assert outcome.describe() == "Ruff went over 2 file(s)"


async def test_the_repositorys_own_configuration_holds(tmp_path: Path) -> None:
    config = 'exclude = ["gen"]\n[format]\nquote-style = "single"\n[lint]\nselect = ["E"]\n'
    files = {"ruff.toml": config, "a.py": UGLY, "gen/b.py": UGLY}
    outcome, texts = await formatted(tmp_path, files, ["a.py", "gen/b.py"])
    assert texts["a.py"] == "import os\nimport sys\n\nx = {'a': 1}\nprint(sys.path)\n"
    assert texts["gen/b.py"] == UGLY
    assert outcome.problem == ""


async def test_lint_that_cannot_be_fixed_is_no_problem(tmp_path: Path) -> None:
    outcome, _ = await formatted(tmp_path, {"a.py": "print(nothing)\n"}, ["a.py"])
    assert outcome.problem == ""


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"ruff.toml": "line-length = 'long'\n", "a.py": UGLY}, "ruff.toml"),
        ({"pyproject.toml": "[tool.ruff\n", "a.py": UGLY}, "pyproject.toml"),
        ({"a.py": "def f(:\n"}, "a.py"),
    ],
)
async def test_what_ruff_cannot_read_is_reported_and_nothing_changes(
    tmp_path: Path, files: Any, said: Any
) -> None:
    outcome, texts = await formatted(tmp_path, files, ["a.py"])
    assert said in outcome.problem
    assert outcome.describe().startswith("Ruff could not format: ")
    assert texts["a.py"] == files["a.py"]


async def test_without_python_files_ruff_does_not_run(tmp_path: Path) -> None:
    outcome, _ = await formatted(tmp_path, {"a.txt": "x"}, ["a.txt"])
    assert outcome.describe() == "nothing to format"
    assert outcome.files == ()


async def test_a_file_whose_name_looks_like_an_option_is_a_file(tmp_path: Path) -> None:
    outcome, texts = await formatted(tmp_path, {"--x.py": UGLY}, ["--x.py"])
    assert outcome.problem == ""
    assert texts["--x.py"].startswith("import sys\n\nx")
