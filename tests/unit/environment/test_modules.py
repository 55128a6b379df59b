"""Node's packages, kept from a tree that a set-up filled for the trees that come after it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.environment.modules import OutOfPlace, keep_modules, modules_mounts
from tests.unit.environment.providing import written


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return written(tmp_path / "tree", {"node_modules/a/index.js": "", "index.js": ""}).root


@pytest.fixture
def env(tmp_path: Path) -> Path:
    (tmp_path / "env").mkdir()
    return tmp_path / "env"


def shown(env: Path, kept: dict[str, str]) -> dict[str, str]:
    return {one.target: str(one.source.relative_to(env)) for one in modules_mounts(env, kept)}


def test_packages_stand_in_later_trees_where_they_stood(tree: Path, env: Path) -> None:
    written(tree, {"packages/x/node_modules/b/index.js": "", "node_modules/a/node_modules/c": ""})
    kept = keep_modules(tree, ".", env)
    assert shown(env, kept) == {
        "/workspace/node_modules": "node_modules",
        "/workspace/packages/x/node_modules": "workspaces/1",
    }
    assert (env / "node_modules/a/node_modules/c").exists()
    assert not (tree / "node_modules").exists()


def test_of_a_folder_of_the_tree_only_its_own_packages_are_kept(tree: Path, env: Path) -> None:
    written(tree, {"web/node_modules/b/index.js": ""})
    kept = keep_modules(tree, "web", env)
    assert shown(env, kept) == {"/workspace/web/node_modules": "node_modules"}
    assert (tree / "node_modules").exists()


def test_what_lines_put_into_the_environment_themselves_is_shown(tmp_path: Path, env: Path) -> None:
    (tmp_path / "empty").mkdir()
    (env / "node_modules").mkdir()
    kept = keep_modules(tmp_path / "empty", ".", env)
    assert shown(env, kept) == {"/workspace/node_modules": "node_modules"}


@pytest.mark.parametrize("name", ["node_modules", "workspaces"])
def test_nothing_is_moved_through_a_link(tree: Path, env: Path, name: str) -> None:
    host = written(tree.parent / "host", {"key": ""}).root
    written(tree, {"x/node_modules/b": ""})
    (env / name).symlink_to(host)
    with pytest.raises(OutOfPlace):
        keep_modules(tree, ".", env)
    assert [path.name for path in host.iterdir()] == ["key"]


def test_packages_in_both_places_are_refused(tree: Path, env: Path) -> None:
    written(env, {"node_modules/other/index.js": ""})
    with pytest.raises(OutOfPlace):
        keep_modules(tree, ".", env)


def test_a_link_that_took_the_place_of_packages_is_never_shown(tree: Path, env: Path) -> None:
    kept = keep_modules(tree, ".", env)
    (env / "node_modules").rename(env / "moved")
    (env / "node_modules").symlink_to(tree.parent)
    assert shown(env, kept) == {}
