"""Who changed an issue's text: asked by GraphQL, in words that GitHub's public schema knows."""

from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema, parse, validate

from bot.adapters.github import forge_edits, forge_git
from bot.adapters.github.forge import GitHubForge
from bot.adapters.github.http import Addresses
from bot.emulators.github import graphql
from bot.errors import ForgeUnavailable, RateLimited
from tests.contract.forge_github.conftest import Stage

SHOP = "acme/shop"
SCHEMA = Path(graphql.__file__).with_name("schema.graphql").read_text("utf-8")


@pytest.mark.parametrize("document", [forge_edits.DOCUMENT, forge_git.REPLACE])
def test_what_we_ask_is_in_the_public_schema(document: str) -> None:
    assert SCHEMA.startswith("# npm @octokit/graphql-schema ")
    assert validate(build_schema(SCHEMA), parse(document)) == []
    wrong = parse(document.replace("editedAt", "editedWhen").replace("clientM", "serverM"))
    assert validate(build_schema(SCHEMA), wrong)


async def test_every_change_of_title_and_body_is_told(scene: Any, forge: GitHubForge) -> None:
    issue = scene.github.open_issue(SHOP, "Totals", "One.", by="ann")
    assert await forge.edits(issue.number) == []
    bot = scene.github.account("renovate[bot]", "Bot")
    scene.github.edit_issue(issue, by="bob", body="Two.")
    scene.github.clock.advance(60)
    scene.github.edit_issue(issue, by=bot.login, body="Three.")
    scene.github.edit_issue(issue, by="eve", title="Sums")

    edits = await forge.edits(issue.number)
    assert edits is not None
    found = {(one.editor.login, one.editor.kind, one.editor.id) for one in edits}
    assert {one[:2] for one in found} == {
        ("bob", "User"),
        ("renovate[bot]", "Bot"),
        ("eve", "User"),
    }
    assert bot.id in {one[2] for one in found}
    assert len({one.at for one in edits}) == 2


async def test_an_account_that_was_deleted_is_a_ghost(scene: Any, forge: GitHubForge) -> None:
    issue = scene.github.open_issue(SHOP, "Totals", "One.", by="ann")
    scene.github.edit_issue(issue, by="bob", body="Two.")
    issue.edits[0].editor_id = None
    (edit,) = await forge.edits(issue.number) or ()
    assert edit.editor.id == 0


async def test_more_changes_than_one_answer_holds_are_not_half_told(
    scene: Any, forge: GitHubForge
) -> None:
    issue = scene.github.open_issue(SHOP, "Totals", "One.", by="ann")
    for number in range(101):
        scene.github.edit_issue(issue, by="bob", body=f"{number}")
    assert await forge.edits(issue.number) is None


async def test_without_the_permission_nothing_is_told(scene: Any) -> None:
    issue = scene.github.open_issue(SHOP, "Totals", by="ann")
    forge = await scene.forge({"contents": "read"})
    assert await forge.edits(issue.number) is None


async def test_a_limit_and_an_outage_are_no_refusal(scene: Any, forge: GitHubForge) -> None:
    issue = scene.github.open_issue(SHOP, "Totals", by="ann")
    scene.github.faults.add("POST", "/graphql", "primary", seconds=2400.0)
    with pytest.raises(RateLimited):
        await forge.edits(issue.number)
    scene.github.faults.add("POST", "/graphql", "502-before", times=3)
    with pytest.raises(ForgeUnavailable):
        await forge.edits(issue.number)


async def test_a_limit_within_an_answer_is_one_as_well(stage: Stage, scene: Any) -> None:
    stage.says(200, {"errors": [{"type": "RATE_LIMITED", "message": "slow down"}]})
    http = scene.connected()._http
    http.addresses = Addresses.of(stage.url)
    with pytest.raises(RateLimited):
        await http.ask({"query": forge_edits.DOCUMENT, "variables": {}}, "Bearer x")
    await http.aclose()


@pytest.mark.parametrize(
    ("api", "graphql_at"),
    [
        ("https://api.github.com", "https://api.github.com/graphql"),
        ("https://api.octo.ghe.com", "https://api.octo.ghe.com/graphql"),
        ("https://github.acme.example/api/v3/", "https://github.acme.example/api/graphql"),
    ],
)
def test_every_github_has_its_address(api: str, graphql_at: str) -> None:
    assert Addresses.of(api).graphql == graphql_at
