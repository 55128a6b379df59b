"""Real git against the emulator: clone, fetch, push, lease, and everything that is refused."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.contract.emulator_github.conftest import Scene

SHOP = "acme/shop"
Git = Callable[..., str]
Clone = tuple[Path, Git, Callable[..., str]]


@pytest.fixture
def git(tmp_path: Path) -> Any:
    home = tmp_path / "home"
    home.mkdir()

    def run(*args: Any, cwd: Any = tmp_path, token: str = "", ok: bool = True) -> Any:
        env = {
            "PATH": "/usr/bin:/bin:/usr/local/bin",
            "HOME": str(home),
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_AUTHOR_NAME": "Ana",
            "GIT_AUTHOR_EMAIL": "ana@example.com",
            "GIT_COMMITTER_NAME": "Ana",
            "GIT_COMMITTER_EMAIL": "ana@example.com",
        }
        if token:
            basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
            env |= {
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "http.extraheader",
                "GIT_CONFIG_VALUE_0": f"Authorization: Basic {basic}",
            }
        done = subprocess.run(
            ["git", *args],
            cwd=cwd,
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode == 0) is ok, done.stderr
        return (done.stdout + done.stderr).strip()

    return run


@pytest.fixture
def clone(scene: Scene, git: Git, tmp_path: Path) -> Any:
    git("clone", "-q", "--depth=1", f"{scene.github.url}/{SHOP}.git", "work")
    work = tmp_path / "work"

    def commit(text: Any, path: str = "shop.py") -> Any:
        (work / path).parent.mkdir(parents=True, exist_ok=True)
        (work / path).write_text(text)
        git("add", ".", cwd=work)
        git("commit", "-qm", f"Write {path}", cwd=work)
        return git("rev-parse", "HEAD", cwd=work)

    work_git = lambda *args, **more: git(*args, cwd=work, **more)  # noqa: E731
    return work, work_git, commit


def test_a_public_repository_is_cloned_by_anyone_and_pushed_by_nobody(
    scene: Scene, clone: Clone
) -> None:
    work, git, commit = clone
    assert (work / "README.md").read_text() == "# Shop\n"
    commit("x\n")
    refused = git("push", "origin", "HEAD:refs/heads/x", ok=False)
    assert "could not read Username" in refused
    assert scene.github.branches(SHOP).keys() == {"main"}


@pytest.mark.parametrize("dotted", [False, True])
def test_a_token_pushes_from_a_shallow_clone(scene: Scene, clone: Clone, dotted: Any) -> None:
    _, git, commit = clone
    sha = commit("x\n")
    git("push", "-q", "origin", "HEAD:refs/heads/acp/x", token=scene.token(dotted=dotted))
    assert scene.github.head(SHOP, "acp/x") == sha
    assert scene.pygithub().get_repo(SHOP).get_commit(sha).files[0].filename == "shop.py"


def test_a_private_repository_hides_from_those_without_a_right(scene: Scene, git: Git) -> None:
    scene.github.repository("acme/safe", files={"a": "1"}, private=True)
    url = f"{scene.github.url}/acme/safe.git"
    assert "could not read Username" in git("ls-remote", url, ok=False)
    assert "could not read Username" in git("ls-remote", url, token="ghs_wrong", ok=False)
    narrow = scene.token(repositories=[SHOP])
    assert "not found" in git("ls-remote", url, token=narrow, ok=False)
    assert "not found" in git("ls-remote", url, token=scene.github.token("eve"), ok=False)
    assert "refs/heads/main" in git("ls-remote", url, token=scene.token())


def test_a_token_that_may_only_read_may_not_push(scene: Scene, clone: Clone) -> None:
    _, git, commit = clone
    commit("x\n")
    reading = scene.token(permissions={"contents": "read"})
    assert "403" in git("push", "origin", "HEAD:refs/heads/x", token=reading, ok=False)
    gone = scene.token()
    scene.github.clock.advance(3601)
    assert "could not read Username" in git("push", "origin", "HEAD:x", token=gone, ok=False)


def test_a_push_that_rewrites_needs_force_and_a_lease_holds_it_back(
    scene: Scene, clone: Clone
) -> None:
    work, git, commit = clone
    token = scene.token()
    first = commit("one\n")
    git("push", "-q", "origin", "HEAD:refs/heads/x", token=token)
    (work / "shop.py").write_text("two\n")
    git("commit", "-qa", "--amend", "-m", "Two")
    assert "rejected" in git("push", "origin", "HEAD:refs/heads/x", token=token, ok=False)
    scene.github.commit(SHOP, "x", "theirs.py", "x\n", by="ana")
    lease = f"--force-with-lease=refs/heads/x:{first}"
    assert "stale info" in git("push", lease, "origin", "HEAD:refs/heads/x", token=token, ok=False)
    now = scene.github.head(SHOP, "x")
    lease = f"--force-with-lease=refs/heads/x:{now}"
    git("push", "-q", lease, "origin", "HEAD:refs/heads/x", token=token)
    assert scene.github.head(SHOP, "x") == git("rev-parse", "HEAD")


def test_a_ruleset_that_wants_signatures_refuses_pushes(scene: Scene, clone: Clone) -> None:
    _, git, commit = clone
    commit("x\n")
    scene.github.ruleset(SHOP, signatures=True)
    said = git("push", "origin", "HEAD:refs/heads/x", token=scene.token(), ok=False)
    assert "GH013: Repository rule violations found for refs/heads/x" in said
    assert "Commits must have verified signatures" in said
    assert scene.github.branches(SHOP).keys() == {"main"}


def test_a_protected_branch_refuses_pushes(scene: Scene, clone: Clone) -> None:
    _, git, commit = clone
    commit("x\n")
    scene.github.ruleset(SHOP, protected=["main"])
    assert "GH006" in git("push", "origin", "HEAD:main", token=scene.token(), ok=False)
    git("push", "-q", "origin", "HEAD:refs/heads/x", token=scene.token())


def test_workflows_are_pushed_only_with_their_own_permission(scene: Scene, clone: Clone) -> None:
    _, git, commit = clone
    commit("on: push\n", ".github/workflows/ci.yml")
    said = git("push", "origin", "HEAD:refs/heads/x", token=scene.token(), ok=False)
    assert "without `workflows` permission" in said
    git("push", "-q", "origin", "HEAD:refs/heads/x", token=scene.github.token("ana"))


def test_a_renamed_repository_is_followed(scene: Scene, git: Git, tmp_path: Path) -> None:
    scene.github.rename(SHOP, "acme/store")
    git("clone", "-q", f"{scene.github.url}/{SHOP}.git", "old")
    assert (tmp_path / "old" / "shop.py").exists()


def test_history_of_a_work_tree_comes_along(scene: Scene, git: Git, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    git("init", "-q", "-b", "trunk", cwd=source)
    for n in range(3):
        (source / "a").write_text(str(n))
        git("add", ".", cwd=source)
        git("commit", "-qm", f"n{n}", cwd=source)
    scene.github.repository("acme/old", from_directory=source, default_branch="trunk")
    git("clone", "-q", f"{scene.github.url}/acme/old", "again")
    assert git("log", "--format=%s", cwd=tmp_path / "again").split() == ["n2", "n1", "n0"]


def test_a_pull_request_s_head_can_be_fetched_by_its_number(
    scene: Scene, git: Git, tmp_path: Path
) -> None:
    scene.github.commit(SHOP, "fix", "shop.py", "x\n", by="ana")
    scene.github.open_pull(SHOP, "Fix", head="fix", by="ana")
    url = f"{scene.github.url}/{SHOP}.git"
    assert scene.github.head(SHOP, "fix") in git("ls-remote", url, "refs/pull/1/head")


def test_a_push_of_megabytes_arrives_whole(scene: Scene, clone: Clone) -> None:
    work, git, commit = clone
    noise = subprocess.run(
        ["head", "-c", "3000000", "/dev/urandom"], capture_output=True, check=True
    )
    (work / "noise.bin").write_bytes(noise.stdout)
    sha = commit("x\n")
    git("push", "-q", "origin", "HEAD:refs/heads/big", token=scene.token())
    assert scene.github.head(SHOP, "big") == sha
