"""Commits through the API, which the forge signs."""

from typing import Any

import pytest

from bot.adapters.github.forge import GitHubForge
from bot.domain.forge import FileChange, PushRefused
from bot.errors import NotFound

SHOP = "acme/shop"
BRANCH = "acp/issue-7-totals"
TEST = (FileChange("tests/test_totals.py", 0o100644, b"def test(): assert False\n"),)
CHANGE = (
    FileChange("shop/totals.py", 0o100644, "TOTAL = 2  # größer\r\n".encode()),
    FileChange("bin/run", 0o100755, b"#!/bin/sh\nexit 0\n"),
    FileChange("logo.bin", 0o100644, b"\0\xff\xfe"),
    FileChange("latest", 0o120000, b"shop/totals.py"),
    FileChange("README.md", 0o100644, None),
)


@pytest.fixture(autouse=True)
def signatures(scene: Any) -> None:
    scene.github.ruleset(SHOP, signatures=True)


async def test_35_two_signed_commits_make_the_branch(scene: Any, forge: GitHubForge) -> None:
    base = scene.github.head(SHOP)
    first = await forge.commit_by_api(BRANCH, base, "Show the bug\n\nIn a test.", TEST)
    second = await forge.commit_by_api(BRANCH, first, "Mend totals", CHANGE)
    store = scene.github.store(SHOP)
    assert scene.github.head(SHOP, BRANCH) == second
    assert {first, second} <= scene.shop.signed
    assert [one.message.strip() for one in store.log(f"{base}..{second}")] == [
        "Mend totals",
        "Show the bug\n\nIn a test.",
    ]
    listed = store.tree(second, recursive=True)
    entries = {one.path: one for one in listed if one.kind == "blob"}
    assert {path: entry.mode for path, entry in entries.items()} == {
        "bin/run": "100755",
        "latest": "120000",
        "logo.bin": "100644",
        "shop/totals.py": "100644",
        "tests/test_totals.py": "100644",
    }
    stored = {path: store.blob(entry.sha) for path, entry in entries.items()}
    assert all(stored[one.path] == one.data for one in CHANGE if one.data is not None)


async def test_59_commits_made_before_are_found_again(scene: Any, forge: GitHubForge) -> None:
    base = scene.github.head(SHOP)

    async def both() -> tuple[str, str]:
        first = await forge.commit_by_api(BRANCH, base, "Show the bug", TEST)
        return first, await forge.commit_by_api(BRANCH, first, "Mend totals", CHANGE)

    assert await both() == await both()
    assert scene.operations().count("POST /repos/{owner}/{repo}/git/commits") == 2


@pytest.mark.parametrize("again", [False, True])
async def test_a_ref_whose_answer_was_lost_is_set_once(
    scene: Any, forge: GitHubForge, again: bool
) -> None:
    base = scene.github.head(SHOP)
    if again:
        base = await forge.commit_by_api(BRANCH, base, "Show the bug", TEST)
    fault = scene.github.faults.add("*", "/repos/acme/shop/git/refs*", "502-after")
    made = await forge.commit_by_api(BRANCH, base, "Mend totals", CHANGE)
    assert fault.hits == 1
    assert scene.github.head(SHOP, BRANCH) == made


async def test_41_a_branch_that_a_person_changed_is_left_alone(
    scene: Any, forge: GitHubForge
) -> None:
    base = scene.github.head(SHOP)
    first = await forge.commit_by_api(BRANCH, base, "Show the bug", TEST)
    theirs = scene.github.commit(SHOP, BRANCH, "mine.py", "y = 2\n", by="ann")
    with pytest.raises(PushRefused) as caught:
        await forge.commit_by_api(BRANCH, first, "Mend totals", CHANGE)
    assert caught.value.reason == "moved"
    assert scene.github.head(SHOP, BRANCH) == theirs


async def test_a_rule_that_forbids_it_is_said(scene: Any, forge: GitHubForge) -> None:
    scene.github.ruleset(SHOP, protected=[BRANCH])
    with pytest.raises(PushRefused, match="a rule of acme/shop forbids it") as caught:
        await forge.commit_by_api(BRANCH, scene.github.head(SHOP), "Mend totals", CHANGE)
    assert caught.value.reason == "protected"


async def test_36_a_workflow_is_refused(scene: Any, forge: GitHubForge) -> None:
    change = (FileChange(".github/workflows/ci.yml", 0o100644, b"on: push\n"),)
    with pytest.raises(PushRefused) as caught:
        await forge.commit_by_api(BRANCH, scene.github.head(SHOP), "Add CI", change)
    assert caught.value.reason == "workflow"


async def test_a_parent_that_is_not_there_is_not_found(forge: GitHubForge) -> None:
    with pytest.raises(NotFound, match="no commit"):
        await forge.commit_by_api(BRANCH, "a" * 40, "Mend totals", CHANGE)


async def test_the_default_branch_is_never_committed_to(scene: Any, forge: GitHubForge) -> None:
    with pytest.raises(PushRefused, match="is the default branch"):
        await forge.commit_by_api("main", scene.github.head(SHOP), "Mend totals", CHANGE)


async def test_35_commits_of_ours_make_way_for_new_ones(scene: Any, forge: GitHubForge) -> None:
    base = scene.github.head(SHOP)
    old = await forge.commit_by_api(BRANCH, base, "Mend totals", CHANGE)

    async def anew() -> tuple[str, str]:
        first = await forge.commit_by_api(BRANCH, base, "Show the bug", TEST, replaced=old)
        return first, await forge.commit_by_api(BRANCH, first, "Mend", CHANGE, replaced=old)

    first, second = await anew()
    assert scene.github.head(SHOP, BRANCH) == second
    assert {first, second} <= scene.shop.signed
    assert len(scene.github.store(SHOP).log(f"{base}..{second}")) == 2
    assert await anew() == (first, second)


async def test_41_what_somebody_pushed_does_not_make_way(scene: Any, forge: GitHubForge) -> None:
    base = scene.github.head(SHOP)
    old = await forge.commit_by_api(BRANCH, base, "Mend totals", CHANGE)
    scene.github.ruleset(SHOP, signatures=False)
    theirs = scene.github.commit(SHOP, BRANCH, "more", "more", by="ann")
    with pytest.raises(PushRefused) as refused:
        await forge.commit_by_api(BRANCH, base, "Show the bug", TEST, replaced=old)
    assert refused.value.reason == "moved"
    assert scene.github.head(SHOP, BRANCH) == theirs


async def test_41_whoever_pushes_in_the_last_moment_is_not_overwritten(
    scene: Any, forge: GitHubForge
) -> None:
    base = scene.github.head(SHOP)
    old = await forge.commit_by_api(BRANCH, base, "Mend totals", CHANGE)
    scene.github.ruleset(SHOP, signatures=False)
    theirs = scene.github.commit(SHOP, BRANCH, "more", "more", by="ann")
    with pytest.raises(PushRefused) as refused:
        await forge._git._replace(BRANCH, old, base)
    assert refused.value.reason == "moved"
    assert scene.github.head(SHOP, BRANCH) == theirs
