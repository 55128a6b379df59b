"""What is said of a Jira that is not set up to the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from pydantic import SecretStr

from bot.adapters.jira.client import JiraSite
from bot.adapters.jira.tracker import JiraTracker
from bot.bootstrap.doctor import areas
from bot.domain.jira_policy import TicketRules
from bot.emulators.jira import JiraEmulator
from bot.services.jira_check import unsaid, unseen
from bot.settings import Settings

RULES = TicketRules(("acme/*",), {"SHOP": "acme/shop"}, people=frozenset({"id-ana"}))


@pytest.fixture
def jira() -> Iterator[JiraEmulator]:
    with JiraEmulator() as jira:
        jira.account("Bot", token="bot@acme.example:token")
        yield jira


def tracker(jira: JiraEmulator, token: str = "token", field: str = "") -> JiraTracker:
    site = JiraSite(jira.url, "bot@acme.example", token, "cloud")
    return JiraTracker(site, criteria_field=field)


def test_settings_that_let_nobody_do_anything_are_named() -> None:
    assert unsaid(RULES) == ()
    assert unsaid(TicketRules()) == (
        "tickets may name no repository; set ACP_JIRA_REPOSITORIES",
        "nobody may start runs from tickets; set ACP_JIRA_PEOPLE or ACP_JIRA_GROUPS",
    )
    assert unsaid(replace(RULES, projects={"OPS": "evil/ops"})) == (
        "OPS is mapped to evil/ops, which ACP_JIRA_REPOSITORIES leaves out",
    )


async def test_what_jira_refuses_is_said_with_its_mend(jira: JiraEmulator) -> None:
    (login,) = await unseen(tracker(jira, "wrong"), RULES)
    assert login == "Jira refuses the login; check JIRA_EMAIL and JIRA_API_TOKEN"
    (empty,) = await unseen(tracker(jira), RULES)
    assert "Jira shows no ticket of SHOP to the bot's account" in empty

    jira.ticket("Totals", by=jira.account("Ana"))
    assert await unseen(tracker(jira), RULES) == ()
    (field,) = await unseen(tracker(jira, field="Wishes"), RULES)
    assert "project SHOP: Jira has no field 'Wishes'" in field
    jira.hide("SHOP")
    assert "no ticket of SHOP" in (await unseen(tracker(jira), RULES))[0]


async def test_the_doctor_says_the_same(jira: JiraEmulator) -> None:
    settings = Settings.load()
    (area,) = (one for one in areas(settings) if one.name == "jira")
    (off,) = await area.check()
    assert (off.ok, off.said) == (True, "not set up: no tickets are taken in")

    given = {
        "jira_base_url": jira.url,
        "jira_flavor": "cloud",
        "jira_email": "bot@acme.example",
        "jira_api_token": SecretStr("token"),
        "jira_token": SecretStr("a-token-of-thirty-two-characters"),
        "jira_repositories": ("acme/*",),
    }
    (area,) = (one for one in areas(settings.model_copy(update=given)) if one.name == "jira")
    (people,) = await area.check()
    assert not people.ok
    assert people.said.startswith("nobody may start runs from tickets")
    given["jira_people"] = ("id-ana",)
    (area,) = (one for one in areas(settings.model_copy(update=given)) if one.name == "jira")
    assert [one.ok for one in await area.check()] == [True]
