"""Branch names that git takes, and branches that are nobody else's."""

import subprocess
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.domain.branches import Choice, Taken, choose, free, issue_of, name, numbered, valid
from bot.domain.forge import PullRequest
from bot.domain.runs import Actor

US = Actor(99, "acp[bot]", "Bot")
OPEN = PullRequest(8, "u", "open", False, "acp/issue-7-x", "a" * 40, "main", US, "")
SHA, OTHER = "a" * 40, "b" * 40
BRANCH = "acp/issue-7-x"


def git_takes(branch: str) -> bool:
    argv = ["git", "check-ref-format", f"refs/heads/{branch}"]
    return subprocess.run(argv, check=False).returncode == 0


@pytest.mark.parametrize(
    ("title", "branch"),
    [
        ("Totals are wrong", "acp/issue-7-totals-are-wrong"),
        ("Größe; rm -rf / \n$(reboot)", "acp/issue-7-groe-rm-rf-reboot"),
        ("..", "acp/issue-7-task"),
        ("日本", "acp/issue-7-task"),
        ("x.lock", "acp/issue-7-x-lock"),
        ("w" * 80, "acp/issue-7-" + "w" * 40),
    ],
)
def test_a_branch_is_named_after_its_issue(title: str, branch: str) -> None:
    assert name(7, title) == branch
    assert valid(branch)
    assert issue_of(branch) == 7
    assert issue_of(numbered(branch, 2)) == 7


@pytest.mark.parametrize("branch", ["main", "acp/issue-x", "acp/issue-7-a/b", "x/acp/issue-7-a"])
def test_a_branch_of_somebody_else_belongs_to_no_issue(branch: str) -> None:
    assert issue_of(branch) is None


@given(st.text(max_size=60))
def test_every_title_makes_a_valid_branch(title: str) -> None:
    assert valid(name(7, title))


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="ab/.@{~^:?*[\\ -\x7f\té日", min_size=1, max_size=8))
@example("@")
@example("HEAD")
@example("a.lock/b")
@example("a.lock")
@example("-a")
@example("a/-b")
@example("a@{b")
def test_a_name_is_valid_exactly_if_git_takes_it(branch: str) -> None:
    ours = git_takes(branch) and not branch.startswith("-") and branch not in {"@", "HEAD"}
    assert valid(branch) == ours


def test_a_name_that_no_file_system_takes_is_not_valid() -> None:
    assert not valid("x" * 251)


@pytest.mark.parametrize(
    ("taken", "branch"),
    [
        ((), "acp/x"),
        (("acp/x",), "acp/x-2"),
        (("acp/x", "acp/x-2"), "acp/x-3"),
        (("acp/x/deeper",), "acp/x-2"),
    ],
)
def test_a_free_name_lies_neither_on_nor_under_another(taken: tuple[str, ...], branch: str) -> None:
    assert free("acp/x", taken) == branch


CASES: dict[str, tuple[dict[str, Taken], bool, Choice]] = {
    "nothing there": ({}, False, Choice("new", BRANCH)),
    "somebody else's": ({BRANCH: Taken(SHA)}, False, Choice("new", f"{BRANCH}-2")),
    "a branch below it": ({f"{BRANCH}/y": Taken(SHA)}, False, Choice("new", f"{BRANCH}-2")),
    "ours, no pull request yet": (
        {BRANCH: Taken(SHA, SHA)},
        False,
        Choice("replace", BRANCH, SHA),
    ),
    "ours, open": (
        {BRANCH: Taken(SHA, SHA, OPEN)},
        False,
        Choice("replace", BRANCH, SHA, OPEN),
    ),
    "a human pushed": (
        {BRANCH: Taken(OTHER, SHA, OPEN)},
        False,
        Choice("append", BRANCH, OTHER, OPEN),
    ),
    "closed unmerged": (
        {BRANCH: Taken(SHA, SHA, replace(OPEN, state="closed"))},
        False,
        Choice("new", f"{BRANCH}-2"),
    ),
    "merged": (
        {BRANCH: Taken(SHA, SHA, replace(OPEN, state="merged"))},
        False,
        Choice("refused", BRANCH, SHA, replace(OPEN, state="merged")),
    ),
    "merged, and asked for again": (
        {BRANCH: Taken(SHA, SHA, replace(OPEN, state="merged"))},
        True,
        Choice("new", f"{BRANCH}-2"),
    ),
    "closed, then ours again": (
        {
            BRANCH: Taken(SHA, SHA, replace(OPEN, state="closed")),
            f"{BRANCH}-2": Taken(OTHER, OTHER),
        },
        False,
        Choice("replace", f"{BRANCH}-2", OTHER),
    ),
}


@pytest.mark.parametrize(("taken", "again", "choice"), CASES.values(), ids=CASES.keys())
def test_a_run_writes_to(taken: dict[str, Taken], again: bool, choice: Choice) -> None:
    assert choose(BRANCH, taken, again=again) == choice
