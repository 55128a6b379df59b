"""Faults and limits: what goes wrong on demand, and what is counted."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

if TYPE_CHECKING:
    from tests.contract.emulator_github.conftest import Scene

SHOP = "/repos/acme/shop"


def test_a_502_after_the_effect_leaves_the_effect(scene: Scene) -> None:
    fault = scene.github.faults.add("POST", f"{SHOP}/issues", "502-after")
    rest = scene.as_bot()
    assert rest.post(f"{SHOP}/issues", json={"title": "x"}).status_code == 502
    assert len(scene.github.issues("acme/shop")) == fault.hits == 1
    assert rest.post(f"{SHOP}/issues", json={"title": "y"}).status_code == 201


def test_a_502_before_the_effect_leaves_nothing(scene: Scene) -> None:
    scene.github.faults.add("*", "/repos/*/issues", "502-before", times=2)
    rest = scene.as_bot()
    for _ in range(2):
        assert rest.post(f"{SHOP}/issues", json={"title": "x"}).status_code == 502
    assert scene.github.issues("acme/shop") == []
    assert rest.get(f"{SHOP}/issues").status_code == 200


def test_a_call_that_fails_may_have_no_effect_and_says_why(scene: Scene) -> None:
    scene.github.faults.add("POST", "*", "502-after")
    assert scene.as_bot().post(f"{SHOP}/issues", json={}).status_code == 502
    assert scene.github.issues("acme/shop") == []


@pytest.mark.parametrize(
    ("kind", "status", "retry_after"),
    [("429", 429, None), ("429-retry-after", 429, "7"), ("secondary", 403, "7")],
)
def test_too_many_requests_are_told_in_three_ways(
    scene: Scene, kind: Any, status: Any, retry_after: Any
) -> None:
    scene.github.faults.add("GET", SHOP, kind, seconds=7)
    rest = scene.as_bot()
    refused = rest.get(SHOP)
    assert (refused.status_code, refused.headers.get("retry-after")) == (status, retry_after)
    assert "secondary rate limit" in refused.json()["message"]
    assert rest.get(SHOP).status_code == 200


def test_the_primary_limit_names_its_reset(scene: Scene) -> None:
    scene.github.faults.add("GET", SHOP, "primary", seconds=2400)
    refused = scene.as_bot().get(SHOP)
    assert (refused.status_code, refused.headers["x-ratelimit-remaining"]) == (403, "0")
    wait = int(refused.headers["x-ratelimit-reset"]) - scene.github.clock.now()
    assert 2300 < wait <= 2400
    assert "API rate limit exceeded" in refused.json()["message"]


def test_a_slow_answer_holds_up_nobody_else_and_ends_with_the_emulator(scene: Scene) -> None:
    scene.github.faults.add("GET", SHOP, "slow", seconds=600)
    slow = scene.as_bot()
    failed = []

    def ask() -> Any:
        try:
            slow.get(SHOP, timeout=60)
        except httpx2.TransportError as error:
            failed.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    assert scene.as_bot().get(f"{SHOP}/issues").status_code == 200
    scene.github._api.close()
    thread.join(timeout=30)
    assert not thread.is_alive()
    assert failed == []


def test_a_page_or_git_is_disturbed_too(scene: Scene) -> None:
    scene.github.faults.add("GET", "/acme/shop.git/*", "502-before")
    url = f"{scene.github.url}/acme/shop.git/info/refs?service=git-upload-pack"
    assert [httpx2.get(url).status_code for _ in range(2)] == [502, 200]


def test_an_unknown_fault_is_an_error_of_the_test(scene: Scene) -> None:
    unknown: Any = "503"
    with pytest.raises(ValueError, match="no such fault"):
        scene.github.faults.add("GET", "*", unknown)


def test_requests_are_counted_per_installation_until_none_is_left(scene: Scene) -> None:
    scene.github.limits.limit = 3
    rest = scene.as_bot()
    left = [rest.get(SHOP).headers["x-ratelimit-remaining"] for _ in range(3)]
    assert left == ["2", "1", "0"]
    refused = rest.get(SHOP)
    assert (refused.status_code, refused.headers["x-ratelimit-remaining"]) == (403, "0")
    assert rest.get("/rate_limit").json()["rate"]["remaining"] == 0
    assert scene.rest(scene.github.token("ana")).get(SHOP).status_code == 200
    scene.github.clock.advance(3601)
    assert scene.as_bot().get(SHOP).status_code == 200


def test_a_client_must_name_itself(scene: Scene) -> None:
    answer = scene.rest().get(SHOP, headers={"User-Agent": ""})
    assert answer.status_code in (200, 403)
    raw = httpx2.Request("GET", scene.github.api_url + SHOP)
    raw.headers.pop("user-agent", None)
    with httpx2.Client() as client:
        assert client.send(raw).status_code == 403
