"""The settings of Jira, read from variables."""

from __future__ import annotations

from typing import Any

import pytest

from bot.adapters.store.memory import MemoryStore
from bot.bootstrap import jira_site
from bot.bootstrap.doctor import areas
from bot.bootstrap.jira import jira_lock, ticket_work
from bot.entrypoints.banner import banner
from bot.entrypoints.http.service import Service
from bot.errors import Misconfigured
from bot.settings import Settings

TOKEN = "a-token-of-thirty-two-characters"


def test_maps_and_lists_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "ACP_JIRA_REPOSITORIES": "acme/shop, acme/api-*",
        "ACP_JIRA_PROJECTS": "SHOP=acme/shop, OPS = https://github.com/acme/ops",
        "ACP_JIRA_COMPONENTS": "SHOP/Check out=acme/checkout",
        "ACP_JIRA_PEOPLE": "557058:ab-cd, ana",
        "ACP_JIRA_GROUPS": "jira developers",
        "ACP_JIRA_STATUS": "Ready for ACP",
    }.items():
        monkeypatch.setenv(name, value)
    rules = Settings.load().ticket_rules("fix")
    assert rules.repositories == ("acme/shop", "acme/api-*")
    assert rules.projects == {"SHOP": "acme/shop", "OPS": "acme/ops"}
    assert rules.components == {"SHOP/Check out": "acme/checkout"}
    assert sorted(rules.people) == ["557058:ab-cd", "ana"]
    assert sorted(rules.groups) == ["jira developers"]
    assert (rules.status, rules.label) == ("Ready for ACP", "fix")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ACP_JIRA_PROJECTS", "SHOP", "write NAME=owner/name"),
        ("ACP_JIRA_PROJECTS", "SHOP=acme", "is not a repository"),
        ("ACP_JIRA_TOKEN", "short", "needs 16 characters at least"),
        ("ACP_JIRA_TOKEN_PREVIOUS", "short", "needs 16 characters at least"),
        ("ACP_JIRA_WEBHOOK_SECRET", "short", "needs 16 characters at least"),
        ("ACP_JIRA_WEBHOOK_SECRET_PREVIOUS", "short", "needs 16 characters at least"),
        ("JIRA_FLAVOR", "server", "JIRA_FLAVOR is wrong"),
        ("JIRA_BASE_URL", "https://ann:hunter22@jira.example", "must hold no login"),
    ],
)
def test_a_mistake_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Misconfigured, match=said) as caught:
        Settings.load()
    assert value == "SHOP" or value not in str(caught.value) or value in ("acme", "server")


def test_without_a_token_or_a_secret_there_is_no_door(monkeypatch: pytest.MonkeyPatch) -> None:
    assert jira_lock(Settings.load()) is None
    monkeypatch.setenv("ACP_JIRA_TOKEN", TOKEN)
    assert jira_lock(Settings.load()) is not None
    assert TOKEN in Settings.load().secrets()


async def test_a_jira_set_up_by_half_is_told_at_the_start_and_holds_up_no_other_runs(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ACP_JIRA_TOKEN", TOKEN)
    settings = Settings.load()
    mend = "wait: reading from Jira needs JIRA_BASE_URL, JIRA_EMAIL, JIRA_API_TOKEN; set what"
    assert mend in await banner(settings, "", Service(settings).sandbox())
    app: Any = None  # nobody is asked
    assert ticket_work(settings, MemoryStore(), app) == ()
    assert mend in caplog.text
    (area,) = (one for one in areas(settings) if one.name == "jira")
    assert any("needs JIRA_BASE_URL" in one.said for one in await area.check() if not one.ok)


def test_data_center_needs_no_mail_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIRA_BASE_URL", "https://jira.example")
    monkeypatch.setenv("JIRA_API_TOKEN", TOKEN)
    with pytest.raises(Misconfigured, match="needs JIRA_EMAIL; set what is missing"):
        jira_site(Settings.load())
    monkeypatch.setenv("JIRA_FLAVOR", "dc")
    assert not jira_site(Settings.load()).cloud


@pytest.mark.parametrize(
    ("url", "cloud"),
    [
        ("https://acme.atlassian.net", True),
        ("https://api.atlassian.com/ex/jira/1", True),
        ("https://jira.acme.example", False),
        ("https://evil-atlassian.net", False),
    ],
)
def test_cloud_is_known_by_its_address(
    monkeypatch: pytest.MonkeyPatch, url: str, cloud: bool
) -> None:
    for name, value in {"JIRA_BASE_URL": url, "JIRA_API_TOKEN": TOKEN, "JIRA_EMAIL": "a@b"}.items():
        monkeypatch.setenv(name, value)
    assert jira_site(Settings.load()).cloud == cloud
