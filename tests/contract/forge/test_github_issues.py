"""The port `IssueReader`, held by PyGithub against a local server."""

import base64
from typing import Any

import pytest
from inline_snapshot import snapshot

from bot.adapters.github.issues import GitHubIssues
from bot.domain.refs import IssueRef, RepoRef
from bot.domain.task import Task
from bot.errors import (
    BotError,
    ForgeUnavailable,
    Misconfigured,
    NotAllowed,
    NotFound,
    RateLimited,
    UserError,
)

TOKEN = "ghp_secret_of_the_test"
ISSUE = {"number": 7, "title": "Totals are wrong", "body": "Steps:\r\n1. add\r\n"}


def read(forge: Any, token: str | None = None, ref: str = "acme/shop#7") -> Task:
    return GitHubIssues(forge.url, token).read(IssueRef.parse(ref))


def sentence(forge: Any, kind: type[BotError], token: str | None = None) -> str:
    with pytest.raises(kind) as caught:
        read(forge, token)
    assert TOKEN not in str(caught.value)
    return str(caught.value).replace(forge.host, "HOST")


def test_an_issue_becomes_a_task_without_a_token(forge: Any) -> None:
    forge.says(200, ISSUE)
    task = read(forge)
    assert (task.title, task.body, task.source) == (
        "Totals are wrong",
        "Steps:\r\n1. add",
        "acme/shop#7",
    )
    assert task.url == f"http://{forge.host}/acme/shop/issues/7"
    assert forge.asked == [("GET", "/api/v3/repos/acme/shop/issues/7", None)]


def test_a_token_is_sent_with_the_request(forge: Any) -> None:
    forge.says(200, ISSUE)
    read(forge, TOKEN)
    assert [asked[2] for asked in forge.asked] == [f"token {TOKEN}"]


def test_an_issue_without_a_body_is_a_task(forge: Any) -> None:
    forge.says(200, ISSUE | {"body": None})
    assert read(forge).body == ""


def test_the_url_of_an_issue_reads_the_same_issue(forge: Any) -> None:
    forge.says(200, ISSUE)
    assert read(forge, ref=f"http://{forge.host}/acme/shop/issues/7").title == "Totals are wrong"


def test_a_token_is_never_sent_to_another_host(forge: Any) -> None:
    with pytest.raises(Misconfigured) as caught:
        read(forge, TOKEN, "https://ghe.acme.com/acme/shop/issues/7")
    assert "set GITHUB_API_URL=https://ghe.acme.com/api/v3" in str(caught.value)
    assert forge.asked == []


def test_a_pull_request_is_no_issue(forge: Any) -> None:
    forge.says(200, ISSUE | {"pull_request": {"url": "x"}})
    assert "is a pull request" in sentence(forge, UserError)


def test_an_unknown_issue_without_a_token(forge: Any) -> None:
    forge.says(404, {"message": "Not Found"})
    assert sentence(forge, NotFound) == snapshot(
        "acme/shop#7 is not on HOST: check the reference, or set GITHUB_TOKEN if the "
        "repository is private"
    )


def test_an_unknown_issue_with_a_token(forge: Any) -> None:
    forge.says(404, {"message": "Not Found"})
    assert sentence(forge, NotFound, TOKEN) == snapshot(
        "acme/shop#7 is not on HOST: check the reference, and that GITHUB_TOKEN may read it"
    )


def test_a_refused_token(forge: Any) -> None:
    forge.says(401, {"message": "Bad credentials"})
    assert sentence(forge, NotAllowed, TOKEN) == snapshot(
        "GitHub refuses GITHUB_TOKEN (wrong, expired or revoked); make a new one, or unset it "
        "for public repositories"
    )


def test_a_token_without_the_right(forge: Any) -> None:
    forge.says(403, {"message": f"Resource not accessible by {TOKEN}"})
    assert sentence(forge, NotAllowed, TOKEN) == snapshot(
        "GitHub refuses to show acme/shop#7 (403); give GITHUB_TOKEN the right to read issues "
        "there, and authorise it for single sign-on if the owner asks for that"
    )


def test_a_deleted_issue(forge: Any) -> None:
    forge.says(410, {"message": "This issue was deleted"})
    assert sentence(forge, NotFound) == snapshot(
        "acme/shop#7 was deleted, or issues are switched off in acme/shop"
    )


@pytest.mark.parametrize("status", [403, 429])
def test_a_rate_limit_says_when_and_how_to_get_more(forge: Any, status: int) -> None:
    forge.says(
        status, {"message": "API rate limit exceeded for 1.2.3.4."}, X_RateLimit_Reset="1893456000"
    )
    with pytest.raises(RateLimited) as caught:
        read(forge)
    assert caught.value.reset_at == 1893456000
    assert "set GITHUB_TOKEN" in str(caught.value)


def test_a_secondary_rate_limit_without_a_reset(forge: Any) -> None:
    forge.says(403, {"message": "You have exceeded a secondary rate limit."})
    assert sentence(forge, RateLimited, TOKEN) == snapshot(
        "GitHub's rate limit is reached; try again in a few minutes"
    )


def test_a_server_error_is_worth_another_try_and_is_not_retried_here(forge: Any) -> None:
    forge.says(502, "<html>bad gateway</html>", Content_Type="text/html")
    assert sentence(forge, ForgeUnavailable) == snapshot("HOST answers 502; try again later")
    assert len(forge.asked) == 1


@pytest.mark.parametrize("body", ["<html>log in</html>", "[]", '{"title": ""}', "", "null"])
def test_an_answer_that_is_not_github(forge: Any, body: str) -> None:
    forge.says(200, body)
    assert "did not answer like GitHub" in sentence(forge, Misconfigured)


def test_a_redirect_to_another_host_is_not_followed_with_the_token(forge: Any) -> None:
    forge.says(301, {"message": "Moved"}, Location="http://localhost:9/elsewhere")
    assert sentence(forge, Misconfigured, TOKEN) == snapshot(
        "http://HOST/api/v3 sends us to another host; set GITHUB_API_URL to the API's own address"
    )
    assert len(forge.asked) == 1


def test_an_unreachable_forge() -> None:
    with pytest.raises(ForgeUnavailable) as caught:
        GitHubIssues("http://127.0.0.1:9/api/v3", TOKEN).read(IssueRef.parse("acme/shop#7"))
    assert str(caught.value) == snapshot(
        "http://127.0.0.1:9/api/v3 cannot be reached; check the network, proxy and "
        "GITHUB_API_URL, then run again"
    )


@pytest.mark.parametrize(
    ("api", "url"),
    [
        ("https://api.github.com", "https://github.com/acme/shop.git"),
        ("https://ghe.acme.com/api/v3/", "https://ghe.acme.com/acme/shop.git"),
        ("https://api.octo.ghe.com", "https://octo.ghe.com/acme/shop.git"),
    ],
)
def test_the_clone_url_follows_the_api_and_holds_no_token(api: str, url: str) -> None:
    assert GitHubIssues(api, TOKEN).clone_url(RepoRef.parse("acme/shop")) == url


def test_the_token_is_not_even_sent_encoded_in_a_url(forge: Any) -> None:
    forge.says(200, ISSUE)
    read(forge, TOKEN)
    path = forge.asked[0][1]
    assert TOKEN not in path
    assert base64.b64encode(TOKEN.encode()).decode() not in path
