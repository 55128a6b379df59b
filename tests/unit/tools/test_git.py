"""`pipeline.tools.git` on real repositories."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import WorkspaceError
from pipeline.tools.git import changed_paths, commit


def run(directory: Path, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=directory, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    directory = tmp_path / "repo"
    directory.mkdir()
    run(directory, "init", "-q", "-b", "main")
    run(directory, "config", "user.name", "Ann")
    run(directory, "config", "user.email", "ann@example.org")
    (directory / "a.py").write_text("a = 1\n")
    (directory / "b.py").write_text("b = 1\n")
    run(directory, "add", ".")
    run(directory, "commit", "-q", "-m", "first")
    return directory


def committed(repo: Path) -> list[str]:
    return run(repo, "show", "--format=", "--name-status", "HEAD").splitlines()


def test_only_the_named_paths_are_committed(repo: Path) -> None:
    (repo / "a.py").write_text("a = 2\n")
    (repo / "b.py").write_text("b = 2\n")
    run(repo, "add", "b.py")
    sha = commit(["a.py"], "Change a", repo=repo)
    assert sha == run(repo, "rev-parse", "HEAD").strip()
    assert committed(repo) == ["M\ta.py"]
    assert run(repo, "status", "--porcelain") == "M  b.py\n"


def test_new_deleted_and_oddly_named_files_are_committed(repo: Path) -> None:
    (repo / "a.py").unlink()
    (repo / "sub dir").mkdir()
    (repo / "sub dir" / "*.py").write_text("star\n")
    (repo / "sub dir" / "other.py").write_text("other\n")
    commit(["a.py", "sub dir/*.py"], "Move", repo=repo)
    assert committed(repo) == ["D\ta.py", "A\tsub dir/*.py"]
    assert changed_paths(repo=repo) == ("sub dir/other.py",)


def test_paths_are_relative_to_the_directory_that_is_given(repo: Path) -> None:
    (repo / "sub").mkdir()
    (repo / "sub" / "c.py").write_text("c\n")
    commit(["c.py"], "Add c", repo=repo / "sub")
    (repo / "sub" / "c.py").write_text("c2\n")
    commit([repo / "sub"], "Change a directory", repo=repo)
    assert committed(repo) == ["M\tsub/c.py"]


def test_the_first_commit_of_a_repository_works(tmp_path: Path, repo: Path) -> None:
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    run(fresh, "init", "-q")
    run(fresh, "config", "user.name", "Ann")
    run(fresh, "config", "user.email", "ann@example.org")
    (fresh / "x").write_text("x")
    assert len(commit(["x"], "First", repo=fresh)) == 40


def test_a_link_is_committed_as_a_link(repo: Path) -> None:
    (repo / "link").symlink_to("/etc/passwd")
    commit(["link"], "Add a link", repo=repo)
    assert run(repo, "ls-tree", "HEAD", "link").startswith("120000 ")


@pytest.mark.parametrize(
    ("paths", "message", "says"),
    [
        ([], "x", "no paths"),
        (["a.py"], " \n", "needs a message"),
        (["a.py"], "x", "nothing to commit"),
        (["missing.py"], "x", "neither a file nor known"),
        (["../other"], "x", "outside the repository"),
    ],
)
def test_what_cannot_be_committed_is_explained(
    repo: Path, paths: list[str], message: str, says: str
) -> None:
    with pytest.raises(WorkspaceError, match=says):
        commit(paths, message, repo=repo)


def test_an_ignored_path_is_explained(repo: Path) -> None:
    (repo / ".gitignore").write_text("*.log\n")
    (repo / "x.log").write_text("x")
    with pytest.raises(WorkspaceError, match=r"gitignore|nothing to commit"):
        commit(["x.log"], "x", repo=repo)


def test_an_unknown_author_is_explained(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(repo, "config", "--unset", "user.name")
    run(repo, "config", "--unset", "user.email")
    run(repo, "config", "user.useConfigOnly", "true")
    (repo / "a.py").write_text("a = 2\n")
    with pytest.raises(WorkspaceError, match="does not know who you are"):
        commit(["a.py"], "x", repo=repo)


def test_a_directory_without_a_repository_is_explained(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="not in a git repository"):
        commit(["a"], "x", repo=tmp_path)
    with pytest.raises(WorkspaceError, match="not in a git repository"):
        changed_paths(repo=tmp_path / "nowhere")


def test_a_bare_repository_is_explained(tmp_path: Path) -> None:
    run(tmp_path, "init", "-q", "--bare", "bare")
    with pytest.raises(WorkspaceError, match="bare"):
        commit(["a"], "x", repo=tmp_path / "bare")


def test_importing_the_module_does_not_load_gitpython() -> None:
    code = "import sys, pipeline.tools.git; sys.exit('git' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
