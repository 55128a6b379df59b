"""The client: what it repeats, what it follows, where it sends the credential."""

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.adapters.github.http import Addresses, GitHubHttp, Refusal
from bot.adapters.github.limiter import WriteLimiter
from bot.errors import ForgeUnavailable, Misconfigured, RateLimited

NOW = 1_900_000_000.0
AUTH = "Bearer ghs_secret_of_the_test"


@pytest.fixture
async def http(stage: Any) -> AsyncIterator[GitHubHttp]:
    http = GitHubHttp(Addresses.of(stage.url), clock=lambda: NOW)
    yield http
    await http.aclose()


async def test_a_read_is_repeated_after_a_failure_of_the_server(
    stage: Any, http: GitHubHttp
) -> None:
    stage.says(502)
    stage.says(200, {"id": 1})
    assert (await http.request("GET", "/app", AUTH)).data == {"id": 1}
    assert stage.asked == [("GET", "/app")] * 2


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
async def test_a_write_is_sent_once_whatever_comes_back(
    stage: Any, http: GitHubHttp, method: str
) -> None:
    stage.says(502)
    with pytest.raises(ForgeUnavailable):
        await http.request(method, "/x", AUTH, body={})
    assert stage.asked == [(method, "/x")]


async def test_a_read_is_given_up_after_three_tries(stage: Any, http: GitHubHttp) -> None:
    stage.says(503)
    with pytest.raises(ForgeUnavailable, match="503"):
        await http.request("GET", "/x", AUTH)
    assert len(stage.asked) == 3


async def test_a_server_that_is_not_there_is_unavailable_not_a_crash() -> None:
    http = GitHubHttp(Addresses.of("http://127.0.0.1:1/api/v3"))
    with pytest.raises(ForgeUnavailable, match="cannot be reached"):
        await http.request("POST", "/x", AUTH)
    await http.aclose()


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_short_rate_limit_is_waited_out(stage: Any, http: GitHubHttp, method: str) -> None:
    stage.says(429, {"message": "slow down"}, Retry_After="0")
    stage.says(200, {})
    await http.request(method, "/x", AUTH)
    assert len(stage.asked) == 2


LIMITS = [
    (429, {"message": "Too many requests"}, {}, 61),
    (403, {"message": "You have exceeded a secondary rate limit"}, {}, 61),
    (403, {"message": "You have exceeded a secondary rate limit"}, {"Retry_After": "90"}, 91),
    (
        403,
        {"message": "API rate limit exceeded for installation ID 1."},
        {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": str(int(NOW) + 2400)},
        2401,
    ),
]


@pytest.mark.parametrize(("status", "body", "headers", "seconds"), LIMITS)
async def test_a_long_rate_limit_is_raised_with_its_end(
    stage: Any, http: GitHubHttp, status: int, body: Any, headers: dict[str, str], seconds: int
) -> None:
    stage.says(status, body, **headers)
    with pytest.raises(RateLimited) as caught:
        await http.request("GET", "/x", AUTH)
    assert caught.value.reset_at == NOW + seconds
    assert len(stage.asked) == 1


async def test_a_refusal_is_no_rate_limit(stage: Any, http: GitHubHttp) -> None:
    stage.says(403, {"message": "Resource not accessible by integration"})
    with pytest.raises(Refusal) as caught:
        await http.request("GET", "/x", AUTH)
    assert (caught.value.status, caught.value.said) == (
        403,
        "Resource not accessible by integration",
    )


async def test_a_refusal_knows_the_fields_that_github_names(stage: Any, http: GitHubHttp) -> None:
    errors = [{"resource": "PullRequest", "field": "base", "code": "invalid"}, {"message": "too"}]
    stage.says(422, {"message": "Validation Failed", "errors": errors})
    with pytest.raises(Refusal) as caught:
        await http.request("POST", "/x", AUTH, body={})
    assert caught.value.said == "Validation Failed; base invalid; too"
    assert "Validation" not in str(caught.value)


@pytest.mark.parametrize(("method", "status"), [("GET", 301), ("POST", 307), ("PATCH", 308)])
async def test_a_renamed_repository_is_followed(
    stage: Any, http: GitHubHttp, method: str, status: int
) -> None:
    stage.says(status, {}, Location=f"{stage.url}/repositories/7/issues?state=all")
    stage.says(200, [])
    await http.request(method, "/repos/old/name/issues", AUTH)
    assert stage.asked[1] == (method, "/repositories/7/issues?state=all")


async def test_a_redirect_that_forgets_the_query_does_not_lose_it(
    stage: Any, http: GitHubHttp
) -> None:
    stage.says(301, {}, Location=f"{stage.url}/repositories/7/pulls")
    stage.says(200, [])
    await http.request("GET", "/repos/old/name/pulls", AUTH, query="head=acme:x")
    assert stage.asked[1] == ("GET", "/repositories/7/pulls?head=acme:x")


async def test_a_redirect_in_a_circle_ends(stage: Any, http: GitHubHttp) -> None:
    stage.says(301, {}, Location=f"{stage.url}/x")
    with pytest.raises(ForgeUnavailable, match="circle"):
        await http.request("POST", "/x", AUTH)
    assert len(stage.asked) == 3


@pytest.mark.parametrize("elsewhere", ["https://evil.example/x", "http://127.0.0.1:1/x", "//evil/"])
async def test_the_credential_never_follows_to_another_host(
    stage: Any, http: GitHubHttp, elsewhere: str
) -> None:
    stage.says(301, {}, Location=elsewhere)
    with pytest.raises(Misconfigured, match="another host"):
        await http.request("GET", "/x", AUTH)


async def test_a_next_page_on_another_host_is_not_asked(stage: Any, http: GitHubHttp) -> None:
    stage.says(200, [1], Link='<https://evil.example/2>; rel="next"')
    with pytest.raises(Misconfigured, match="another host"):
        [item async for item in http.pages("/x", AUTH)]


async def test_every_page_is_read(stage: Any, http: GitHubHttp) -> None:
    last = f'<{stage.url}/x?page=9>; rel="last"'
    stage.says(200, [1, 2], Link=f'{last}, <{stage.url}/x?page=2>; rel="next"')
    stage.says(200, [3], Link=f'<{stage.url}/x?page=1>; rel="first"')
    assert [item async for item in http.pages("/x", AUTH, query="state=all")] == [1, 2, 3]
    assert stage.asked == [("GET", "/x?per_page=100&state=all"), ("GET", "/x?page=2")]


async def test_a_page_of_a_proxy_is_told_from_github(stage: Any, http: GitHubHttp) -> None:
    stage.says(200, b"<html>Please log in</html>")
    with pytest.raises(Misconfigured, match="did not answer like GitHub"):
        await http.request("GET", "/x", AUTH)


async def test_a_refusal_that_is_no_json_is_a_refusal(stage: Any, http: GitHubHttp) -> None:
    stage.says(404, b"<html>Not found</html>")
    with pytest.raises(Refusal):
        await http.request("GET", "/x", AUTH)


async def test_an_answer_without_a_body_is_no_crash(stage: Any, http: GitHubHttp) -> None:
    stage.says(204)
    assert (await http.request("DELETE", "/x", AUTH)).data is None


async def test_writes_are_spaced_out_once_the_burst_is_spent() -> None:
    now = [0.0]
    limiter = WriteLimiter(burst=2, per_second=50, clock=lambda: now[0])
    await limiter.wait()
    await limiter.wait()
    started = time.monotonic()
    await limiter.wait()
    assert time.monotonic() - started >= 0.015
