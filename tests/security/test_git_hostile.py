"""Hostile repositories and trees: a marker file is the evidence that host git ran their code."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pipeline.workspace.objects import bytes_of
from pipeline.workspace.repository import Repository
from pipeline.workspace.workspace import Workspace
from tests.security.hostile import (
    ATTRIBUTES,
    HOOKS,
    MESSY,
    add_hooks,
    config,
    open_plain,
    ran,
    run,
)


def test_the_trap_works(user: Path, marker: Path) -> None:
    os.utime(user / "d.txt", (1, 1))
    subprocess.run(["git", "status"], cwd=user, capture_output=True, check=False)
    assert marker.exists()


async def test_a_hostile_repository_is_cloned_used_and_given_a_branch_without_running_anything(
    user: Path, scratch: Path, marker: Path
) -> None:
    repository = await Repository.open(str(user), scratch=scratch)
    opened = await Workspace.open(repository, repository.base_tree, open_plain, scratch=scratch)
    async with repository, opened as workspace:
        for name, data in MESSY.items():
            assert (workspace.root / name).read_bytes() == data
        assert await workspace.snapshot() == repository.base_tree
        for name, data in MESSY.items():
            await workspace.write(name, data + b"more\r\n$Id$\n\xff")
        tree, diff = await workspace.snapshot(), await workspace.diff()
        assert await repository.apply(repository.base_tree, diff) == tree
        await workspace.reset(tree)
        assert await workspace.snapshot() == tree
        commit = await repository.commit(tree, "x", parent=repository.base_sha)
        await repository.publish_branch(commit, "acp/x")
    assert not ran(marker)


async def test_looking_for_uncommitted_changes_runs_nothing(
    user: Path, scratch: Path, marker: Path
) -> None:
    # Git reads the content of a file, and so runs its filter, where time stamps leave it in doubt.
    for number, name in enumerate(("racy", "old", "new")):
        stamp = {"racy": (user / ".git" / "index").stat().st_mtime, "old": 1.0, "new": 4e9}[name]
        os.utime(user / "d.txt", (stamp, stamp))
        async with await Repository.open(str(user), scratch=scratch / str(number)) as opened:
            assert opened.dirty is False
    assert not ran(marker)


async def test_a_hostile_remote_is_cloned_without_running_anything(
    user: Path, scratch: Path, marker: Path
) -> None:
    async with await Repository.open(user.as_uri(), scratch=scratch) as repository:
        assert repository.base_sha
    assert not ran(marker)


@pytest.mark.parametrize("hook", HOOKS)
async def test_an_ordinary_hook_of_the_user_does_not_run_on_publishing(
    user: Path, scratch: Path, marker: Path, hook: str
) -> None:
    run(user, "config", "--unset", "core.hooksPath")
    run(user, "config", "--unset", "core.fsmonitor")
    async with await Repository.open(str(user), scratch=scratch) as repository:
        tree = await repository.write(repository.base_tree, "new", b"x")
        commit = await repository.commit(tree, "x", parent=repository.base_sha)
        await repository.publish_branch(commit, "acp/x")
    assert run(user, "rev-parse", "acp/x").decode().strip() == commit
    assert not ran(marker), hook


async def test_hostile_leftovers_in_a_work_tree_run_nothing(
    user: Path, scratch: Path, marker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = await Repository.open(str(user), scratch=scratch)
    opened = await Workspace.open(repository, repository.base_tree, open_plain, scratch=scratch)
    async with repository, opened as workspace:
        root = workspace.root
        for place in (root, root / "nested", root / "deep" / "er"):
            place.mkdir(parents=True, exist_ok=True)
            run(place, "init", "-q")
            (place / "code.py").write_text("x = 1\n")
            (place / ".gitattributes").write_text(ATTRIBUTES)
            (place / ".git" / "config").write_text(config(marker))
            add_hooks(place / ".git" / "hooks", marker)
        # A bare repository that lies open in the tree, and a .git file that points to it.
        run(root, "init", "-q", "--bare", "bare")
        (root / "bare" / "config").write_text(config(marker))
        (root / "pointer").mkdir()
        (root / "pointer" / ".git").write_text(f"gitdir: {root}/bare\n")
        (root / ".gitmodules").write_text(
            f'[submodule "x"]\n\tpath = nested\n\turl = ext::touch {marker}\n\tupdate = !touch\n'
        )
        (root / ".gitconfig").write_text(config(marker))
        monkeypatch.setenv("HOME", str(root))
        monkeypatch.setenv("GIT_EXTERNAL_DIFF", f"touch {marker}")
        monkeypatch.chdir(root)
        tree, diff = await workspace.snapshot(), await workspace.diff()
        assert await repository.apply(repository.base_tree, diff) == tree
        paths = await repository.paths(tree)
        assert "nested/code.py" in paths
        assert not any(".git" in path.split("/") for path in paths)
        modes = {change.new_mode for change in await repository.changes(repository.base_tree, tree)}
        assert modes <= {0o100644, 0o100755}
        await workspace.reset(tree)
    assert not ran(marker)


async def test_an_ignore_file_that_is_a_link_is_not_followed(user: Path, scratch: Path) -> None:
    secret = scratch / "secret"
    secret.write_text("hidden-*\n")
    repository = await Repository.open(str(user), scratch=scratch)
    opened = await Workspace.open(repository, repository.base_tree, open_plain, scratch=scratch)
    async with repository, opened as workspace:
        (workspace.root / ".gitignore").symlink_to(secret)
        (workspace.root / "hidden-1").write_text("x")
        tree = await workspace.snapshot()
        assert {".gitignore", "hidden-1"} <= set(await repository.paths(tree))
        assert await repository.read(tree, ".gitignore") == bytes_of(str(secret))
        assert "hidden-*" not in await workspace.diff()
