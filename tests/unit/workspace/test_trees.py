"""Trees made from trees."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from pipeline.errors import CheckoutError, PatchError, UnsafePath, WorkspaceError
from pipeline.workspace.repository import Repository


async def test_one_path_is_read_written_and_removed(repository: Repository) -> None:
    base = repository.base_tree
    tree = await repository.write(base, "./new/ü.txt", b"\xff", 0o100755)
    assert await repository.read(tree, "new/ü.txt") == b"\xff"
    (change,) = await repository.changes(base, tree)
    assert (change.status, change.old_mode, change.new_mode) == ("A", 0, 0o100755)
    assert await repository.write(tree, "new/ü.txt", None) == base
    assert await repository.write(base, "never/there", None) == base
    for missing in ("nope", "pkg", "pkg/mod.py/x"):
        with pytest.raises(FileNotFoundError):
            await repository.read(base, missing)
    for path in ("../x", "/x", ".git/config", "a/.GIT/x"):
        with pytest.raises(UnsafePath):
            await repository.write(base, path, b"x")
    with pytest.raises(WorkspaceError, match="not a mode"):
        await repository.write(base, "x", b"x", 0o160000)


async def test_a_file_may_take_the_place_of_a_directory(repository: Repository) -> None:
    tree = await repository.write(repository.base_tree, "pkg", b"file\n")
    assert await repository.paths(tree) == ("app.py", "pkg")
    tree = await repository.write(tree, "pkg/deep/x", b"x\n")
    assert await repository.paths(tree) == ("app.py", "pkg/deep/x")


async def test_a_rename_is_found(repository: Repository) -> None:
    base = repository.base_tree
    tree = await repository.write(base, "app.py", None)
    tree = await repository.write(tree, "main.py", b"print('hello')\n")
    (change,) = await repository.changes(base, tree)
    assert (change.status, change.old_path, change.path) == ("R", "app.py", "main.py")
    diff = await repository.diff(base, tree)
    assert "rename from app.py\nrename to main.py\n" in diff


async def test_a_diff_may_be_limited_to_paths_taken_literally(repository: Repository) -> None:
    base = repository.base_tree
    tree = await repository.write(base, "*.py", b"star\n")
    tree = await repository.write(tree, "app.py", b"changed\n")
    diff = await repository.diff(base, tree, ["*.py"])
    assert "b/*.py" in diff
    assert "app.py" not in diff
    assert await repository.diff(base, tree, ["pkg"]) == ""


async def test_an_overlay_restores_and_removes_matching_paths(repository: Repository) -> None:
    base = repository.base_tree
    tree = await repository.write(base, "pkg/mod.py", b"X = 2\n")
    tree = await repository.write(tree, "pkg/new.py", b"new\n")
    tree = await repository.write(tree, "app.py", b"changed\n")
    mixed = await repository.overlay(tree, base, lambda path: path.startswith("pkg/"))
    assert await repository.paths(mixed) == ("app.py", "pkg/mod.py")
    assert await repository.read(mixed, "pkg/mod.py") == b"X = 1\n"
    assert await repository.read(mixed, "app.py") == b"changed\n"


async def test_a_diff_that_does_not_apply_is_a_patch_error(repository: Repository) -> None:
    base = repository.base_tree
    tree = await repository.write(base, "app.py", b"other\n")
    diff = await repository.diff(base, tree)
    assert await repository.apply(base, "") == base
    assert await repository.apply(base, diff.rstrip("\n")) == tree
    hostile = diff.replace("app.py", "../app.py")
    for bad in (diff, "no diff at all", "half \ud800", hostile):
        with pytest.raises(PatchError):
            await repository.apply(tree, bad)


async def test_calls_on_one_repository_may_overlap(repository: Repository) -> None:
    base = repository.base_tree
    trees = await asyncio.gather(*(repository.write(base, f"f{n}", b"%d" % n) for n in range(8)))
    listed = await asyncio.gather(*(repository.paths(tree) for tree in trees))
    assert [paths[1] for paths in listed] == [f"f{n}" for n in range(8)]


async def test_only_a_tree_id_is_taken_for_a_tree(repository: Repository) -> None:
    for bad in ("HEAD", "--all", "", "0" * 39):
        with pytest.raises(WorkspaceError, match="not a tree id"):
            await repository.paths(bad)


async def test_a_directory_that_exists_is_not_checked_out_over(
    repository: Repository, tmp_path: Path
) -> None:
    with pytest.raises(CheckoutError, match="cannot check out"):
        await repository.checkout(repository.base_tree, tmp_path)


async def test_closing_removes_the_git_directory_and_may_be_repeated(
    user: Path, scratch: Path
) -> None:
    opened = await Repository.open(str(user), scratch=scratch)
    await opened.close()
    await opened.close()
    assert os.listdir(scratch) == []  # noqa: PTH208 - pathlib blocks just as well


async def test_a_relative_scratch_directory_works(
    user: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(scratch.parent)
    async with await Repository.open("user", scratch=Path("scratch")) as opened:
        await opened.checkout(opened.base_tree, Path("out"))
        assert sorted(os.listdir("out")) == ["app.py", "pkg"]  # noqa: PTH208 - a relative path
