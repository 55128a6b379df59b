"""What no change may do, tried on the diffs that git really writes."""

import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.guards import Dependencies, Refused, Secret, glob, inspect
from bot.domain.patch import parse
from bot.domain.policy import PROTECTED, Rules

RULES = Rules()
Work = Callable[[Path], object]


def no_secrets(path: str, lines: Sequence[tuple[int, str]]) -> Sequence[Secret]:
    return ()


def git(repo: Path, *args: str) -> str:
    pinned = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "core.fileMode=true"]
    done = subprocess.run(["git", *pinned, "-C", str(repo), *args], check=True, capture_output=True)
    return done.stdout.decode("utf-8", "surrogateescape")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "a.py").write_text("one\ntwo\nthree\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/link").symlink_to("../a.py")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "one")
    return tmp_path


def diff_of(repo: Path, work: Work) -> str:
    work(repo)
    git(repo, "add", "-A")
    return git(repo, "diff", "--cached", "--binary", "--full-index", "-M", "HEAD")


def put(name: str, text: str | bytes = "x\n") -> Work:
    def work(repo: Path) -> None:
        path = repo / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    return work


def link(name: str, target: str) -> Work:
    def work(repo: Path) -> None:
        (repo / name).parent.mkdir(parents=True, exist_ok=True)
        (repo / name).symlink_to(target)

    return work


def submodule(repo: Path) -> None:
    git(repo, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},vendor")


REFUSED: dict[str, tuple[Work, str, str]] = {
    "a workflow": (put(".github/workflows/ci.yml"), "protected path", ".github/workflows/ci.yml"),
    "an action": (put(".github/actions/x/a.yml"), "protected path", ".github/actions/x/a.yml"),
    "our own settings": (put(".github/acp.yml"), "protected path", ".github/acp.yml"),
    "owners": (put("CODEOWNERS"), "protected path", "CODEOWNERS"),
    "owners elsewhere": (put("docs/CODEOWNERS"), "protected path", "docs/CODEOWNERS"),
    "submodule settings": (put(".gitmodules"), "protected path", ".gitmodules"),
    "another case": (put(".GitHub/Workflows/x"), "protected path", ".GitHub/Workflows/x"),
    "a link to the host": (link("l", "/etc/passwd"), "link", "l"),
    "a link upwards": (link("sub/l", "../../x"), "link", "sub/l"),
    "a link up behind a name": (link("l", "sub/../../x"), "link", "l"),
    "a link into the git directory": (link("l", ".git/config"), "link", "l"),
    "a link for Windows": (link("l", "C:\\x"), "link", "l"),
}


@pytest.mark.parametrize(("work", "ground", "path"), REFUSED.values(), ids=REFUSED.keys())
def test_a_change_is_refused_for(repo: Path, work: Work, ground: str, path: str) -> None:
    found = inspect(diff_of(repo, work), RULES, no_secrets, links=()).refused
    assert [(one.ground, one.path) for one in found] == [(ground, path)]


def test_a_link_that_moves_is_refused(repo: Path) -> None:
    diff = diff_of(repo, lambda _: (repo / "sub/link").rename(repo / "link"))
    (found,) = inspect(diff, RULES, no_secrets, links={"sub/link"}).refused
    assert (found.ground, found.path) == ("link", "link")


def test_a_submodule_is_refused(repo: Path) -> None:
    submodule(repo)
    diff = git(repo, "diff", "--cached", "HEAD")
    found = inspect(diff, RULES, no_secrets, links=()).refused
    assert found == (Refused("submodule", "vendor", "A change may not touch a submodule."),)


def test_a_workflow_that_is_moved_away_or_deleted_is_refused_too(repo: Path) -> None:
    put(".github/workflows/ci.yml", "on: push\n" * 5)(repo)
    git(repo, "add", ".")
    git(repo, "commit", "-q", "-m", "two")
    moved = diff_of(repo, lambda _: (repo / ".github/workflows/ci.yml").rename(repo / "ci.yml"))
    assert "rename from" in moved
    assert inspect(moved, RULES, no_secrets, links=()).refused[0].path == ".github/workflows/ci.yml"
    gone = diff_of(repo, lambda _: (repo / "ci.yml").unlink())
    assert inspect(gone, RULES, no_secrets, links=()).refused[0].path == ".github/workflows/ci.yml"


@pytest.mark.parametrize(
    "work",
    [
        put("a.py", "one\n"),
        put("src/workflows/x.py"),
        link("l", "a.py"),
        link("sub/deep/l", "../../a.py"),
        link("sub/l", "./x/../y".replace("x/../", "")),
    ],
)
def test_an_ordinary_change_is_not(repo: Path, work: Work) -> None:
    assert inspect(diff_of(repo, work), RULES, no_secrets, links=()).refused == ()


@pytest.mark.parametrize(
    ("diff", "path"),
    [
        ("diff --git a/../x b/../x\nnew file mode 100644\n", "../x"),
        ("diff --git a/.git/hooks/x b/.git/hooks/x\nnew file mode 100755\n", ".git/hooks/x"),
        ("diff --git a/x/.GIT/y b/x/.GIT/y\nnew file mode 100644\n", "x/.GIT/y"),
    ],
)
def test_a_path_that_git_would_not_write_is_refused(diff: str, path: str) -> None:
    assert [
        (one.ground, one.path) for one in inspect(diff, RULES, no_secrets, links=()).refused
    ] == [("unsafe path", path)]


def test_a_change_that_is_too_large_is_refused(repo: Path) -> None:
    diff = diff_of(repo, put("big.txt", "x\n" * 50))
    narrow = replace(RULES, max_lines=49)
    assert inspect(diff, narrow, no_secrets, links=()).refused == (
        Refused("too large", "", "The change has 50 lines; at most 49 are allowed."),
    )
    assert inspect(diff, replace(RULES, max_files=0), no_secrets, links=()).refused == (
        Refused("too large", "", "The change touches 1 files; at most 0 are allowed."),
    )


def test_secrets_are_looked_for_in_what_is_added_and_never_shown(repo: Path) -> None:
    seen = []

    def scan(path: str, lines: Sequence[tuple[int, str]]) -> Sequence[Secret]:
        seen.append((path, lines))
        return [Secret(number, "AWS key") for number, text in lines if "AKIA" in text]

    found = inspect(diff_of(repo, put("a.py", "one\nKEY = 'AKIA'\nthree\n")), RULES, scan, links=())
    assert seen == [("a.py", ((2, "KEY = 'AKIA'"),))]
    assert found.refused == (Refused("secret", "a.py", "Line 2 looks like a secret (AWS key)."),)


def test_new_dependencies_are_flagged(repo: Path) -> None:
    def work(repo: Path) -> None:
        put("requirements.txt", "# tools\nleftpad==1.0\n")(repo)
        put("web/package.json", '{"left-pad": "1"}\n')(repo)
        put("uv.lock", "x\n")(repo)
        put("docs/requirements.md", "x\n")(repo)

    assert inspect(diff_of(repo, work), RULES, no_secrets, links=()).dependencies == (
        Dependencies("requirements.txt", ("leftpad==1.0",)),
        Dependencies("uv.lock", ()),
        Dependencies("web/package.json", ('{"left-pad": "1"}',)),
    )


def test_what_a_review_could_miss_is_noted(repo: Path) -> None:
    def work(repo: Path) -> None:
        put("a.py", "one\nif admin: \u202e# \u2066\n")(repo)
        put("x.bin", b"\0\1\2")(repo)
        (repo / "a.py").chmod(0o755)

    assert inspect(diff_of(repo, work), RULES, no_secrets, links=()).notes == (
        "`a.py` becomes executable.",
        "`a.py` line 2 holds characters that change the direction of text.",
        "`x.bin` is binary: its content shows in no review.",
    )


def test_content_that_looks_like_a_diff_is_content(repo: Path) -> None:
    text = (
        "--- a/.github/workflows/x\n+++ b/.gitmodules\n@@ -1 +1 @@\ndiff --git a/CODEOWNERS b/x\n"
    )
    put("d.txt", text)(repo)
    git(repo, "add", ".")
    git(repo, "commit", "-q", "-m", "two")
    diff = diff_of(repo, put("d.txt", text.replace("---", "- --") + "+++ more\n"))
    assert inspect(diff, RULES, no_secrets, links=()).refused == ()
    (file,) = parse(diff)
    assert (file.path, file.lines) == ("d.txt", 3)


NAMES = st.text(alphabet='ab é\t"\\日-', min_size=1, max_size=8).filter(lambda name: name.strip())


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(name=NAMES, kind=st.sampled_from(["new", "empty", "binary", "link", "mode"]))
def test_every_name_that_git_writes_is_read(repo: Path, name: str, kind: str) -> None:
    git(repo, "reset", "-q", "--hard", "HEAD")
    git(repo, "clean", "-qfdx")
    path = repo / "dir" / name
    path.parent.mkdir(exist_ok=True)
    if kind == "link":
        path.symlink_to("../a.py")
    else:
        path.write_bytes({"new": b"x\n", "binary": b"\0x"}.get(kind, b""))
        path.chmod(0o755 if kind == "mode" else 0o644)
    git(repo, "add", "-A")
    (file,) = parse(git(repo, "diff", "--cached", "--binary", "--full-index", "HEAD"))
    assert os.fsencode(file.path) == f"dir/{name}".encode()
    modes = {"link": 0o120000, "mode": 0o100755}
    assert (file.old_path, file.old_mode) == ("", 0)
    assert file.new_mode == modes.get(kind, 0o100644)
    assert file.binary == (kind == "binary")


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("docs/*", "docs/a.md", True),
        ("docs/*", "docs/a/b.md", False),
        ("docs/**", "docs/a/b.md", True),
        ("**/x.py", "x.py", True),
        ("**/x.py", "a/b/x.py", True),
        ("**/x.py", "ax.py", False),
        ("*.pem", "a/b.pem", True),
        ("/a?.py", "ab.py", True),
        ("a.py", "axpy", False),
        ("db/**/m.sql", "db/m.sql", True),
    ],
)
def test_a_glob_matches(pattern: str, path: str, matches: bool) -> None:
    assert bool(glob(pattern).fullmatch(path)) == matches


def test_the_protected_paths_are_globs() -> None:
    assert all(glob(one) for one in PROTECTED)
