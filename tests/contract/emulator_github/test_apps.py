"""Apps, installations and tokens, over plain HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from bot.emulators.github import apps

if TYPE_CHECKING:
    from tests.contract.emulator_github.conftest import Scene


def test_an_app_shows_itself_to_its_own_jwt(scene: Scene) -> None:
    shown = scene.as_app().get("/app").json()
    assert (shown["id"], shown["slug"]) == (scene.app.id, "acp")
    assert shown["permissions"]["contents"] == "write"
    assert scene.as_app(iss=scene.app.client_id).get("/app").status_code == 200


@pytest.mark.parametrize(
    ("claims", "status", "words"),
    [
        ({"iss": "99"}, 404, "Integration not found"),
        ({"exp": 1}, 401, "numeric value representing the future time"),
        ({"exp": 99999999999}, 401, "too far in the future"),
        ({"iat": 99999999999}, 401, "'iat'"),
        ({"exp": None}, 401, ""),
    ],
)
def test_a_jwt_that_breaks_a_rule_is_refused(
    scene: Scene, claims: Any, status: Any, words: Any
) -> None:
    answer = scene.as_app(**claims).get("/app")
    assert answer.status_code == status
    assert words in answer.json()["message"]


def test_a_jwt_of_another_key_or_none_is_refused(scene: Scene) -> None:
    stranger, _ = apps.key_pair()
    assert scene.rest(scene.jwt(stranger)).get("/app").status_code == 401
    assert scene.rest().get("/app").status_code == 401
    assert scene.rest(scene.token()).get("/app").status_code == 401


def mint(scene: Scene, shape: str = "", **asked: Any) -> httpx2.Response:
    headers = {"X-GitHub-Stateless-S2S-Token": shape} if shape else {}
    path = f"/app/installations/{scene.installation.id}/access_tokens"
    return scene.as_app().post(path, json=asked, headers=headers)


@pytest.mark.parametrize(("shape", "dots"), [("", 0), ("disabled", 0), ("enabled", 2)])
def test_a_token_comes_in_either_shape_and_works(scene: Scene, shape: Any, dots: Any) -> None:
    token = mint(scene, shape).json()["token"]
    assert token.startswith("ghs_")
    assert token.count(".") == dots
    assert (len(token) == 40) if not dots else (480 < len(token) < 560)
    assert scene.rest(token).get("/repos/acme/shop").status_code == 200


def test_a_token_reaches_only_the_repositories_it_was_asked_for(scene: Scene) -> None:
    store = scene.github.repository("acme/store", files={"a": "1"}, private=True)
    made = mint(scene, repository_ids=[store.id]).json()
    assert [one["full_name"] for one in made["repositories"]] == ["acme/store"]
    rest = scene.rest(made["token"])
    assert rest.get("/repos/acme/store").status_code == 200
    assert rest.get("/repos/acme/shop").status_code == 404
    assert rest.get("/installation/repositories").json()["total_count"] == 1
    named = mint(scene, repositories=["shop"]).json()["token"]
    assert scene.rest(named).get("/repos/acme/store").status_code == 404


def test_a_token_holds_only_the_permissions_it_was_asked_for(scene: Scene) -> None:
    rest = scene.rest(mint(scene, permissions={"issues": "read"}).json()["token"])
    assert rest.get("/repos/acme/shop/issues").status_code == 200
    refused = rest.post("/repos/acme/shop/issues", json={"title": "x"})
    assert refused.status_code == 403
    assert refused.json()["message"] == "Resource not accessible by integration"


def test_asking_for_more_than_was_granted_is_refused(scene: Scene) -> None:
    assert mint(scene, permissions={"administration": "write"}).status_code == 422
    assert mint(scene, repository_ids=[7]).status_code == 422


def test_a_token_expires_and_is_revoked(scene: Scene) -> None:
    rest = scene.as_bot()
    scene.github.clock.advance(3599)
    assert rest.get("/repos/acme/shop").status_code == 200
    scene.github.clock.advance(2)
    assert rest.get("/repos/acme/shop").json()["message"] == "Bad credentials"
    other = scene.as_bot()
    assert other.delete("/installation/token").status_code == 204
    assert other.get("/repos/acme/shop").status_code == 401


def test_a_suspended_installation_mints_nothing_and_its_tokens_rest(scene: Scene) -> None:
    rest = scene.as_bot()
    scene.github.suspend(scene.installation)
    assert mint(scene).status_code == 403
    assert rest.get("/repos/acme/shop").status_code == 403
    scene.github.suspend(scene.installation, on=False)
    assert rest.get("/repos/acme/shop").status_code == 200


def test_an_app_suspends_itself(scene: Scene) -> None:
    path = f"/app/installations/{scene.installation.id}/suspended"
    assert scene.as_app().put(path).status_code == 204
    assert scene.installation.suspended_at is not None
    assert scene.as_app().delete(path).status_code == 204
    assert scene.as_bot().get("/repos/acme/shop").status_code == 200


def test_an_uninstalled_app_has_nothing_left(scene: Scene) -> None:
    rest, path = scene.as_bot(), f"/app/installations/{scene.installation.id}"
    assert scene.as_app().delete(path).status_code == 204
    assert rest.get("/repos/acme/shop").status_code == 401
    assert scene.as_app().get(path).status_code == 404
    assert scene.as_app().get("/app/installations").json() == []


def test_installations_are_found_by_list_account_and_repository(scene: Scene) -> None:
    app, wanted = scene.as_app(), scene.installation.id
    assert [one["id"] for one in app.get("/app/installations").json()] == [wanted]
    for path in ("/repos/acme/shop/installation", "/users/acme/installation"):
        assert app.get(path).json()["id"] == wanted
    assert app.get(f"/app/installations/{wanted}").json()["account"]["login"] == "acme"
    assert app.get("/users/eve/installation").status_code == 404


def test_the_hook_can_be_moved_and_its_secret_is_never_shown(scene: Scene) -> None:
    changed = {"url": "http://127.0.0.1:1/x", "secret": "new"}
    shown = scene.as_app().patch("/app/hook/config", json=changed).json()
    assert shown["url"] == changed["url"]
    assert scene.as_app().get("/app/hook/config").json()["secret"] == "********"
    assert scene.app.webhook_secret == "new"


def test_the_bot_of_an_app_is_a_user_of_its_own(scene: Scene) -> None:
    bot = scene.rest().get("/users/acp%5Bbot%5D").json()
    assert (bot["login"], bot["type"]) == ("acp[bot]", "Bot")
    assert bot["id"] == scene.app.bot_id != scene.app.id
    assert scene.rest().get("/apps/acp").json()["id"] == scene.app.id
    assert scene.as_bot().get("/user").status_code == 403
