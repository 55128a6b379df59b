"""Modules that a build has written are found where the tree under test does not hold them."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import pytest

from pipeline.environment.generated import keep_generated, listing
from pipeline.errors import UnsafePath
from tests.unit.environment.providing import written


@pytest.fixture
def env(tmp_path: Path) -> Path:
    venv.EnvBuilder(symlinks=True, with_pip=False).create(tmp_path / "env")
    return tmp_path / "env"


def built(tmp_path: Path, files: dict[str, str]) -> tuple[Path, frozenset[str]]:
    """A tree with a package, and what stood there before the build."""
    tree = written(tmp_path / "tree", {"src/pkg/__init__.py": "from ._version import v\n"}).root
    before = listing(tree)
    written(tree, files)
    return tree, before


def test_a_written_version_is_imported_though_the_tree_has_none(tmp_path: Path, env: Path) -> None:
    tree, before = built(tmp_path, {"src/pkg/_version.py": "v = '1.2'\n"})
    assert keep_generated(tree, before, env, ["src", "."]) == ["pkg/_version.py"]
    (tree / "src/pkg/_version.py").unlink()
    code = f"import sys; sys.path.insert(0, {str(tree / 'src')!r}); import pkg; print(pkg.v)"
    argv = [str(env / "bin" / "python"), "-c", code]
    assert subprocess.check_output(argv, text=True) == "1.2\n"


def test_the_trees_own_module_goes_first(tmp_path: Path, env: Path) -> None:
    tree, before = built(tmp_path, {"src/pkg/_version.py": "v = '1.2'\n"})
    keep_generated(tree, before, env, ["src", "."])
    (tree / "src/pkg/_version.py").write_text("v = '2.0'\n")
    code = f"import sys; sys.path.insert(0, {str(tree / 'src')!r}); import pkg; print(pkg.v)"
    argv = [str(env / "bin" / "python"), "-c", code]
    assert subprocess.check_output(argv, text=True) == "2.0\n"


def test_only_new_modules_of_the_project_are_kept(tmp_path: Path, env: Path) -> None:
    name = f"_speed.{sys.implementation.cache_tag}-x86_64-linux-gnu.so"
    files = {
        f"src/pkg/{name}": "",
        "src/pkg/data.txt": "",
        "src/pkg.egg-info/x.py": "",
        "build/lib/pkg/x.py": "",
        "src/pkg/__pycache__/x.py": "",
        "top.py": "",
    }
    tree, before = built(tmp_path, files)
    (tree / "src/pkg/linked.py").symlink_to("/etc/passwd")
    assert set(keep_generated(tree, before, env, ["src", "."])) == {f"pkg/{name}", "top.py"}


def test_nothing_is_written_where_nothing_was_generated(tmp_path: Path, env: Path) -> None:
    tree, before = built(tmp_path, {})
    assert keep_generated(tree, before, env, ["src"]) == []
    assert not list(env.rglob("acp_generated*"))


def test_a_link_that_a_set_up_left_does_not_lead_our_writing_out(tmp_path: Path, env: Path) -> None:
    tree, before = built(tmp_path, {"src/pkg/_version.py": ""})
    outside = tmp_path / "outside"
    outside.mkdir()
    (env / "generated").symlink_to(outside)
    with pytest.raises(UnsafePath):
        keep_generated(tree, before, env, ["src"])
    assert list(outside.iterdir()) == []
