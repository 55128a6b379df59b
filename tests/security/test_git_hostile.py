"""Hostile repositories and trees: a marker file is the evidence that host git ran their code."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pipeline.errors import CheckoutError, PatchError
from pipeline.sandbox.base import Session, Spec
from pipeline.sandbox.none import NoSandbox
from pipeline.workspace.objects import bytes_of
from pipeline.workspace.repository import Repository
from pipeline.workspace.workspace import Workspace

ATTRIBUTES = (
    "* filter=evil diff=evil merge=evil\n"
    "*.crlf text eol=crlf\n*.id ident\n*.enc text working-tree-encoding=UTF-16\n"
)
HOOKS = (
    "pre-commit", "post-commit", "post-checkout", "post-index-change", "pre-push", "pre-receive",
    "update", "post-receive", "post-update", "reference-transaction", "fsmonitor-watchman",
    "post-merge", "pre-auto-gc", "post-rewrite", "proc-receive", "push-to-checkout",
)  # fmt: skip
MESSY = {
    "a.crlf": b"one\r\ntwo\n",
    "b.id": b"$Id$\n",
    "c.enc": "ä".encode("latin-1") + b"\n",
    "d.txt": b"plain\n",
    ".gitattributes": ATTRIBUTES.encode(),
}


def run(directory: Path, *args: str, stdin: bytes = b"") -> bytes:
    env = {
        "PATH": os.defpath,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "Ann",
        "GIT_AUTHOR_EMAIL": "ann@example.org",
        "GIT_COMMITTER_NAME": "Ann",
        "GIT_COMMITTER_EMAIL": "ann@example.org",
    }
    done = subprocess.run(
        ["git", *args], cwd=directory, env=env, input=stdin, capture_output=True, check=True
    )
    return done.stdout


def config(marker: Path) -> str:
    """Every setting known to us by which a configuration file makes git run a program."""
    evil = f"touch {marker}"
    return f"""
[core]
    fsmonitor = {evil}
    sshCommand = {evil}
    pager = {evil}
    editor = {evil}
    askPass = {evil}
    gitProxy = {evil}
    alternateRefsCommand = {evil}
    hooksPath = {marker.parent}/hooks
[filter "evil"]
    clean = {evil}
    smudge = {evil}
    process = {evil}
    required = true
[diff]
    external = {evil}
[diff "evil"]
    command = {evil}
    textconv = {evil}
[merge "evil"]
    driver = {evil}
[uploadpack]
    packObjectsHook = {evil}
[gpg]
    program = {evil}
[commit]
    gpgSign = true
[credential]
    helper = !{evil}
[protocol "ext"]
    allow = always
[include]
    path = {marker.parent}/more.config
"""


def add_hooks(directory: Path, marker: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name in HOOKS:
        hook = directory / name
        hook.write_text(f"#!/bin/sh\ntouch {marker}\n")
        hook.chmod(0o755)


def ran(marker: Path) -> bool:
    return marker.exists()


def all_files(directory: Path) -> list[str]:
    """Everything below a directory but the objects that the host's git keeps."""
    return sorted(
        str(path) for path in directory.rglob("*") if "objects" not in path.parts and path.is_file()
    )


async def open_plain(root: Path) -> Session:
    return await NoSandbox().open(Spec(tree=root))


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / "evil" / "RAN"


@pytest.fixture
def user(tmp_path: Path, marker: Path) -> Path:
    """A repository whose tree, configuration and hooks all want to run something."""
    add_hooks(marker.parent / "hooks", marker)
    (marker.parent / "more.config").write_text("[core]\n")
    directory = tmp_path / "user"
    directory.mkdir()
    run(directory, "init", "-q")
    for name, data in MESSY.items():
        (directory / name).write_bytes(data)
        oid = run(directory, "hash-object", "-w", "--stdin", stdin=data).decode().strip()
        run(directory, "update-index", "--add", "--cacheinfo", f"100644,{oid},{name}")
    run(directory, "commit", "-q", "-m", "messy")
    add_hooks(directory / ".git" / "hooks", marker)
    with (directory / ".git" / "config").open("a") as file:
        file.write(config(marker))
    return directory


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    directory = tmp_path / "scratch"
    directory.mkdir()
    return directory


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
