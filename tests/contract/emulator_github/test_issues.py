"""Issues, comments, labels and reactions, as PyGithub sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from github import GithubException, UnknownObjectException

if TYPE_CHECKING:
    from github.Repository import Repository as GitHubRepository

    from tests.contract.emulator_github.conftest import Scene

SHOP = "acme/shop"


@pytest.fixture
def repo(scene: Scene) -> Any:
    return scene.pygithub().get_repo(SHOP)


def test_an_issue_is_opened_edited_closed_and_reopened(
    scene: Scene, repo: GitHubRepository
) -> None:
    issue = repo.create_issue("Broken", body="It breaks.", labels=["bug"])
    assert (issue.number, issue.user.login, issue.user.type) == (1, "acp[bot]", "Bot")
    assert issue.performed_via_github_app is not None
    issue.edit(title="Very broken", body="")
    issue.edit(state="closed", state_reason="not_planned")
    seen = scene.github.issue(SHOP, 1)
    assert (seen.title, seen.body, seen.state, seen.state_reason) == (
        "Very broken", "", "closed", "not_planned",
    )  # fmt: skip
    closer: Any = repo.get_issue(1).closed_by
    assert closer.login == "acp[bot]"
    issue.edit(state="open")
    assert [one.number for one in repo.get_issues()] == [1]
    assert repo.get_issue(1).closed_at is None


def test_issues_are_listed_by_state_and_label_a_page_at_a_time(
    scene: Scene, repo: GitHubRepository
) -> None:
    for n in range(7):
        scene.github.open_issue(SHOP, f"n{n}", by="ana", labels=["odd"] if n % 2 else [])
    scene.github.close_issue(scene.github.issue(SHOP, 1), by="ana")
    assert [one.number for one in repo.get_issues()] == [7, 6, 5, 4, 3, 2]
    assert [one.number for one in repo.get_issues(state="all", labels=["odd"])] == [6, 4, 2]
    rest = scene.as_bot()
    page = rest.get("/repos/acme/shop/issues", params={"per_page": 2, "page": 2})
    assert [one["number"] for one in page.json()] == [5, 4]
    assert {'rel="prev"', 'rel="next"', 'rel="first"', 'rel="last"'} == {
        part.split("; ")[1] for part in page.headers["link"].split(", ")
    }
    following = rest.get(page.links["next"]["url"])
    assert [one["number"] for one in following.json()] == [3, 2]
    assert "next" not in following.links


def test_comments_are_made_edited_and_deleted(scene: Scene, repo: GitHubRepository) -> None:
    scene.github.open_issue(SHOP, "x", by="ana")
    issue = repo.get_issue(1)
    comment = issue.create_comment("first")
    created = comment.updated_at
    scene.github.clock.advance(60)
    comment.edit("second")
    again = issue.get_comment(comment.id)
    assert again.body == "second"
    assert again.updated_at > created == again.created_at
    assert scene.github.comments(scene.github.issue(SHOP, 1)) == [("acp[bot]", "second")]
    assert [one.id for one in repo.get_issue(1).get_comments()] == [comment.id]
    comment.delete()
    with pytest.raises(UnknownObjectException):
        issue.get_comment(comment.id)
    assert repo.get_issue(1).comments == 0


def test_an_edit_by_a_person_shows_in_updated_at_and_only_then(
    scene: Scene, repo: GitHubRepository
) -> None:
    issue = scene.github.open_issue(SHOP, "x", by="ana")
    comment = scene.github.comment(issue, "harmless", by="eve")
    scene.github.clock.advance(60)
    scene.github.react(comment, "eyes", by="ana")
    (seen,) = repo.get_issue(1).get_comments()
    assert seen.updated_at == seen.created_at
    scene.github.edit_comment(issue, comment, "harmful", by="eve")
    (seen,) = repo.get_issue(1).get_comments()
    assert seen.updated_at > seen.created_at


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ({"body": "x" * 65_537}, "too long (maximum is 65536 characters)"),
        ({"body": "  "}, "cannot be blank"),
        ({}, "wasn't supplied"),
        ({"body": 7}, "is not a string"),
    ],
)
def test_a_comment_that_github_would_refuse_is_refused(scene: Scene, what: Any, said: Any) -> None:
    scene.github.open_issue(SHOP, "x", by="ana")
    answer = scene.as_bot().post("/repos/acme/shop/issues/1/comments", json=what)
    assert answer.status_code == 422
    assert said in answer.text


def test_a_long_title_or_body_of_an_issue_is_refused(repo: GitHubRepository) -> None:
    with pytest.raises(GithubException, match="maximum is 256"):
        repo.create_issue("x" * 257)
    with pytest.raises(GithubException, match="maximum is 65536"):
        repo.create_issue("x", body="x" * 65_537)
    assert repo.create_issue("x" * 256, body="x" * 65_536).number == 1


def test_a_body_that_is_no_json_is_a_400(scene: Scene) -> None:
    answer = scene.as_bot().post("/repos/acme/shop/issues", content=b"{")
    assert (answer.status_code, answer.json()["message"]) == (400, "Problems parsing JSON")


def test_labels_come_and_go(scene: Scene, repo: GitHubRepository) -> None:
    scene.github.open_issue(SHOP, "x", by="ana")
    issue = repo.get_issue(1)
    issue.add_to_labels("agentic-fix", "Needs Info")
    assert [one.name for one in issue.get_labels()] == ["agentic-fix", "Needs Info"]
    issue.remove_from_labels("AGENTIC-FIX")
    assert scene.github.issue(SHOP, 1).labels == ["Needs Info"]
    with pytest.raises(GithubException, match="Label does not exist") as refused:
        issue.remove_from_labels("agentic-fix")
    assert refused.value.status == 404
    issue.set_labels("a", "b/c")
    issue.remove_from_labels("b/c")
    issue.delete_labels()
    assert scene.github.issue(SHOP, 1).labels == []
    repo.create_label("kept", "ff0000", "said")
    assert repo.get_label("kept").color == "ff0000"
    with pytest.raises(GithubException, match="already_exists"):
        repo.create_label("KEPT", "00ff00")
    assert "kept" in [one.name for one in repo.get_labels()]


def test_a_reaction_is_given_once(scene: Scene, repo: GitHubRepository) -> None:
    scene.github.open_issue(SHOP, "x", by="ana")
    issue = repo.get_issue(1)
    comment = issue.create_comment("x")
    first = issue.create_reaction("eyes")
    assert issue.create_reaction("eyes").id == first.id
    assert comment.create_reaction("rocket").content == "rocket"
    assert [one.content for one in comment.get_reactions()] == ["rocket"]
    assert repo.get_issue(1).reactions["eyes"] == 1
    rest = scene.as_bot()
    path = "/repos/acme/shop/issues/1/reactions"
    assert rest.post(path, json={"content": "eyes"}).status_code == 200
    assert rest.post(path, json={"content": "heart"}).status_code == 201
    assert rest.post(path, json={"content": "cheers"}).status_code == 422
    issue.delete_reaction(first.id)
    assert [one["content"] for one in rest.get(path).json()] == ["heart"]
    comment.delete_reaction(next(iter(comment.get_reactions())).id)
    assert list(comment.get_reactions()) == []
    hers = scene.github.issue(SHOP, 1)
    scene.github.react(hers, "laugh", by="ana")
    assert rest.delete(f"{path}/{hers.reactions[-1].id}").status_code == 404
    assert scene.github.reactions(scene.github.issue(SHOP, 1)) == [
        ("acp[bot]", "heart"),
        ("ana", "laugh"),
    ]


def test_an_unchanged_resource_is_a_304(scene: Scene) -> None:
    scene.github.open_issue(SHOP, "x", by="ana")
    rest = scene.as_bot()
    first = rest.get("/repos/acme/shop/issues/1")
    same = {"If-None-Match": first.headers["etag"]}
    assert rest.get("/repos/acme/shop/issues/1", headers=same).status_code == 304
    scene.github.label(scene.github.issue(SHOP, 1), "bug", by="ana")
    assert rest.get("/repos/acme/shop/issues/1", headers=same).status_code == 200
