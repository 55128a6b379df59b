"""The workspace: path-safe files, an exact reset, forks, and nothing left behind."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import CheckoutError, SandboxError, UnsafePath, WorkspaceError
from pipeline.sandbox.base import Session
from pipeline.workspace.paths import check_path
from pipeline.workspace.repository import Repository
from pipeline.workspace.workspace import Workspace


def names_in(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


async def test_files_are_written_read_listed_and_deleted(workspace: Workspace) -> None:
    await workspace.write("./new//ü.py", "x = 1\n")
    await workspace.write("raw", b"\xff\0")
    assert await workspace.read("new/ü.py") == "x = 1\n"
    assert await workspace.read_bytes("raw") == b"\xff\0"
    await workspace.write("__pycache__/x.pyc", b"x")
    assert await workspace.files() == ["app.py", "new/ü.py", "pkg/mod.py", "raw"]
    await workspace.delete("new/ü.py")
    assert await workspace.files() == ["app.py", "pkg/mod.py", "raw"]
    with pytest.raises(FileNotFoundError):
        await workspace.delete("new/ü.py")
    with pytest.raises(FileNotFoundError):
        await workspace.read("nope")


async def test_text_that_is_not_utf8_is_said_to_be_so(workspace: Workspace) -> None:
    await workspace.write("latin", "ä".encode("latin-1"))
    with pytest.raises(WorkspaceError, match="'latin' is not UTF-8 text"):
        await workspace.read("latin")
    with pytest.raises(WorkspaceError, match="half a character"):
        await workspace.write("x", "\ud800")
    with pytest.raises(WorkspaceError, match="larger"):
        await workspace.read_bytes("app.py", 3)


async def test_an_edited_script_stays_executable_and_a_mode_may_be_given(
    workspace: Workspace,
) -> None:
    await workspace.write("run.sh", "#!/bin/sh\n", 0o100755)
    await workspace.write("run.sh", "#!/bin/sh\nexit\n")
    assert "new file mode 100755" in await workspace.diff(["run.sh"])
    await workspace.write("run.sh", "data\n", 0o100644)
    assert "new file mode 100644" in await workspace.diff(["run.sh"])


BAD = ["", "/etc/passwd", "../x", "a/../../x", ".", "./", "a/", "nul\0", ".git/config", "a/.GIT/x"]


@pytest.mark.parametrize("path", [*BAD, ".git", "GIT~1/x", ".git .", ".git::$INDEX", "\ud800"])
async def test_a_path_that_leaves_the_workspace_is_refused(workspace: Workspace, path: str) -> None:
    for act in (
        lambda: workspace.read(path),
        lambda: workspace.read_bytes(path),
        lambda: workspace.write(path, "x"),
        lambda: workspace.delete(path),
    ):
        with pytest.raises(UnsafePath) as caught:
            await act()
        assert "\n" not in str(caught.value)


def test_a_plain_path_is_given_back_in_its_plain_form() -> None:
    assert check_path("./a//b/./c") == "a/b/c"
    assert check_path(".gitignore") == ".gitignore"
    assert check_path(".github/x") == ".github/x"
    assert check_path("a..b/...") == "a..b/..."


async def test_a_path_through_a_link_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "key").write_text("secret")
    (workspace.root / "door").symlink_to(outside)
    for act in (
        lambda: workspace.read("door/key"),
        lambda: workspace.write("door/new", "x"),
        lambda: workspace.delete("door/key"),
    ):
        with pytest.raises(UnsafePath):
            await act()
    (workspace.root / "leaf").symlink_to(outside / "key")
    await workspace.write("leaf", "mine\n")
    assert [path.name for path in outside.iterdir()] == ["key"]
    assert (outside / "key").read_text() == "secret"
    assert "secret" not in await workspace.diff()


async def test_edits_on_disk_are_part_of_the_next_snapshot(workspace: Workspace) -> None:
    (workspace.root / "app.py").write_text("print('edited')\n")
    (workspace.root / "pkg" / "mod.py").unlink()
    diff = await workspace.diff()
    assert "+print('edited')" in diff
    assert "deleted file mode 100644" in diff
    base = workspace.repository.base_tree
    assert await workspace.repository.apply(base, diff) == await workspace.snapshot()


async def test_commands_run_in_the_tree(workspace: Workspace) -> None:
    seen: list[bytes] = []
    result = await workspace.exec(
        ["sh", "-c", "cat mod.py; echo $WORD"],
        cwd="pkg",
        env={"WORD": "hi"},
        on_output=seen.append,
    )
    assert (result.ok, result.text, b"".join(seen)) == (True, "X = 1\nhi\n", b"X = 1\nhi\n")


async def test_reset_is_exact_whatever_a_command_left(workspace: Workspace) -> None:
    base = workspace.repository.base_tree
    hostile = """
        echo '*' > .gitignore; echo x > ignored; chmod 755 app.py; chmod 000 pkg/mod.py
        rm -r pkg; ln -s /etc pkg; mkfifo pipe; mkdir -p locked/in; echo x > locked/in/file
        chmod 000 locked/in; chmod 555 locked; mkdir .git; echo x > .git/config
        ln -s loop loop; mkdir void; chmod 311 .
    """
    await workspace.exec(["sh", "-c", hostile])
    identity = workspace.root
    await workspace.reset(base)
    assert workspace.root == identity
    assert await workspace.snapshot() == base
    found = sorted(str(p.relative_to(workspace.root)) for p in workspace.root.rglob("*"))
    assert found == ["app.py", "pkg", "pkg/mod.py"]
    assert await workspace.read("pkg/mod.py") == "X = 1\n"
    assert (await workspace.exec(["cat", "app.py"])).text == "print('hello')\n"


async def test_reset_sets_any_tree(workspace: Workspace) -> None:
    repository = workspace.repository
    tree = await repository.write(repository.base_tree, "link", b"app.py", 0o120000)
    tree = await repository.write(tree, "run", b"#!/bin/sh\n", 0o100755)
    await workspace.reset(tree)
    assert workspace.tree == tree
    assert await workspace.snapshot() == tree
    assert (workspace.root / "link").readlink() == Path("app.py")
    assert os.access(workspace.root / "run", os.X_OK)


async def test_a_tree_thousands_of_directories_deep_is_removed(workspace: Workspace) -> None:
    deep = """
import os
for n in range(3000):
    os.mkdir("d"); os.chdir("d"); open("f", "w").close()
"""
    await workspace.exec(["python3", "-c", deep])
    await workspace.reset(workspace.repository.base_tree)
    assert await workspace.files() == ["app.py", "pkg/mod.py"]


async def test_reset_follows_no_link_out_of_the_tree(workspace: Workspace, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o500)
    (tmp_path / "precious").write_text("x")
    (workspace.root / "door").symlink_to(outside)
    (workspace.root / "leaf").symlink_to(tmp_path / "precious")
    await workspace.reset(workspace.repository.base_tree)
    assert (tmp_path / "precious").read_text() == "x"
    assert outside.stat().st_mode & 0o777 == 0o500


async def test_a_fork_is_independent(workspace: Workspace) -> None:
    async with await workspace.fork(workspace.repository.base_tree) as fork:
        await fork.write("app.py", "fork\n")
        assert fork.root != workspace.root
        assert await workspace.read("app.py") == "print('hello')\n"
    assert not fork.root.exists()


async def test_closing_leaves_nothing_and_may_be_repeated(
    repository: Repository, scratch: Path, open_session: Any
) -> None:
    before = names_in(scratch)
    opened = await Workspace.open(repository, repository.base_tree, open_session, scratch=scratch)
    opened.root.chmod(0)
    await opened.close()
    await opened.close()
    assert names_in(scratch) == before


async def test_a_session_that_cannot_open_leaves_nothing(
    repository: Repository, scratch: Path
) -> None:
    async def broken(root: Path) -> Session:
        raise SandboxError("no")

    before = names_in(scratch)
    with pytest.raises(SandboxError):
        await Workspace.open(repository, repository.base_tree, broken, scratch=scratch)
    assert names_in(scratch) == before


async def test_a_tree_that_does_not_exist_cannot_be_opened(
    repository: Repository, scratch: Path, open_session: Any
) -> None:
    with pytest.raises(CheckoutError):
        await Workspace.open(repository, "0" * 40, open_session, scratch=scratch)
