"""Pull requests, reviews, check runs and statuses, as PyGithub sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from github import GithubException, InputGitTreeElement, UnknownObjectException

if TYPE_CHECKING:
    from github.Repository import Repository as GitHubRepository

    from tests.contract.emulator_github.conftest import Scene

SHOP = "acme/shop"


@pytest.fixture
def repo(scene: Scene) -> Any:
    return scene.pygithub().get_repo(SHOP)


@pytest.fixture
def branch(scene: Scene) -> Any:
    scene.github.commit(SHOP, "fix", "shop.py", "def total(prices):\n    return 0\n", by="ana")
    return "fix"


def test_a_pull_request_shows_what_git_says(
    scene: Scene, repo: GitHubRepository, branch: str
) -> None:
    scene.github.commit(SHOP, "fix", "new.py", "one\ntwo\n", by="ana")
    pull = repo.create_pull("main", branch, title="Fix", body="Closes #1")
    assert (pull.number, pull.state, pull.mergeable, pull.mergeable_state) == (
        1, "open", True, "clean",
    )  # fmt: skip
    assert (pull.commits, pull.changed_files, pull.additions, pull.deletions) == (2, 2, 3, 1)
    assert pull.head.sha == scene.github.head(SHOP, "fix")
    files = {one.filename: one for one in pull.get_files()}
    assert files["new.py"].status == "added"
    assert files["shop.py"].patch.startswith("@@ -1,2 +1,2 @@")
    assert [one.commit.message for one in pull.get_commits()] == ["Edit shop.py", "Edit new.py"]
    assert repo.get_issue(1).pull_request is not None


def test_a_conflict_and_a_merge_are_git_s_own(scene: Scene, repo: Any, branch: str) -> None:
    pull = repo.create_pull("main", branch, title="Fix")
    scene.github.commit(SHOP, "main", "shop.py", "something else\n", by="ana")
    assert (repo.get_pull(1).mergeable, repo.get_pull(1).mergeable_state) == (False, "dirty")
    with pytest.raises(GithubException, match="not mergeable"):
        pull.merge()
    scene.github.commit(SHOP, "fix2", "other.py", "x\n", by="ana")
    other = repo.create_pull("main", "fix2", title="Other")
    assert not other.is_merged()
    assert other.merge().merged
    assert other.is_merged()
    seen = repo.get_pull(2)
    assert (seen.state, seen.merged, seen.merge_commit_sha) == (
        "closed", True, scene.github.head(SHOP),
    )  # fmt: skip
    assert repo.get_contents("other.py").decoded_content == b"x\n"


def test_a_second_pull_request_of_a_branch_is_refused(repo: GitHubRepository, branch: str) -> None:
    repo.create_pull("main", branch, title="Fix")
    with pytest.raises(GithubException, match="A pull request already exists for acme:fix") as e:
        repo.create_pull("main", branch, title="Again")
    assert e.value.status == 422


@pytest.mark.parametrize(
    ("head", "base", "said"),
    [
        ("empty", "main", "No commits between main and empty"),
        ("nowhere", "main", "invalid"),
        ("fix", "nowhere", "invalid"),
        ("stranger:fix", "main", "invalid"),
    ],
)
def test_a_pull_request_of_nothing_is_refused(
    scene: Scene, repo: GitHubRepository, branch: str, head: Any, base: Any, said: Any
) -> None:
    repo.create_git_ref("refs/heads/empty", scene.github.head(SHOP))
    with pytest.raises(GithubException, match=said):
        repo.create_pull(base, head, title="x")


def test_drafts_are_refused_where_the_plan_has_none(
    scene: Scene, repo: GitHubRepository, branch: str
) -> None:
    scene.github.ruleset(SHOP, drafts=False)
    with pytest.raises(GithubException, match="Draft pull requests are not supported"):
        repo.create_pull("main", branch, title="x", draft=True)
    scene.github.ruleset(SHOP)
    assert repo.create_pull("main", branch, title="x", draft=True).draft


def test_pull_requests_are_found_by_head_and_state(
    scene: Scene, repo: GitHubRepository, branch: str
) -> None:
    first = repo.create_pull("main", branch, title="x")
    assert [one.number for one in repo.get_pulls(head="acme:fix")] == [1]
    assert [one.number for one in repo.get_pulls(head="acme:other")] == []
    first.edit(title="y", body="z", state="closed")
    assert [one.number for one in repo.get_pulls(head="acme:fix")] == []
    assert [one.title for one in repo.get_pulls(state="all", head="acme:fix")] == ["y"]
    again = repo.create_pull("main", branch, title="again")
    assert again.number == 2
    assert [one.number for one in repo.get_issues()] == [2]


def test_a_push_moves_the_head_and_a_deleted_branch_closes(
    scene: Scene, repo: GitHubRepository, branch: str
) -> None:
    pull = repo.create_pull("main", branch, title="x")
    before = pull.head.sha
    after = scene.github.commit(SHOP, "fix", "more.py", "x\n", by="ana")
    pull.update()
    assert pull.head.sha == after != before
    scene.github.delete_branch(SHOP, "fix", by="ana")
    seen = repo.get_pull(1)
    assert (seen.state, seen.head.sha) == ("closed", after)


def test_a_pull_request_from_a_fork_names_both_sides(scene: Scene, repo: GitHubRepository) -> None:
    scene.github.fork(SHOP, by="eve")
    scene.github.commit("eve/shop", "patch", "shop.py", "x\n", by="eve")
    scene.github.open_pull(SHOP, "From afar", head="eve:patch", by="eve")
    pull = repo.get_pull(1)
    assert (pull.head.label, pull.base.label) == ("eve:patch", "acme:main")
    assert (pull.head.repo.full_name, pull.head.repo.fork) == ("eve/shop", True)
    assert pull.changed_files == 1
    assert [one.number for one in repo.get_pulls(head="eve:patch")] == [1]


def test_reviews_are_asked_for_and_given(scene: Scene, repo: GitHubRepository, branch: str) -> None:
    scene.github.collaborator(SHOP, "kim", "write")
    pull = repo.create_pull("main", branch, title="x")
    with pytest.raises(GithubException, match="only be requested from collaborators"):
        pull.create_review_request(reviewers=["kim", "eve"])
    pull.create_review_request(reviewers=["kim"])
    assert [one.login for one in pull.get_review_requests()[0]] == ["kim"]
    pull.delete_review_request(reviewers=["kim"])
    assert list(pull.get_review_requests()[0]) == []
    with pytest.raises(GithubException, match="your own pull request"):
        pull.create_review(body="fine", event="APPROVE")
    assert pull.create_review(body="so", event="COMMENT").state == "COMMENTED"
    scene.github.review(scene.github.pull(SHOP), "REQUEST_CHANGES", "no", by="kim")
    _, seen = pull.get_reviews()
    assert (seen.state, seen.body, seen.user.login) == ("CHANGES_REQUESTED", "no", "kim")
    assert pull.get_review(seen.id).commit_id == pull.head.sha


def notes(count: Any) -> Any:
    one = {"path": "shop.py", "start_line": 1, "end_line": 1, "annotation_level": "failure"}
    return [one | {"message": f"m{n}"} for n in range(count)]


def test_a_check_run_grows_in_batches_and_is_found_by_commit(
    scene: Scene, repo: GitHubRepository, branch: str
) -> None:
    sha = scene.github.head(SHOP, branch)
    check = repo.create_check_run("acp", sha, status="in_progress", external_id="run-1")
    output = {"title": "t", "summary": "s", "text": "x" * 65_535, "annotations": notes(50)}
    check.edit(output=output)
    more = {"title": "t", "summary": "s", "annotations": notes(20)}
    check.edit(status="completed", conclusion="failure", output=more)
    (seen,) = repo.get_commit(sha).get_check_runs(check_name="acp")
    assert (seen.conclusion, seen.external_id, seen.output.annotations_count) == (
        "failure", "run-1", 70,
    )  # fmt: skip
    assert len(list(seen.get_annotations())) == 70
    assert [one.id for one in repo.get_commit("fix").get_check_runs()] == [check.id]
    assert repo.get_check_run(check.id).app.id == scene.app.id
    assert list(repo.get_commit("main").get_check_runs()) == []


@pytest.mark.parametrize(
    "output",
    [
        {"title": "t", "summary": "s", "annotations": notes(51)},
        {"title": "t", "summary": "s", "text": "x" * 65_536},
        {"title": "t", "summary": "x" * 65_536},
        {"summary": "s"},
    ],
)
def test_a_check_run_that_is_too_much_is_refused(
    scene: Scene, repo: GitHubRepository, output: Any
) -> None:
    with pytest.raises(GithubException) as refused:
        repo.create_check_run("acp", scene.github.head(SHOP), output=output)
    assert refused.value.status == 422
    assert scene.github.check_runs(SHOP) == []


def test_statuses_come_to_one_verdict(scene: Scene, repo: GitHubRepository) -> None:
    commit = repo.get_commit("main")
    assert commit.get_combined_status().state == "pending"
    commit.create_status("success", "https://ci.example/1", "fine", "ci/a")
    assert commit.get_combined_status().state == "success"
    commit.create_status("failure", context="ci/b")
    assert commit.get_combined_status().state == "failure"
    assert [one.context for one in commit.get_statuses()] == ["ci/b", "ci/a"]
    assert len(scene.github.statuses(SHOP)) == 2
    assert len(scene.as_bot().get("/repos/acme/shop/commits/main/statuses").json()) == 2


def test_a_commit_made_through_the_api_is_signed_unless_it_names_an_author(
    scene: Scene, repo: GitHubRepository
) -> None:
    parent = repo.get_git_commit(scene.github.head(SHOP))
    blob = repo.create_git_blob("ZWNobyBoaQo=", "base64")
    tree = repo.create_git_tree(
        [
            InputGitTreeElement("run.sh", "100755", "blob", sha=blob.sha),
            InputGitTreeElement("link", "120000", "blob", content="run.sh"),
            InputGitTreeElement("README.md", "100644", "blob", sha=None),
        ],
        base_tree=parent.tree,
    )
    assert {one.path: one.mode for one in tree.tree} == {
        "run.sh": "100755", "link": "120000", "shop.py": "100644",
    }  # fmt: skip
    commit = repo.create_git_commit("By API", tree, [parent])
    assert commit.verification.verified
    assert commit.author.name == "acp[bot]"
    scene.github.ruleset(SHOP, signatures=True)
    ref = repo.create_git_ref("refs/heads/acp/x", commit.sha)
    assert ref.object.sha == scene.github.head(SHOP, "acp/x") == commit.sha
    assert repo.get_git_blob(blob.sha).content.strip() == "ZWNobyBoaQo="
    plain = scene.as_bot().post(
        "/repos/acme/shop/git/commits",
        json={
            "message": "x",
            "tree": tree.sha,
            "parents": [commit.sha],
            "author": {"name": "a", "email": "a@b.c", "date": "2026-01-02T03:04:05Z"},
        },
    )
    assert plain.json()["verification"]["reason"] == "unsigned"
    with pytest.raises(GithubException, match="verified signatures"):
        ref.edit(plain.json()["sha"])


def test_refs_are_made_moved_and_deleted_under_git_s_rules(
    scene: Scene, repo: GitHubRepository
) -> None:
    first = scene.github.head(SHOP)
    second = scene.github.commit(SHOP, "main", "a", "1", by="ana")
    ref = repo.create_git_ref("refs/heads/x", second)
    with pytest.raises(GithubException, match="already exists"):
        repo.create_git_ref("refs/heads/x", second)
    with pytest.raises(GithubException, match="not a fast forward"):
        ref.edit(first)
    ref.edit(first, force=True)
    assert repo.get_git_ref("heads/x").object.sha == first
    assert [one.ref for one in repo.get_git_matching_refs("heads/")] == [
        "refs/heads/main", "refs/heads/x",
    ]  # fmt: skip
    repo.get_git_ref("heads/x").delete()
    with pytest.raises(UnknownObjectException):
        repo.get_git_ref("heads/x")
    with pytest.raises(GithubException, match="Object does not exist"):
        repo.create_git_ref("refs/heads/y", "1" * 40)


def test_content_is_read_at_any_ref(scene: Scene, repo: Any) -> None:
    first = scene.github.head(SHOP)
    scene.github.commit(SHOP, "main", "docs/a b.md", "hi\n", by="ana")
    assert repo.get_contents("docs/a b.md").decoded_content == b"hi\n"
    assert [one.path for one in repo.get_contents("docs")] == ["docs/a b.md"]
    assert {one.name for one in repo.get_contents("")} == {"README.md", "docs", "shop.py"}
    with pytest.raises(UnknownObjectException):
        repo.get_contents("docs/a b.md", ref=first)
    with pytest.raises(GithubException, match="No commit found for the ref nope"):
        repo.get_contents("shop.py", ref="nope")
    raw = scene.as_bot().get(
        "/repos/acme/shop/contents/docs/a%20b.md",
        headers={"Accept": "application/vnd.github.raw+json"},
    )
    assert raw.content == b"hi\n"


def test_history_branches_and_comparisons_come_from_git(
    scene: Scene, repo: GitHubRepository
) -> None:
    first = scene.github.head(SHOP)
    scene.github.commit(SHOP, "side", "a", "1", by="ana")
    assert {one.name for one in repo.get_branches()} == {"main", "side"}
    assert repo.get_branch("side").commit.sha == scene.github.head(SHOP, "side")
    assert [one.sha for one in repo.get_commits(sha="side")][-1] == first
    between = repo.compare("main", "side")
    assert (between.status, between.ahead_by, between.behind_by) == ("ahead", 1, 0)
    assert [one.filename for one in between.files] == ["a"]
    assert repo.get_commit("side").stats.additions == 1
    assert repo.get_git_tree("side", recursive=True).tree[0].path == "README.md"
    empty = scene.github.repository("acme/empty")
    assert empty.default_branch == "main"
    with pytest.raises(GithubException, match="empty"):
        list(scene.pygithub().get_repo("acme/empty").get_commits())
