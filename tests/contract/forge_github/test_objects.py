"""PyGithub behind the port: renamed repositories, refused tokens, limits, lost answers."""

import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bot.adapters.github.auth import AppAuth
from bot.adapters.github.forge import GitHubForge
from bot.adapters.github.forge_api import RepoApi
from bot.adapters.github.http import Addresses, GitHubHttp
from bot.adapters.github.limiter import WriteLimiter
from bot.adapters.github.tokens import RunToken
from bot.domain.runs import Actor, RepositoryId
from bot.errors import ForgeUnavailable, Misconfigured, NotAllowed, RateLimited

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
ME = Actor(41, "acp[bot]", "Bot")
TOKEN = "ghs_" + "f" * 36
REPOSITORY = {"id": 7, "full_name": "acme/shop", "default_branch": "main"}
PULLS = "/repos/acme/shop/pulls"


def pull(number: int = 5, head: str = "acp/issue-7", url: str = "", **more: Any) -> dict[str, Any]:
    ref = {"ref": head, "sha": "a" * 40, "label": f"acme:{head}"}
    return {
        "number": number,
        "url": f"{url}/repos/acme/shop/pulls/{number}",
        "html_url": f"http://h/acme/shop/pull/{number}",
        "state": "open",
        "title": "Mend totals",
        "body": "Closes #7",
        "draft": False,
        "merged_at": None,
        "user": {"id": ME.id, "login": ME.login, "type": "Bot"},
        "head": ref,
        "base": ref | {"ref": "main", "label": "acme:main"},
    } | more


@pytest.fixture
async def forge(stage: Any) -> AsyncIterator[GitHubForge]:
    http = GitHubHttp(Addresses.of(stage.url))
    repository = RepositoryId(7, "acme/shop", 3, "main")
    token = RunToken(http, AppAuth("1", PEM), repository, on_secret=lambda _: None)
    stage.says(201, {"token": TOKEN, "permissions": {"checks": "write"}})
    forge = GitHubForge(RepoApi(http, token, WriteLimiter(), repository), ME, 1)
    yield forge
    await forge.aclose()
    await http.aclose()


async def upsert(forge: GitHubForge) -> int:
    made = await forge.upsert_pull(
        head="acp/issue-7", base="main", title="Mend totals", body="Closes #7", draft=True
    )
    return made.number


def asked(stage: Any) -> list[tuple[str, str]]:
    return [(method, path.partition("?")[0]) for method, path in stage.asked[1:]]


async def test_a_redirect_that_loses_the_filter_finds_no_strangers_pull_request(
    stage: Any, forge: GitHubForge
) -> None:
    stage.says(301, {}, Location=f"{stage.url}/repositories/7/pulls")
    stage.says(200, [pull(4, "somebody/else"), pull(5)])
    assert [one.number for one in await forge.pulls(head="acp/issue-7")] == [5]
    assert stage.asked[2] == ("GET", "/repositories/7/pulls")


async def test_a_write_to_a_renamed_repository_goes_to_its_new_name(
    stage: Any, forge: GitHubForge
) -> None:
    stage.says(301, {}, Location=f"{stage.url}/repositories/7/pulls")
    stage.says(200, [])
    stage.says(301, {}, Location=f"{stage.url}/repositories/7")
    stage.says(200, REPOSITORY | {"full_name": "acme/store"})
    stage.says(201, pull(9))
    assert await upsert(forge) == 9
    assert asked(stage) == [
        ("GET", PULLS),
        ("GET", "/repositories/7/pulls"),
        ("GET", "/repos/acme/shop"),
        ("GET", "/repositories/7"),
        ("POST", "/repos/acme/store/pulls"),
    ]
    assert forge.clone_url().endswith("/acme/store.git")


async def test_a_refused_token_is_replaced_once(stage: Any, forge: GitHubForge) -> None:
    stage.says(401, {"message": "Bad credentials"})
    stage.says(201, {"token": TOKEN + "2", "permissions": {}})
    stage.says(200, [pull()])
    assert len(await forge.pulls(head="acp/issue-7")) == 1
    assert stage.authorizations[1::2] == [f"token {TOKEN}", f"token {TOKEN}2"]


async def test_a_token_refused_twice_is_not_asked_for_again(stage: Any, forge: GitHubForge) -> None:
    stage.says(401, {"message": "Bad credentials"})
    stage.says(201, {"token": TOKEN + "2", "permissions": {}})
    stage.says(401, {"message": f"Bad credentials {TOKEN}"})
    with pytest.raises(NotAllowed, match="no longer takes the App's token") as caught:
        await forge.pulls(head="acp/issue-7")
    assert TOKEN not in str(caught.value)


async def test_a_post_that_gets_502_is_looked_up_and_not_sent_again(
    stage: Any, forge: GitHubForge
) -> None:
    stage.says(200, [])
    stage.says(200, REPOSITORY)
    stage.says(502)
    stage.says(200, [pull(8)])
    assert await upsert(forge) == 8
    assert asked(stage)[2:] == [("POST", PULLS), ("GET", PULLS)]


async def test_a_post_that_left_nothing_is_the_callers_to_repeat(
    stage: Any, forge: GitHubForge
) -> None:
    stage.says(200, [])
    stage.says(200, REPOSITORY)
    stage.says(502)
    stage.says(200, [])
    with pytest.raises(ForgeUnavailable):
        await upsert(forge)
    assert asked(stage).count(("POST", PULLS)) == 1


async def test_a_long_limit_is_raised_at_once(stage: Any, forge: GitHubForge) -> None:
    stage.says(429, {"message": "slow down"}, Retry_After="3600")
    with pytest.raises(RateLimited):
        await forge.pulls(head="acp/issue-7")
    assert len(asked(stage)) == 1


async def test_a_read_is_repeated(stage: Any, forge: GitHubForge) -> None:
    stage.says(502)
    stage.says(200, [pull()])
    assert len(await forge.pulls(head="acp/issue-7")) == 1


async def test_no_other_host_is_asked(stage: Any, forge: GitHubForge) -> None:
    stage.says(301, {}, Location="https://evil.example/pulls")
    with pytest.raises(Misconfigured, match="another host"):
        await forge.pulls(head="acp/issue-7")


async def test_drafts_are_given_up_where_they_are_refused(stage: Any, forge: GitHubForge) -> None:
    stage.says(200, [])
    stage.says(200, REPOSITORY)
    stage.says(422, {"message": "Draft pull requests are not supported in this repository."})
    stage.says(200, REPOSITORY)
    stage.says(201, pull(6))
    assert await upsert(forge) == 6


async def test_a_text_that_github_silently_dropped_is_told(stage: Any, forge: GitHubForge) -> None:
    stage.says(200, [pull(body="old", url=stage.url)])
    stage.says(200, pull(body="old", url=stage.url))
    with pytest.raises(NotAllowed, match="kept the old text"):
        await upsert(forge)


async def test_no_log_line_holds_the_token(
    stage: Any, forge: GitHubForge, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    stage.says(200, [pull()])
    await forge.pulls(head="acp/issue-7")
    stage.says(204)
    await forge.aclose()
    assert caplog.text
    assert TOKEN not in caplog.text
