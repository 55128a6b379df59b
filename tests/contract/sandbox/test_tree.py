"""What every backend promises about files: one tree, inside and outside, and no way out of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import UnsafePath, WorkspaceError

if TYPE_CHECKING:
    from tests.contract.sandbox.conftest import Box

OUTSIDE = ["/etc/passwd", "../key", "a/../../key", "", ".", "./a", "a//b", "a/", "a\0b"]


def unharmed(key: Path) -> bool:
    return key.read_text() == "secret"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A secret beside the tree."""
    path = tmp_path / "key"
    path.write_text("secret")
    return path


async def test_a_command_sees_what_was_put_and_we_see_what_it_wrote(box: Box) -> None:
    await box.session.put("src/deep/a.txt", b"from us\n")
    result = await box.sh("cat src/deep/a.txt; echo from it > src/deep/b.txt; rm src/deep/a.txt")
    assert result.output == b"from us\n"
    assert await box.session.get("src/deep/b.txt", 100) == b"from it\n"
    with pytest.raises(FileNotFoundError):
        await box.session.get("src/deep/a.txt", 100)


async def test_a_command_may_change_what_was_put(box: Box) -> None:
    await box.session.put("new/file", b"one\n")
    assert (await box.sh("echo two >> new/file; touch new/other; rmdir new || rm new/other")).ok
    assert await box.session.get("new/file", 100) == b"one\ntwo\n"


async def test_a_command_may_change_what_was_there_before(box: Box, key: Path) -> None:
    (box.tree / "beside").write_text("written without put\n")
    await box.session.entries()
    assert (await box.sh("echo more >> beside")).ok


async def test_what_was_put_has_its_mode(box: Box) -> None:
    await box.session.put("run", b"#!/bin/sh\necho ran\n", 0o100755)
    assert (await box.session.exec(["./run"])).output == b"ran\n"
    await box.session.put("run", b"#!/bin/sh\n", 0o100644)
    assert [entry.mode for entry in await box.session.entries()] == [0o100644]
    with pytest.raises(WorkspaceError, match="160000"):
        await box.session.put("module", b"", 0o160000)


async def test_entries_list_files_and_links_and_nothing_else(box: Box) -> None:
    await box.session.put("b/file", b"12345")
    await box.session.put("a", b"b/file", 0o120000)
    await box.sh(
        "mkdir .git empty b/.git; touch .git/config b/.git/config;"
        "mkfifo pipe; chmod +x b/.git/config"
    )
    found = [(entry.path, entry.mode, entry.size) for entry in await box.session.entries()]
    assert found == [("a", 0o120000, 6), ("b/.git/config", 0o100755, 0), ("b/file", 0o100644, 5)]


async def test_a_stamp_changes_with_the_content(box: Box) -> None:
    await box.session.put("file", b"one")
    before = await box.session.entries()
    assert await box.session.entries() == before
    await box.sh("printf two > file")
    assert await box.session.entries() != before


async def test_a_name_that_is_no_text_goes_through_unharmed(box: Box) -> None:
    assert (await box.sh(r"printf x > $(printf 'caf\351')")).ok
    (entry,) = await box.session.entries()
    assert os.fsencode(entry.path) == b"caf\xe9"
    await box.session.put(entry.path, b"y")
    assert await box.session.get(entry.path, 1) == b"y"
    await box.session.delete(entry.path)
    assert not await box.session.entries()


async def test_deleting_takes_directories_left_empty_along(box: Box) -> None:
    await box.session.put("a/b/c/one", b"")
    await box.session.put("a/two", b"")
    await box.session.delete("a/b/c/one")
    assert [entry.path for entry in await box.session.entries()] == ["a/two"]
    assert not (box.tree / "a/b").exists()
    with pytest.raises(FileNotFoundError):
        await box.session.delete("a/b/c/one")


async def test_a_file_larger_than_asked_for_is_refused(box: Box) -> None:
    await box.session.put("big", b"x" * 11)
    assert len(await box.session.get("big", 11)) == 11
    with pytest.raises(WorkspaceError, match="10 bytes"):
        await box.session.get("big", 10)


@pytest.mark.parametrize("path", OUTSIDE)
async def test_a_path_that_could_lead_out_is_refused(box: Box, key: Path, path: str) -> None:
    with pytest.raises(UnsafePath):
        await box.session.get(path, 100)
    with pytest.raises(UnsafePath):
        await box.session.put(path, b"x")
    with pytest.raises(UnsafePath):
        await box.session.delete(path)
    assert unharmed(key)


async def test_a_link_is_read_as_a_link(box: Box, key: Path) -> None:
    await box.sh(f"ln -s {key} leak; ln -s ../key relative")
    assert await box.session.get("leak", 1000) == os.fsencode(key)
    assert await box.session.get("relative", 1000) == b"../key"


async def test_writing_to_a_link_replaces_the_link(box: Box, key: Path) -> None:
    await box.sh(f"ln -s {key} leak")
    await box.session.put("leak", b"ours")
    assert unharmed(key)
    assert await box.session.get("leak", 100) == b"ours"


async def test_deleting_a_link_leaves_its_target(box: Box, key: Path) -> None:
    await box.sh(f"ln -s {key} leak")
    await box.session.delete("leak")
    assert unharmed(key)


@pytest.mark.parametrize("target", ["..", "/", "inside", "/proc/self/cwd/.."])
async def test_a_path_through_a_linked_directory_is_refused(
    box: Box, key: Path, target: str
) -> None:
    await box.session.put("inside/key", b"")
    await box.sh(f"ln -s {target} door; mkdir deep; ln -s ../door deep/door")
    for door in ("door", "deep/door"):
        with pytest.raises(UnsafePath):
            await box.session.get(f"{door}/key", 100)
        with pytest.raises(UnsafePath):
            await box.session.put(f"{door}/key", b"x")
        with pytest.raises(UnsafePath):
            await box.session.put(f"{door}/new/key", b"x")
        with pytest.raises(UnsafePath):
            await box.session.delete(f"{door}/key")
    assert unharmed(key)
    assert "door/key" not in {entry.path for entry in await box.session.entries()}


async def test_a_pipe_in_the_place_of_a_file_blocks_nobody(box: Box) -> None:
    await box.sh("mkfifo pipe")
    with pytest.raises(WorkspaceError, match="not a regular file"):
        await box.session.get("pipe", 100)
    await box.session.put("pipe", b"a file again")
    assert await box.session.get("pipe", 100) == b"a file again"


async def test_a_directory_is_no_file(box: Box) -> None:
    await box.session.put("dir/file", b"")
    with pytest.raises(WorkspaceError):
        await box.session.get("dir", 100)
    with pytest.raises(WorkspaceError):
        await box.session.put("dir", b"")
    with pytest.raises(WorkspaceError):
        await box.session.delete("dir")
    with pytest.raises(WorkspaceError):
        await box.session.put("dir/file/below", b"")
    with pytest.raises(FileNotFoundError):
        await box.session.get("dir/file/below", 100)
    assert [entry.path for entry in await box.session.entries()] == ["dir/file"]


async def test_a_write_that_fails_leaves_nothing_behind(box: Box) -> None:
    await box.session.put("dir/file", b"")
    with pytest.raises(WorkspaceError):
        await box.session.put("dir", b"x")
    assert [path.name for path in box.tree.iterdir()] == ["dir"]


async def test_directories_without_end_are_refused(box: Box) -> None:
    script = "for i in $(seq 400); do mkdir d; cd d; done; echo ok"
    assert (await box.sh(script)).ok
    with pytest.raises(WorkspaceError, match="deeper"):
        await box.session.entries()


async def test_the_tree_stays_when_the_session_ends(box: Box) -> None:
    await box.session.put("kept", b"")
    await box.sh("touch too")
    owner = (box.tree.parent.stat().st_uid, box.tree.parent.stat().st_gid)
    await box.session.close()
    for path in (box.tree, box.tree / "kept", box.tree / "too"):
        assert (path.stat().st_uid, path.stat().st_gid) == owner
