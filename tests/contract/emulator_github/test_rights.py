"""Who may do what: people by role, Apps by permission, strangers hardly anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.contract.emulator_github.conftest import Scene

SHOP = "/repos/acme/shop"


@pytest.mark.parametrize(
    ("role", "permission"),
    [
        ("read", "read"),
        ("triage", "read"),
        ("write", "write"),
        ("maintain", "write"),
        ("admin", "admin"),
    ],
)
def test_the_permission_hides_two_roles_that_role_name_tells(
    scene: Scene, role: Any, permission: Any
) -> None:
    scene.github.collaborator("acme/shop", "kim", role)
    shown = scene.as_bot().get(f"{SHOP}/collaborators/kim/permission").json()
    assert (shown["permission"], shown["role_name"]) == (permission, role)


def test_a_custom_role_shows_its_name_and_the_permission_of_its_base(scene: Scene) -> None:
    scene.github.custom_role("acme/shop", "releaser", "maintain")
    scene.github.collaborator("acme/shop", "kim", "releaser")
    shown = scene.as_bot().get(f"{SHOP}/collaborators/kim/permission").json()
    assert (shown["permission"], shown["role_name"]) == ("write", "releaser")


def test_a_stranger_reads_what_is_public_and_is_none_where_it_is_private(scene: Scene) -> None:
    rest = scene.as_bot()
    assert rest.get(f"{SHOP}/collaborators/eve/permission").json()["permission"] == "read"
    scene.github.repository("acme/safe", files={"a": "1"}, private=True)
    rest = scene.as_bot()
    shown = rest.get("/repos/acme/safe/collaborators/eve/permission").json()
    assert (shown["permission"], shown["role_name"]) == ("none", "none")
    assert rest.get(f"{SHOP}/collaborators/nobody/permission").status_code == 404


def test_a_right_that_is_taken_away_is_gone_at_once(scene: Scene) -> None:
    scene.github.collaborator("acme/shop", "ana", "none")
    rest = scene.as_bot()
    assert rest.get(f"{SHOP}/collaborators/ana/permission").json()["permission"] == "read"
    assert rest.get(f"{SHOP}/collaborators/ana").status_code == 404


def test_nobody_may_read_what_is_public_and_nothing_else(scene: Scene) -> None:
    scene.github.repository("acme/safe", files={"a": "1"}, private=True)
    rest = scene.rest()
    assert rest.get(f"{SHOP}/contents/shop.py").status_code == 200
    assert rest.get(f"{SHOP}/collaborators/ana/permission").status_code == 401
    assert rest.post(f"{SHOP}/issues", json={"title": "x"}).status_code == 401
    assert rest.get("/repos/acme/safe").status_code == 404
    assert scene.rest("ghp_wrong").get(SHOP).status_code == 401


def test_a_stranger_may_open_issues_and_comment_but_not_label_or_push(scene: Scene) -> None:
    issue = scene.github.open_issue("acme/shop", "x", by="ana")
    rest = scene.rest(scene.github.token("eve"))
    made = rest.post(f"{SHOP}/issues", json={"title": "help", "labels": ["agentic-fix"]})
    assert made.status_code == 201
    assert made.json()["labels"] == []
    assert made.json()["author_association"] == "NONE"
    said = rest.post(f"{SHOP}/issues/{issue.number}/comments", json={"body": "me too"})
    assert said.status_code == 201
    labelled = rest.post(f"{SHOP}/issues/{issue.number}/labels", json={"labels": ["x"]})
    assert labelled.status_code == 403
    sha = scene.github.head("acme/shop")
    ref = {"ref": "refs/heads/mine", "sha": sha}
    assert rest.post(f"{SHOP}/git/refs", json=ref).status_code == 403
    assert rest.patch(f"{SHOP}/issues/{issue.number}", json={"title": "y"}).status_code == 403


def test_triage_labels_but_does_not_write(scene: Scene) -> None:
    scene.github.collaborator("acme/shop", "tom", "triage")
    issue = scene.github.open_issue("acme/shop", "x", by="ana")
    rest = scene.rest(scene.github.token("tom"))
    path = f"{SHOP}/issues/{issue.number}/labels"
    assert rest.post(path, json={"labels": ["agentic-fix"]}).status_code == 200
    assert rest.post(f"{SHOP}/git/blobs", json={"content": "x"}).status_code == 403


@pytest.mark.parametrize(
    ("lacking", "method", "path", "body"),
    [
        ("contents", "POST", "/git/blobs", {"content": "x"}),
        ("issues", "POST", "/issues/1/comments", {"body": "x"}),
        ("pull_requests", "POST", "/pulls", {"title": "x", "head": "y", "base": "main"}),
        ("checks", "POST", "/check-runs", {"name": "x", "head_sha": "y"}),
        ("statuses", "POST", "/statuses/main", {"state": "success"}),
    ],
)
def test_an_app_without_the_permission_is_refused(
    scene: Scene, lacking: Any, method: Any, path: Any, body: Any
) -> None:
    scene.github.open_issue("acme/shop", "x", by="ana")
    rights = {"metadata": "read"} | {
        name: "write"
        for name in ("contents", "issues", "pull_requests", "checks", "statuses")
        if name not in (lacking, "pull_requests")
    }
    answer = scene.as_bot(permissions=rights).request(method, SHOP + path, json=body)
    assert answer.status_code == 403
    assert lacking in answer.request.url.path or "integration" in answer.json()["message"]


def test_people_are_listed_and_told_who_they_are(scene: Scene) -> None:
    rest = scene.rest(scene.github.token("ana"))
    assert rest.get("/user").json()["login"] == "ana"
    people = rest.get(f"{SHOP}/collaborators").json()
    assert [(one["login"], one["role_name"]) for one in people] == [
        ("acme", "admin"),
        ("ana", "write"),
    ]
    assert rest.get(f"{SHOP}/collaborators/ana").status_code == 204
    assert scene.rest(scene.github.token("eve")).get(f"{SHOP}/collaborators").status_code == 403


def test_people_may_not_make_check_runs(scene: Scene) -> None:
    body = {"name": "x", "head_sha": scene.github.head("acme/shop")}
    rest = scene.rest(scene.github.token("ana"))
    assert rest.post(f"{SHOP}/check-runs", json=body).status_code == 403


def test_a_bot_edits_only_its_own_comments(scene: Scene) -> None:
    issue = scene.github.open_issue("acme/shop", "x", by="ana")
    hers = scene.github.comment(issue, "mine", by="ana")
    rest = scene.as_bot()
    path = f"{SHOP}/issues/comments/{hers.id}"
    assert rest.patch(path, json={"body": "ours"}).status_code == 403
    assert rest.delete(path).status_code == 403
    assert hers.body == "mine"


def test_a_renamed_repository_redirects_and_keeps_its_id(scene: Scene) -> None:
    rest = scene.as_bot()
    before = rest.get(SHOP).json()
    scene.github.rename("acme/shop", "acme/store")
    moved = rest.get(SHOP)
    assert moved.status_code == 301
    assert moved.headers["location"].endswith(f"/repositories/{before['id']}")
    after = rest.get(SHOP, follow_redirects=True).json()
    assert (after["id"], after["full_name"]) == (before["id"], "acme/store")
    deeper = rest.get(f"{SHOP}/contents/shop.py", follow_redirects=True)
    assert deeper.json()["name"] == "shop.py"
