"""Hostile patches and trees: refused before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import CheckoutError, PatchError
from pipeline.workspace.repository import Repository
from pipeline.workspace.workspace import Workspace
from tests.security.hostile import (
    all_files,
    open_plain,
    run,
)


@pytest.mark.parametrize(
    "patch",
    [
        "--- /dev/null\n+++ b/../../outside\n@@ -0,0 +1 @@\n+x\n",
        "--- /dev/null\n+++ b//tmp/outside\n@@ -0,0 +1 @@\n+x\n",
        "--- /dev/null\n+++ b/.git/hooks/pre-commit\n@@ -0,0 +1 @@\n+x\n",
        "--- /dev/null\n+++ b/sub/.GIT/config\n@@ -0,0 +1 @@\n+x\n",
        "diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/tmp\n"
        "\\ No newline at end of file\n"
        "diff --git a/l/x b/l/x\nnew file mode 100644\n--- /dev/null\n+++ b/l/x\n"
        "@@ -0,0 +1 @@\n+x\n",
    ],
)
async def test_a_hostile_patch_is_refused_and_writes_nowhere(
    user: Path, scratch: Path, tmp_path: Path, patch: str
) -> None:
    async with await Repository.open(str(user), scratch=scratch) as repository:
        before = all_files(tmp_path)
        with pytest.raises(PatchError):
            await repository.apply(repository.base_tree, patch)
        assert all_files(tmp_path) == before


async def test_a_tree_in_which_a_link_is_also_a_directory_is_refused(
    user: Path, scratch: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    link = run(user, "hash-object", "-w", "--stdin", stdin=str(outside).encode()).decode().strip()
    blob = run(user, "hash-object", "-w", "--stdin", stdin=b"pwned").decode().strip()
    below = run(user, "mktree", stdin=f"100644 blob {blob}\tb\n".encode()).decode().strip()
    raw = b"120000 a\0" + bytes.fromhex(link) + b"40000 a\0" + bytes.fromhex(below)
    literally = ("hash-object", "-t", "tree", "-w", "--literally", "--stdin")
    tree = run(user, *literally, stdin=raw).decode().strip()
    sha = run(user, "commit-tree", "-m", "x", tree).decode().strip()
    run(user, "update-ref", "refs/heads/crafted", sha)
    with pytest.raises(CheckoutError, match="cannot be checked out safely"):
        await Repository.open(str(user), ref="crafted", scratch=scratch)
    assert list(outside.iterdir()) == []


async def test_a_tree_of_old_tools_compares_equal_after_a_checkout(
    user: Path, scratch: Path
) -> None:
    blob = run(user, "hash-object", "-w", "--stdin", stdin=b"old").decode().strip()
    raw = b"100664 f\0" + bytes.fromhex(blob)
    literally = ("hash-object", "-t", "tree", "-w", "--literally", "--stdin")
    tree = run(user, *literally, stdin=raw).decode().strip()
    sha = run(user, "commit-tree", "-m", "x", tree).decode().strip()
    run(user, "update-ref", "refs/heads/old", sha)
    repository = await Repository.open(str(user), ref="old", scratch=scratch)
    opened = await Workspace.open(repository, repository.base_tree, open_plain, scratch=scratch)
    async with repository, opened as workspace:
        assert await workspace.snapshot() == repository.base_tree != tree
