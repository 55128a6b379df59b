"""The workspace keeps its promises over every sandbox backend that works on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pipeline.errors import SandboxUnavailable, UnsafePath
from pipeline.sandbox.base import Sandbox, Session, Spec
from pipeline.sandbox.bubblewrap import Bubblewrap
from pipeline.sandbox.none import NoSandbox
from pipeline.workspace.repository import Repository
from pipeline.workspace.workspace import Workspace


@pytest.fixture(
    params=[NoSandbox, pytest.param(Bubblewrap, marks=pytest.mark.needs_bubblewrap)],
    ids=["none", "bubblewrap"],
)
async def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Workspace]:
    sandbox: Sandbox = request.param()
    try:
        await sandbox.probe()
    except SandboxUnavailable as error:
        pytest.skip(str(error))

    async def open_session(root: Path) -> Session:
        return await sandbox.open(Spec(tree=root))

    async with await Repository.open(None, scratch=tmp_path) as repository:
        tree = await repository.write(repository.base_tree, "app.py", b"X = 1\n")
        tree = await repository.write(tree, "run.sh", b"#!/bin/sh\necho ran\n", 0o100755)
        tree = await repository.write(tree, "link", b"app.py", 0o120000)
        opened = await Workspace.open(repository, tree, open_session, scratch=tmp_path)
        async with opened:
            yield opened


async def test_the_checkout_is_the_tree(workspace: Workspace) -> None:
    assert await workspace.snapshot() == workspace.tree
    assert (await workspace.exec(["./run.sh"])).text == "ran\n"


async def test_what_a_command_changes_is_in_the_snapshot(workspace: Workspace) -> None:
    script = "echo 'X = 2' > app.py; mkdir new; echo n > new/n; rm link; chmod -x run.sh"
    result = await workspace.exec(["sh", "-c", script])
    assert result.ok, result.text
    changes = await workspace.repository.changes(workspace.tree, await workspace.snapshot())
    assert [(c.path, c.status) for c in changes] == [
        ("app.py", "M"),
        ("link", "D"),
        ("new/n", "A"),
        ("run.sh", "M"),
    ]


async def test_what_the_host_writes_a_command_may_change(workspace: Workspace) -> None:
    await workspace.write("made/by/host.txt", "one\n")
    script = "cat made/by/host.txt; echo two >> made/by/host.txt; touch made/by/job"
    result = await workspace.exec(["sh", "-c", script])
    assert (result.ok, result.text) == (True, "one\n")
    assert await workspace.read("made/by/host.txt") == "one\ntwo\n"


async def test_reset_is_exact_and_the_tree_is_writable_again(workspace: Workspace) -> None:
    hostile = """
        echo '*' > .gitignore; echo x > ignored; rm link; ln -s /etc link; mkfifo pipe
        mkdir -p locked/in; echo x > locked/in/f; chmod 000 locked/in; chmod 555 locked; chmod 500 .
    """
    await workspace.exec(["sh", "-c", hostile])
    await workspace.reset(workspace.tree)
    assert await workspace.snapshot() == workspace.tree
    assert await workspace.files() == ["app.py", "link", "run.sh"]
    assert (await workspace.exec(["sh", "-c", "echo 'X = 3' > app.py && cat app.py"])).ok
    assert "+X = 3" in await workspace.diff(["app.py"])


async def test_a_link_to_the_host_is_never_followed(workspace: Workspace, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("sk-123")
    script = f"ln -s {secret} leaf; ln -s {tmp_path} door"
    assert (await workspace.exec(["sh", "-c", script])).ok
    assert "sk-123" not in await workspace.diff()
    with pytest.raises(UnsafePath):
        await workspace.read("door/secret")


async def test_a_fork_runs_beside_the_workspace(workspace: Workspace) -> None:
    async with await workspace.fork(workspace.tree) as fork:
        assert (await fork.exec(["sh", "-c", "echo fork > app.py"])).ok
        assert await workspace.read("app.py") == "X = 1\n"
        assert await fork.snapshot() != workspace.tree
