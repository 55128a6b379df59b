"""The App: tokens of every shape and scope, installations that end, limits, deliveries."""

import asyncio
import logging
from dataclasses import replace
from typing import Any

import pytest

from bot.adapters.github.client import GitHubApp
from bot.adapters.github.forge import GitHubForge
from bot.adapters.github.http import Addresses, GitHubHttp, Refusal
from bot.adapters.github.tokens import RUN_PERMISSIONS
from bot.domain.forge import Forge
from bot.domain.runs import Actor
from bot.errors import BotError, ForgeUnavailable, Misconfigured, NotAllowed, NotFound, RateLimited

SHOP = "acme/shop"
MINT = "POST /app/installations/{installation_id}/access_tokens"


def mints(scene: Any) -> list[Any]:
    return [one for one in scene.github.exchanges if one.operation == MINT]


async def test_30_a_run_has_one_token_for_one_repository(scene: Any, forge: GitHubForge) -> None:
    scene.github.choose(scene.installation, [SHOP, "acme/secrets"])
    await forge.default_branch()
    await forge.pulls(head="x")
    (mint,) = mints(scene)
    assert mint.body == {"repository_ids": [scene.shop.id], "permissions": RUN_PERMISSIONS}
    http = GitHubHttp(Addresses.of(scene.github.api_url))
    authorization = f"Bearer {scene.secrets[0]}"
    answer = await http.request("GET", "/installation/repositories", authorization)
    assert [one["full_name"] for one in answer.data["repositories"]] == [SHOP]
    with pytest.raises(Refusal) as caught:
        await http.request("GET", "/repos/acme/secrets", authorization)
    assert caught.value.status == 404
    await http.aclose()


async def test_30_the_token_is_dead_after_the_run(scene: Any) -> None:
    forge = await scene.forge()
    await forge.aclose()
    assert scene.secrets[0] not in scene.github._hub.world.tokens
    await forge.aclose()
    assert scene.operations().count("DELETE /installation/token") == 1


async def test_a_forge_that_could_not_be_opened_leaves_no_token(scene: Any) -> None:
    scene.github.faults.add("GET", "/users/*", "429")
    with pytest.raises(RateLimited):
        await scene.forge()
    assert scene.secrets[0] not in scene.github._hub.world.tokens


@pytest.mark.parametrize("dotted", [False, True])
async def test_27_tokens_of_both_shapes_serve(scene: Any, dotted: bool) -> None:
    value = scene.github.installation_token(scene.installation, dotted=dotted)
    assert (len(value) > 400) is dotted
    forge = await scene.forge()
    minted = forge._api.token._minted
    forge._api.token._minted = replace(minted, value=value)
    issue = scene.github.open_issue(SHOP, "Totals", by="ann")
    await forge.upsert_comment(issue.number, "<!-- a -->", "done")
    assert await forge.pulls(head="x") == ()
    assert len(mints(scene)) == 1


async def test_28_a_token_that_expires_on_the_way_is_replaced_before_it_does(
    scene: Any, forge: GitHubForge
) -> None:
    scene.github.clock.advance(51 * 60)
    await forge.default_branch()
    assert len(mints(scene)) == 2
    assert [one.status for one in scene.github.exchanges if one.status == 401] == []


async def test_a_token_that_died_early_is_replaced_once_for_both_clients(
    scene: Any, forge: GitHubForge
) -> None:
    issue = scene.github.open_issue(SHOP, "Totals", by="ann")
    scene.github._hub.world.tokens.clear()
    assert (await forge.issue_state(issue.number))[0] == "open"
    scene.github._hub.world.tokens.clear()
    assert await forge.pulls(head="x") == ()
    assert len(mints(scene)) == 3


@pytest.mark.parametrize("skew", [-60, 0, 60])
async def test_29_clocks_may_differ_by_a_minute(scene: Any, skew: int) -> None:
    app = GitHubApp(
        app_id=scene.record.client_id,
        private_key=scene.record.private_key,
        on_secret=scene.secrets.append,
        api_url=scene.github.api_url,
        clock=lambda: scene.github.clock.now() + skew,
    )
    await (await app.forge(scene.id)).aclose()
    await app.aclose()


async def test_after_the_end_nothing_is_sent(scene: Any) -> None:
    forge = await scene.forge()
    await scene.app.aclose()
    with pytest.raises(ForgeUnavailable, match="process is ending"):
        await forge.default_branch()
    await forge.aclose()


async def test_24_a_suspended_installation_is_said(scene: Any) -> None:
    scene.github.suspend(scene.installation)
    with pytest.raises(NotAllowed, match="is suspended; resume it"):
        await scene.forge()


async def test_24_a_suspension_on_the_way_is_said(scene: Any, forge: GitHubForge) -> None:
    scene.github.suspend(scene.installation)
    with pytest.raises(NotAllowed, match="installation is suspended"):
        await forge.default_branch()
    with pytest.raises(NotAllowed, match="installation is suspended"):
        await forge.pulls(head="x")


async def test_24_an_installation_that_ended_on_the_way_is_said(
    scene: Any, forge: GitHubForge
) -> None:
    scene.github.uninstall(scene.installation)
    with pytest.raises(NotFound, match="no longer installed for acme/shop; install it again"):
        await forge.default_branch()


async def test_24_a_repository_that_was_taken_out_is_said(scene: Any, forge: GitHubForge) -> None:
    scene.github.choose(scene.installation, [])
    with pytest.raises(NotFound, match="the App may not see it"):
        await forge.default_branch()
    with pytest.raises(NotAllowed, match="does not include acme/shop; add it"):
        await scene.forge()


async def test_26_a_repository_renamed_before_the_run_is_found_by_its_old_name(scene: Any) -> None:
    scene.github.rename(SHOP, "acme/store")
    forge = await scene.forge()
    assert forge.clone_url() == f"{scene.github.url}/acme/store.git"


async def test_26_a_name_that_another_repository_took_is_not_followed(scene: Any) -> None:
    scene.github.rename(SHOP, "acme/store")
    scene.github.repository(SHOP, files={"a": "b"})
    with pytest.raises(NotFound, match="it does not exist there, or the App may not see it"):
        await scene.forge()


LIMITS = [("429", 60.0), ("secondary", 120.0), ("primary", 2400.0)]


@pytest.mark.parametrize(("kind", "seconds"), LIMITS)
@pytest.mark.parametrize("verb", ["default_branch", "pulls"])
async def test_45_a_long_limit_parks_the_work(
    scene: Any, forge: GitHubForge, kind: str, seconds: float, verb: str
) -> None:
    fault = scene.github.faults.add("GET", "/repos/*", kind, seconds=seconds, times=9)
    now = scene.github.clock.now()
    with pytest.raises(RateLimited) as caught:
        await (forge.default_branch() if verb == "default_branch" else forge.pulls(head="x"))
    assert caught.value.reset_at is not None
    assert seconds - 5 <= caught.value.reset_at - now <= seconds + 30
    assert fault.hits == 1


async def test_45_a_short_limit_is_waited_out(scene: Any, forge: GitHubForge) -> None:
    issue = scene.github.open_issue(SHOP, "Totals", by="ann")
    scene.github.faults.add("POST", "/repos/*", "429-retry-after", seconds=0)
    scene.github.faults.add("GET", "/repos/*/pulls*", "secondary", seconds=0)
    await forge.react(issue.number, 0, "eyes")
    assert await forge.pulls(head="x") == ()


async def test_it_holds_the_port(forge: GitHubForge) -> None:
    port: Forge = forge
    assert port.clone_url().endswith("/acme/shop.git")


async def test_the_app_knows_who_it_is(scene: Any, forge: GitHubForge) -> None:
    identity = await scene.app.identity()
    assert (identity.app_id, identity.slug) == (scene.record.id, "acp")
    assert identity.me == forge.me == Actor(scene.record.bot_id, "acp[bot]", "Bot")
    host = Addresses.of(scene.github.api_url).noreply
    assert forge.signature() == f"acp[bot] <{scene.record.bot_id}+acp[bot]@{host}>"
    assert forge.signature(Actor(5, "a\n<b>", "User")) == f"ab <5+ab@{host}>"


async def test_a_server_in_private_mode_is_asked_with_a_token_that_is_then_revoked(
    scene: Any,
) -> None:
    scene.github.private_mode()
    identity = await scene.app.identity()
    assert identity.me.id == scene.record.bot_id
    assert scene.operations()[-1] == "DELETE /installation/token"
    assert not [one for one in scene.secrets if one in scene.github._hub.world.tokens]


async def test_before_it_is_installed_a_server_in_private_mode_does_not_show_the_account(
    scene: Any,
) -> None:
    scene.github.private_mode()
    scene.github.uninstall(scene.installation)
    with pytest.raises(Misconfigured, match="install the App first"):
        await scene.app.identity()


async def test_it_is_asked_once_by_many(scene: Any) -> None:
    await asyncio.gather(*(scene.forge() for _ in range(4)))
    assert scene.operations().count("GET /app") == 1


async def test_25_what_an_installation_lacks_is_listed(scene: Any) -> None:
    scene.github.accept(scene.installation, {"contents": "read", "issues": "write"})
    lacking = await scene.app.lacking(scene.installation.id, RUN_PERMISSIONS)
    assert lacking == ("contents: write", "pull_requests: write", "checks: write")
    with pytest.raises(NotFound):
        await scene.app.lacking(99, RUN_PERMISSIONS)


async def test_another_key_is_the_operators_to_mend(scene: Any) -> None:
    app = GitHubApp(
        app_id="4711",
        private_key=scene.record.private_key,
        on_secret=scene.secrets.append,
        api_url=scene.github.api_url,
    )
    with pytest.raises(BotError, match="GITHUB_APP_ID"):
        await app.identity()
    await app.aclose()


async def test_tokens_are_in_no_log_line_and_no_error(
    scene: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    forge = await scene.forge()
    issue = scene.github.open_issue(SHOP, "Totals", by="ann")
    await forge.upsert_comment(issue.number, "<!-- a -->", "done")
    await forge.pulls(head="x")
    for work in (forge.issue_state(99), forge.upsert_pull(**PULL), forge.pulls(closing=0)):
        try:
            await work
        except BotError as error:
            caplog.handler.records.append(
                logging.makeLogRecord({"msg": f"{error!r} {error.__cause__!r} {error.args!r}"})
            )
    await forge.aclose()
    assert caplog.text
    text = caplog.text + "".join(record.getMessage() for record in caplog.handler.records)
    for secret in (*scene.secrets, scene.app._auth.jwt()):
        assert secret not in text


PULL: Any = {"head": "gone", "base": "main", "title": "t", "body": "b", "draft": False}
