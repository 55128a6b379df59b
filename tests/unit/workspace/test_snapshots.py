"""What counts as content of a session, and what a second snapshot reads again."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.sandbox.base import Entry, Session
from pipeline.workspace.repository import Repository
from pipeline.workspace.snapshots import settled
from pipeline.workspace.workspace import Workspace


class Counted:
    """A session that remembers what was read."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.read: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    async def get(self, path: str, max_bytes: int) -> bytes:
        self.read.append(path)
        return await self._session.get(path, max_bytes)

    async def entries(self) -> Sequence[Entry]:
        return await self._session.entries()


def settle(directory: Path) -> None:
    """Wait until the stamps of everything written so far are older than a tick of the clock."""
    probe = directory.parent / "probe"
    while True:
        probe.write_text("x")
        newest = max(path.lstat().st_ctime_ns for path in directory.rglob("*"))
        if probe.stat().st_ctime_ns > newest + 100_000_000:
            return
        os.sched_yield()


async def names(workspace: Workspace) -> tuple[str, ...]:
    return await workspace.repository.paths(await workspace.snapshot())


async def test_ignored_new_files_do_not_count_and_tracked_ones_always_do(
    user: Path, scratch: Path, git: Any, open_session: Any
) -> None:
    (user / "kept.log").write_text("tracked\n")
    git(user, "add", "-A")
    (user / ".gitignore").write_text("*.log\n/build/\n!keep.log\n")
    (user / "pkg" / ".gitignore").write_text("local\n")
    git(user, "add", "-A")
    git(user, "commit", "-q", "-m", "ignore")
    repository = await Repository.open(str(user), scratch=scratch)
    opened = await Workspace.open(repository, repository.base_tree, open_session, scratch=scratch)
    async with repository, opened as workspace:
        before = await names(workspace)
        assert "kept.log" in before
        for path in ("x.log", "build/out", "pkg/local", "pkg/local.log", "a/b/c.log"):
            await workspace.write(path, "ignored")
        for path in ("keep.log", "sub/build/out", "local", "build.txt"):
            await workspace.write(path, "counts")
        await workspace.write("kept.log", "changed\n")
        after = await names(workspace)
        assert set(after) - set(before) == {"keep.log", "sub/build/out", "local", "build.txt"}
        tree = await workspace.snapshot()
        assert await repository.read(tree, "kept.log") == b"changed\n"


async def test_odd_names_are_matched_literally_by_the_ignore_rules(workspace: Workspace) -> None:
    await workspace.write(".gitignore", "*.log\n")
    odd = [":(top)x", ":!y", "*", "[a].txt", "new\nline", " lead", "-d", "\udcff", "#x", "back\\s"]
    for name in odd:
        await workspace.write(name, "x")
        await workspace.write(f"{name}.log", "x")
    assert set(odd) <= set(await names(workspace))
    assert not any(name.endswith(".log") for name in await names(workspace))


async def test_what_python_tools_leave_behind_never_counts(workspace: Workspace) -> None:
    before = await workspace.snapshot()
    for path in (
        "__pycache__/app.cpython-311.pyc",
        "pkg/__pycache__/x",
        "old.pyc",
        ".pytest_cache/v/x",
        ".ruff_cache/x",
        "pkg/.mypy_cache/x",
        ".hypothesis/x",
    ):
        await workspace.write(path, "x")
    assert await workspace.snapshot() == before


async def test_a_tracked_compiled_file_counts(
    user: Path, scratch: Path, git: Any, open_session: Any
) -> None:
    (user / "data.pyc").write_bytes(b"\0one")
    git(user, "add", "-f", "-A")
    git(user, "commit", "-q", "-m", "compiled")
    repository = await Repository.open(str(user), scratch=scratch)
    opened = await Workspace.open(repository, repository.base_tree, open_session, scratch=scratch)
    async with repository, opened as workspace:
        assert await workspace.snapshot() == repository.base_tree
        await workspace.write("data.pyc", b"\0two")
        assert "data.pyc" in await workspace.diff()


async def test_a_tree_that_was_set_counts_as_a_whole_even_where_ignored(
    workspace: Workspace,
) -> None:
    repository = workspace.repository
    tree = await repository.write(repository.base_tree, ".gitignore", b"*.txt\n")
    tree = await repository.write(tree, "note.txt", b"set on purpose\n")
    await workspace.reset(tree)
    assert await workspace.snapshot() == tree
    await workspace.write("note.txt", "changed\n")
    await workspace.write("other.txt", "ignored\n")
    assert await repository.paths(await workspace.snapshot()) == await repository.paths(tree)


async def test_a_second_snapshot_reads_changed_files_alone(
    repository: Repository, workspace: Workspace
) -> None:
    settle(workspace.root)
    session = Counted(workspace.session)
    first, known = await repository.snapshot(session)
    assert session.read == ["app.py", "pkg/mod.py"]
    session.read.clear()
    assert (await repository.snapshot(session, known))[0] == first
    assert session.read == []
    await workspace.write("pkg/mod.py", "X = 2\n")
    await workspace.delete("app.py")
    tree, _ = await repository.snapshot(session, known)
    assert session.read == ["pkg/mod.py"]
    assert await repository.paths(tree) == ("pkg/mod.py",)


async def test_a_checkout_is_known_without_reading_it(
    repository: Repository, workspace: Workspace
) -> None:
    settle(workspace.root)
    session = Counted(workspace.session)
    known = await repository.seed(session, repository.base_tree)
    tree, _ = await repository.snapshot(session, known)
    assert (tree, session.read) == (repository.base_tree, [])


async def test_writes_in_quick_succession_are_all_seen(workspace: Workspace) -> None:
    file = workspace.root / "app.py"
    for number in range(40):
        with file.open("r+b") as opened:
            opened.write(b"%02d" % number)
        tree = await workspace.snapshot()
        assert (await workspace.repository.read(tree, "app.py")).startswith(b"%02d" % number)


async def test_a_change_behind_a_restored_time_is_seen(workspace: Workspace) -> None:
    settle(workspace.root)
    await workspace.snapshot()
    file = workspace.root / "app.py"
    info = file.stat()
    with file.open("r+b") as opened:
        opened.write(b"PRINT")
    os.utime(file, ns=(info.st_atime_ns, info.st_mtime_ns))
    assert "PRINT" in await workspace.diff()


@pytest.mark.parametrize(
    ("age_ns", "whole_seconds", "expected"),
    [
        (1_000_000, False, False),
        (200_000_000, False, True),
        (1_000_000_000, True, False),
        (3_000_000_000, True, True),
        (-5_000_000_000, False, False),
    ],
)
def test_a_stamp_is_trusted_only_when_older_than_the_clocks_tick(
    age_ns: int, *, whole_seconds: bool, expected: bool
) -> None:
    now = 1_800_000_000 * 10**9 + (0 if whole_seconds else 123)
    entry = Entry("x", 0o100644, 1, (7, 1, now - age_ns, now - age_ns))
    assert settled(entry, now) is expected
    assert settled(Entry("x", 0o100644, 1, ()), now) is False


async def test_a_nested_repository_counts_as_its_files(workspace: Workspace, git: Any) -> None:
    nested = workspace.root / "vendor" / "lib"
    nested.mkdir(parents=True)
    git(nested, "init", "-q")
    (nested / "code.py").write_text("x = 1\n")
    (workspace.root / "deep").mkdir()
    (workspace.root / "deep" / ".GIT").write_text("gitdir: /tmp\n")
    (workspace.root / "git~1").write_text("x")
    tree = await workspace.snapshot()
    changes = await workspace.repository.changes(workspace.repository.base_tree, tree)
    assert [(c.path, c.new_mode) for c in changes] == [("vendor/lib/code.py", 0o100644)]


async def test_a_submodule_stays_as_in_base_though_its_files_are_absent(
    user: Path, tmp_path: Path, scratch: Path, git: Any, open_session: Any
) -> None:
    git(user, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(user), "sub")
    git(user, "commit", "-q", "-m", "submodule")
    repository = await Repository.open(str(user), scratch=scratch)
    opened = await Workspace.open(repository, repository.base_tree, open_session, scratch=scratch)
    async with repository, opened as workspace:
        assert await workspace.snapshot() == repository.base_tree
        await workspace.write("sub/made-by-tests", "x")
        assert await workspace.snapshot() == repository.base_tree
        await workspace.delete("sub/made-by-tests")
        await workspace.write("sub", "a file now\n")
        (change,) = await repository.changes(repository.base_tree, await workspace.snapshot())
        assert (change.path, change.status, change.new_mode) == ("sub", "T", 0o100644)


async def test_special_files_do_not_count_and_do_not_block(workspace: Workspace) -> None:
    before = await workspace.snapshot()
    os.mkfifo(workspace.root / "pipe")
    (workspace.root / "void").mkdir()
    started = time.monotonic()
    assert await workspace.snapshot() == before
    assert time.monotonic() - started < 30


async def test_many_new_files_are_stored_together(workspace: Workspace) -> None:
    for number in range(300):
        (workspace.root / f"f{number}").write_bytes(b"%d" % number)
    tree = await workspace.snapshot()
    assert await workspace.repository.read(tree, "f299") == b"299"
    assert await workspace.snapshot() == tree
