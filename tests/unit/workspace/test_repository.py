"""Cloning: what is taken, what is left alone, what is explained."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from pipeline.errors import CheckoutError
from pipeline.workspace.repository import Repository

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def head(git: Any, user: Path, name: str = "HEAD") -> str:
    return str(git(user, "rev-parse", f"{name}^{{commit}}").decode().strip())


async def test_a_task_without_repository_starts_from_the_empty_tree(empty: Repository) -> None:
    assert (empty.base_sha, empty.base_tree, empty.source) == ("", EMPTY_TREE, None)
    tree = await empty.write(empty.base_tree, "a/b.py", b"x = 1\n")
    assert await empty.paths(tree) == ("a/b.py",)


async def test_a_local_clone_is_one_commit_deep(
    repository: Repository, user: Path, git: Any
) -> None:
    assert repository.base_sha == head(git, user)
    assert repository.base_tree == git(user, "rev-parse", "HEAD^{tree}").decode().strip()
    assert repository.source == str(user)
    assert repository.dirty is False


@pytest.mark.parametrize("inside", ["pkg", "pkg/mod.py", "."])
async def test_any_path_inside_a_repository_names_it(
    user: Path, scratch: Path, inside: str, git: Any
) -> None:
    async with await Repository.open(str(user / inside), scratch=scratch) as opened:
        assert opened.base_sha == head(git, user)


@pytest.mark.parametrize("ref", ["side", "v1", "refs/heads/side", "main~1"])
async def test_a_ref_of_a_local_repository_is_found(
    user: Path, scratch: Path, ref: str, git: Any
) -> None:
    if "~" in ref:
        with pytest.raises(CheckoutError, match="not a name"):
            await Repository.open(str(user), ref=ref, scratch=scratch)
        return
    async with await Repository.open(str(user), ref=ref, scratch=scratch) as opened:
        assert opened.base_sha == head(git, user, "side")


async def test_a_commit_id_brings_the_same_base_back(user: Path, scratch: Path, git: Any) -> None:
    old = head(git, user, "side")
    async with await Repository.open(str(user), base_sha=old, scratch=scratch) as opened:
        assert opened.base_sha == old
        assert await opened.paths(opened.base_tree) == ("app.py",)


async def test_a_file_url_works_like_a_url(user: Path, scratch: Path, git: Any) -> None:
    url = user.as_uri()
    async with await Repository.open(url, ref="side", scratch=scratch) as opened:
        assert opened.base_sha == head(git, user, "side")
    old = head(git, user, "side")
    async with await Repository.open(url, base_sha=old, scratch=scratch / "two") as opened:
        assert opened.base_sha == old


@pytest.mark.parametrize("name", ["with space", "per%20cent", "ü", "a:b", "q?x#y"])
async def test_odd_directory_names_are_fine(
    user: Path, tmp_path: Path, scratch: Path, name: str
) -> None:
    moved = shutil.move(user, tmp_path / name)
    async with await Repository.open(str(moved), scratch=scratch) as opened:
        assert await opened.paths(opened.base_tree) == ("app.py", "pkg/mod.py")


async def test_a_detached_head_is_the_base(user: Path, scratch: Path, git: Any) -> None:
    git(user, "checkout", "-q", "--detach", "v1")
    async with await Repository.open(str(user), scratch=scratch) as opened:
        assert opened.base_sha == head(git, user, "v1")


async def test_a_linked_work_tree_has_its_own_head(
    user: Path, tmp_path: Path, scratch: Path, git: Any
) -> None:
    linked = tmp_path / "linked"
    git(user, "worktree", "add", "-q", str(linked), "side")
    async with await Repository.open(str(linked), scratch=scratch) as opened:
        assert opened.base_sha == head(git, user, "side")
        assert opened.dirty is False


async def test_shallow_and_bare_sources_work(
    user: Path, tmp_path: Path, scratch: Path, git: Any
) -> None:
    git(tmp_path, "clone", "-q", "--depth=1", user.as_uri(), "shallow")
    git(tmp_path, "clone", "-q", "--bare", str(user), "bare.git")
    for name in ("shallow", "bare.git"):
        where = scratch / name
        async with await Repository.open(str(tmp_path / name), scratch=where) as opened:
            assert opened.base_sha == head(git, user)
            assert opened.dirty is False


async def test_a_partial_source_that_has_its_files_works_and_one_without_is_explained(
    user: Path, tmp_path: Path, scratch: Path, git: Any
) -> None:
    git(user, "config", "uploadpack.allowFilter", "true")
    partial_clone = ("clone", "-q", "--filter=blob:none", user.as_uri())
    git(tmp_path, *partial_clone, "full")
    git(tmp_path, *partial_clone, "--no-checkout", "hollow")
    async with await Repository.open(str(tmp_path / "full"), scratch=scratch / "1") as opened:
        assert opened.base_sha == head(git, user)
    shutil.move(user, tmp_path / "gone")
    with pytest.raises(CheckoutError, match="partial clone"):
        await Repository.open(str(tmp_path / "hollow"), scratch=scratch / "2")


async def test_uncommitted_changes_are_noticed_and_left_out(
    user: Path, scratch: Path, git: Any
) -> None:
    (user / "app.py").write_text("print('other')\n")
    async with await Repository.open(str(user), scratch=scratch / "1") as opened:
        assert opened.dirty is True
        assert await opened.read(opened.base_tree, "app.py") == b"print('hello')\n"
    git(user, "add", "app.py")
    async with await Repository.open(str(user), scratch=scratch / "2") as opened:
        assert opened.dirty is True


async def test_a_touched_or_copied_checkout_is_not_dirty(
    user: Path, tmp_path: Path, scratch: Path
) -> None:
    (user / "link").symlink_to("app.py")
    os.utime(user / "app.py", (1, 1))
    shutil.copytree(user, tmp_path / "copy", symlinks=True)
    (tmp_path / "copy" / "new.txt").write_text("untracked files do not count\n")
    async with await Repository.open(str(tmp_path / "copy"), scratch=scratch) as opened:
        assert opened.dirty is False


@pytest.mark.parametrize("change", ["delete", "chmod", "link"])
async def test_each_kind_of_change_is_noticed(user: Path, scratch: Path, change: str) -> None:
    file = user / "app.py"
    if change == "chmod":
        file.chmod(0o755)
    else:
        file.unlink()
    if change == "link":
        file.symlink_to("pkg/mod.py")
    async with await Repository.open(str(user), scratch=scratch) as opened:
        assert opened.dirty is True


async def test_cloning_leaves_every_byte_of_the_user_alone(
    user: Path, scratch: Path, fingerprint: Any
) -> None:
    os.utime(user / "app.py", (1, 1))
    before = fingerprint(user)
    async with await Repository.open(str(user), scratch=scratch):
        assert fingerprint(user) == before


async def test_what_cannot_be_cloned_says_what_to_do(
    tmp_path: Path, user: Path, scratch: Path, git: Any
) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "fresh").mkdir()
    git(tmp_path / "fresh", "init", "-q")
    (tmp_path / "sha256").mkdir()
    git(tmp_path / "sha256", "init", "-q", "--object-format=sha256")
    git(tmp_path / "sha256", "commit", "-q", "--allow-empty", "-m", "x")
    missing = "0123456789" * 4
    cases: list[tuple[str, dict[str, str], str]] = [
        (str(tmp_path / "plain"), {}, "not in a git repository: run 'git init'"),
        (str(tmp_path / "fresh"), {}, "no commits yet: make a first commit"),
        ((tmp_path / "fresh").as_uri(), {}, "no commits on its default branch"),
        (str(tmp_path / "sha256"), {}, "SHA-256"),
        ((tmp_path / "sha256").as_uri(), {}, "SHA-256"),
        (str(tmp_path / "nowhere"), {}, "does not exist: give"),
        ((tmp_path / "nowhere").as_uri(), {}, "no repository at"),
        (str(user), {"ref": "nope"}, "no branch, tag or commit 'nope'"),
        (user.as_uri(), {"ref": "nope"}, "has no nope: check the name"),
        (str(user), {"base_sha": missing}, "no branch, tag or commit '0123"),
        (user.as_uri(), {"base_sha": missing}, f"has no {missing}"),
        (str(user), {"base_sha": "abc"}, "not a full commit id"),
        (str(user), {"ref": "--upload-pack=x"}, "not a name"),
        ("http://127.0.0.1:1/x.git", {}, "cannot be reached"),
    ]
    for number, (source, more, says) in enumerate(cases):
        where = scratch / str(number)
        with pytest.raises(CheckoutError) as caught:
            await Repository.open(source, scratch=where, **more)  # type: ignore[arg-type]
        assert says in str(caught.value), source
        assert "\n" not in str(caught.value)
        assert not (where / "git").exists()


class _Quiet(SimpleHTTPRequestHandler):
    @override
    def log_message(self, *args: Any) -> None:
        """Keep the test's output clean."""

    @override
    def do_GET(self) -> None:
        if self.path.startswith("/private"):
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="x"')
            self.end_headers()
            return
        super().do_GET()


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "www").mkdir()
    handler = partial(_Quiet, directory=str(tmp_path / "www"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


async def test_a_web_server_that_has_no_repository_or_wants_a_key_is_explained(
    web: str, scratch: Path
) -> None:
    with pytest.raises(CheckoutError, match="no repository at"):
        await Repository.open(f"{web}/nope.git", scratch=scratch)
    with pytest.raises(CheckoutError, match="needs credentials"):
        await Repository.open(f"{web}/private.git", scratch=scratch)


async def test_a_missing_git_is_explained(
    user: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(CheckoutError, match="git is not installed: install git"):
        await Repository.open(str(user), scratch=scratch)
