"""Pull requests: one for a branch, ours alone edited."""

from typing import Any

import pytest

from bot.adapters.github.forge import GitHubForge
from bot.domain.forge import PullRequest
from bot.errors import ForgeUnavailable, NotAllowed, NotFound

SHOP = "acme/shop"
HEAD = "acp/issue-7-totals"


@pytest.fixture
def branch(scene: Any) -> str:
    return str(scene.github.commit(SHOP, HEAD, "new.py", "x = 1\n", by="ann"))


async def upsert(forge: GitHubForge, **changes: Any) -> PullRequest:
    fields: dict[str, Any] = {
        "head": HEAD,
        "base": "main",
        "title": "Mend totals",
        "body": "Closes #1",
        "draft": False,
    }
    return await forge.upsert_pull(**fields | changes)


async def test_a_pull_request_is_opened(scene: Any, forge: GitHubForge, branch: str) -> None:
    made = await upsert(forge, draft=True)
    assert made == PullRequest(
        number=made.number,
        url=f"{scene.github.url}/acme/shop/pull/{made.number}",
        state="open",
        draft=True,
        head=HEAD,
        head_sha=branch,
        base="main",
        author=forge.me,
        body="Closes #1",
        head_owner="acme",
    )


async def test_40_an_open_one_is_updated(scene: Any, forge: GitHubForge, branch: str) -> None:
    first = await upsert(forge)
    second = await upsert(forge, title="Mend all totals", body="Closes #1, better")
    assert (second.number, second.body) == (first.number, "Closes #1, better")
    assert scene.github.pull(SHOP).title == "Mend all totals"


async def test_the_same_pull_request_is_not_sent_again(
    scene: Any, forge: GitHubForge, branch: str
) -> None:
    await upsert(forge)
    await upsert(forge)
    assert len(scene.writes()) == 1


async def test_38_a_pull_request_whose_answer_was_lost_is_opened_once(
    scene: Any, forge: GitHubForge, branch: str
) -> None:
    fault = scene.github.faults.add("POST", "/repos/*/pulls", "502-after")
    made = await upsert(forge)
    assert fault.hits == 1
    assert [one.number for one in scene.github.pulls(SHOP)] == [made.number]


async def test_a_pull_request_that_was_not_made_is_the_next_calls(
    scene: Any, forge: GitHubForge, branch: str
) -> None:
    scene.github.faults.add("POST", "/repos/*/pulls", "502-before")
    with pytest.raises(ForgeUnavailable):
        await upsert(forge)
    await upsert(forge)
    assert len(scene.github.pulls(SHOP)) == 1


async def test_one_that_a_person_opened_is_left_as_it_is(
    scene: Any, forge: GitHubForge, branch: str
) -> None:
    theirs = scene.github.open_pull(SHOP, "Mine", head=HEAD, by="ann", body="by hand")
    found = await upsert(forge)
    assert (found.number, found.body, found.author.login) == (theirs.number, "by hand", "ann")


async def test_42_a_closed_one_is_not_reopened(scene: Any, forge: GitHubForge, branch: str) -> None:
    first = await upsert(forge)
    scene.github.close_issue(scene.github.pull(SHOP), by="ann")
    second = await upsert(forge)
    assert second.number != first.number
    assert [(one.number, one.state) for one in await forge.pulls(head=HEAD)] == [
        (second.number, "open"),
        (first.number, "closed"),
    ]


async def test_a_merged_one_is_told(scene: Any, forge: GitHubForge, branch: str) -> None:
    await upsert(forge)
    scene.github.merge(scene.github.pull(SHOP), by="ann")
    assert [one.state for one in await forge.pulls(head=HEAD)] == ["merged"]


async def test_44_where_drafts_are_refused_it_is_a_plain_one(
    scene: Any, forge: GitHubForge, branch: str
) -> None:
    scene.github.ruleset(SHOP, drafts=False)
    assert (await upsert(forge, draft=True)).draft is False


async def test_34_a_base_that_is_gone_is_said(forge: GitHubForge, branch: str) -> None:
    with pytest.raises(NotFound, match="no branch release any more"):
        await upsert(forge, base="release")


async def test_a_branch_without_commits_is_said(scene: Any, forge: GitHubForge) -> None:
    scene.github.commit(SHOP, "same", "README.md", "# Shop\n", by="ann")
    scene.github.store(SHOP).set_ref("refs/heads/same", scene.github.head(SHOP))
    with pytest.raises(NotAllowed, match="same has nothing that main lacks"):
        await upsert(forge, head="same")


async def test_a_fork_with_a_branch_of_our_name_is_not_ours(
    scene: Any, forge: GitHubForge, branch: str
) -> None:
    scene.github.fork(SHOP, by="mallory")
    scene.github.commit("mallory/shop", HEAD, "evil.py", "x = 2\n", by="mallory")
    scene.github.open_pull(SHOP, "Mine", head=f"mallory:{HEAD}", by="mallory")
    assert await forge.pulls(head=HEAD) == ()
    assert (await upsert(forge)).author == forge.me


CLOSING = [
    ("Closes #12", True),
    ("this FIXES: #12.", True),
    ("resolved acme/shop#12", True),
    ("fix {url}/acme/shop/issues/12", True),
    ("Closes #123", False),
    ("see #12", False),
    ("closes other/shop#12", False),
    ("", False),
]


@pytest.mark.parametrize(("body", "closes"), CLOSING)
async def test_pull_requests_that_close_an_issue_are_found(
    scene: Any, forge: GitHubForge, branch: str, body: str, closes: bool
) -> None:
    text = body.format(url=scene.github.url)
    scene.github.open_pull(SHOP, "x", head=HEAD, by="ann", body=text)
    assert len(await forge.pulls(closing=12)) == closes


async def test_people_who_cannot_review_are_left_out(
    scene: Any, forge: GitHubForge, branch: str
) -> None:
    ann = scene.github.collaborator(SHOP, "ann", "write")
    made = await upsert(forge)
    await forge.request_reviewers(made.number, ["nobody-here", "ann", "acp[bot]"])
    assert scene.github.pull(SHOP).pull.reviewers == [ann.id]
    await forge.request_reviewers(made.number, [])
