"""A proven change becomes a branch that overwrites nothing; a draft only ever a file."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.domain.result import Result
from bot.domain.task import Task
from bot.services.deliver import free_name, leave, to_branch, to_file
from pipeline.errors import WorkspaceError

Make = Callable[..., Result]


def git(repo: Path, *args: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(repo), *args], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def files(directory: Path) -> list[Path]:
    return list(directory.glob("*.diff"))


async def test_the_branch_holds_the_test_and_then_the_change(repo: Path, a_result: Make) -> None:
    done = await leave(a_result(), local=True, directory=None)
    assert (done.branch, done.commits) == ("acp/totals-are-wrong", 2)
    assert git(repo, "log", "--format=%s", done.branch).splitlines() == [
        "Totals are wrong",
        "Test: Totals are wrong",
        "one",
    ]
    assert git(repo, "show", f"{done.branch}~1:shop.py") == "total = 1"
    assert git(repo, "show", f"{done.branch}:shop.py") == "total = 2"
    assert "https://github.com/acme/shop/issues/7" in git(repo, "log", "-1", done.branch)


async def test_nothing_else_of_the_repository_changes(repo: Path, a_result: Make) -> None:
    (repo / "mine.txt").write_text("not committed")
    (repo / "shop.py").write_text("total = 3  # being worked on\n")
    before = git(repo, "status", "--porcelain=v2", "--branch")
    await to_branch(a_result())
    assert git(repo, "status", "--porcelain=v2", "--branch") == before
    assert (repo / "shop.py").read_text() == "total = 3  # being worked on\n"


async def test_a_branch_that_exists_is_never_overwritten(repo: Path, a_result: Make) -> None:
    names = [(await to_branch(a_result())).branch for _ in range(3)]
    assert names == [
        "acp/totals-are-wrong",
        "acp/totals-are-wrong-2",
        "acp/totals-are-wrong-3",
    ]


async def test_a_test_that_needs_the_change_comes_in_one_commit(a_result: Make) -> None:
    on_top = "\n".join(
        [
            "diff --git a/shop.py b/shop.py",
            "--- a/shop.py",
            "+++ b/shop.py",
            "@@ -1 +1,2 @@",
            " total = 2",
            "+assert total == 2",
            "",
        ]
    )
    assert (await to_branch(a_result(tests_diff=on_top))).commits == 1


@pytest.mark.parametrize(
    ("taken", "name"),
    [
        ((), "acp/fix"),
        (("acp/fix", "acp/fix-2"), "acp/fix-3"),
        (("acp/fix/more",), "acp/fix-2"),
        (("acp",), "acp-fix"),
        (("acp", "acp-fix"), "acp-fix-2"),
    ],
)
def test_a_name_is_found_beside_any_other(taken: tuple[str, ...], name: str) -> None:
    assert free_name("fix", taken) == name


async def test_a_draft_is_kept_in_a_file_and_makes_no_branch(
    repo: Path, a_result: Make, tmp_path: Path
) -> None:
    done = await leave(a_result(status="failed"), local=True, directory=tmp_path)
    assert done.diff_file == str(tmp_path / "acp-totals-are-wrong-draft.diff")
    assert git(repo, "branch", "--format=%(refname:short)") == "main"


async def test_a_change_for_a_url_is_kept_in_a_file_that_applies(
    repo: Path, a_result: Make, tmp_path: Path
) -> None:
    done = await leave(a_result(), local=False, directory=tmp_path)
    git(repo, "apply", done.diff_file)
    assert (repo / "shop.py").read_text() == "total = 2\n"
    assert (repo / "test_shop.py").is_file()


def test_a_file_that_exists_is_never_overwritten(a_result: Make, tmp_path: Path) -> None:
    names = [Path(to_file(a_result(), tmp_path).diff_file).name for _ in range(2)]
    assert names == ["acp-totals-are-wrong.diff", "acp-totals-are-wrong-2.diff"]


async def test_no_change_leaves_nothing(a_result: Make, tmp_path: Path) -> None:
    done = await leave(a_result(status="no_change"), local=True, directory=tmp_path)
    assert (done.branch, done.diff_file, files(tmp_path)) == ("", "", [])


async def test_a_repository_that_takes_no_branch_gets_a_file_and_a_word(
    a_result: Make, tmp_path: Path
) -> None:
    lost = a_result(repository=str(tmp_path / "gone"))
    with pytest.raises(WorkspaceError):
        await to_branch(lost)
    done = await leave(lost, local=True, directory=tmp_path)
    assert done.diff_file
    assert done.warnings[0].startswith("no branch was made: ")


async def test_a_directory_that_takes_no_file_is_told(a_result: Make, tmp_path: Path) -> None:
    done = await leave(a_result(), local=False, directory=tmp_path / "gone")
    assert done.diff_file == ""
    assert "could not be written to" in done.warnings[0]


async def test_a_long_title_becomes_a_short_subject(repo: Path, a_result: Make) -> None:
    done = await to_branch(a_result(task=Task("word " * 40)))
    assert len(git(repo, "log", "-1", "--format=%s", done.branch)) == 72
