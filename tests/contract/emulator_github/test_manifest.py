"""The manifest flow, as a browser and `acp setup` go through it."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, Any

import httpx2
import jwt
import pytest

if TYPE_CHECKING:
    from bot.emulators.github import GitHubEmulator
    from tests.contract.emulator_github.conftest import Scene

MANIFEST = {
    "name": "Our ACP",
    "url": "https://acp.example",
    "hook_attributes": {"url": "http://127.0.0.1:1/webhooks/github"},
    "redirect_url": "http://127.0.0.1:1/setup/callback?x=1",
    "default_permissions": {"contents": "write", "issues": "write"},
    "default_events": ["issues", "issue_comment"],
    "public": False,
}


def post_form(github: GitHubEmulator, manifest: Any = None, state: str = "s t") -> Any:
    fields = {"manifest": json.dumps(MANIFEST if manifest is None else manifest)}
    return httpx2.post(f"{github.url}/settings/apps/new", params={"state": state}, data=fields)


def press(github: GitHubEmulator, page: Any) -> Any:
    fields = re.findall(r'name="(\w+)" value="([^"]*)"', page.text)
    data = {name: html.unescape(value) for name, value in fields}
    return httpx2.post(f"{github.url}/settings/apps/manifest", data=data)


def test_a_form_becomes_an_app_once(scene: Scene) -> None:
    github = scene.github
    page = post_form(github)
    assert page.status_code == 200
    assert "issues: write" in page.text
    back = press(github, page)
    assert back.status_code == 302
    url = httpx2.URL(back.headers["location"])
    assert (url.params["x"], url.params["state"]) == ("1", "s t")
    code = url.params["code"]
    made = scene.rest().post(f"/app-manifests/{code}/conversions")
    assert made.status_code == 201
    app = made.json()
    assert (app["slug"], app["permissions"]["issues"]) == ("our-acp", "write")
    token = jwt.encode(
        {
            "iat": int(github.clock.now()) - 60,
            "exp": int(github.clock.now()) + 500,
            "iss": str(app["id"]),
        },
        app["pem"],
        "RS256",
    )
    assert scene.rest(token).get("/app").json()["id"] == app["id"]
    assert github.find_app("our-acp").webhook_secret == app["webhook_secret"]
    assert scene.rest().post(f"/app-manifests/{code}/conversions").status_code == 404


def test_a_code_is_good_for_an_hour(scene: Scene) -> None:
    url = httpx2.URL(press(scene.github, post_form(scene.github)).headers["location"])
    scene.github.clock.advance(3601)
    path = f"/app-manifests/{url.params['code']}/conversions"
    assert scene.rest().post(path).status_code == 404


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"url": ""}, "url"),
        ({"redirect_url": ""}, "redirect_url"),
        ({"default_permissions": {"issues": "always"}}, "permission records"),
        ({"default_permissions": {"issues": ["write"]}}, "permission records"),
        ({"hook_attributes": {}}, "Hook url"),
        ({"default_events": ["check_run"]}, "not supported by permissions: check_run"),
    ],
)
def test_a_wrong_manifest_is_explained(scene: Scene, change: Any, said: Any) -> None:
    page = post_form(scene.github, MANIFEST | change)
    assert page.status_code == 422
    assert said in html.unescape(page.text)


def test_what_is_no_manifest_is_refused(scene: Scene) -> None:
    assert post_form(scene.github, [1]).status_code == 422
    url = f"{scene.github.url}/settings/apps/new"
    assert httpx2.post(url, data={"manifest": "{"}).status_code == 422


def test_an_organisation_may_own_the_app(scene: Scene) -> None:
    scene.github.account("umbrella", "Organization")
    url = f"{scene.github.url}/organizations/umbrella/settings/apps/new"
    page = httpx2.post(url, data={"manifest": json.dumps(MANIFEST)})
    assert "umbrella" in page.text
    assert press(scene.github, page).status_code == 302
