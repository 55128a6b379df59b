"""The manifest made from app.yml."""

import pytest

from bot.adapters.github.http import Addresses
from bot.adapters.github.manifest import AppCredentials, app_yml, form_address, read_manifest
from bot.adapters.github.tokens import RUN_PERMISSIONS
from bot.errors import Misconfigured

URL = "https://acp.example.com"


def test_the_shipped_app_yml_asks_for_exactly_what_a_run_uses() -> None:
    manifest = read_manifest(app_yml(), URL)
    assert manifest["default_permissions"] == RUN_PERMISSIONS
    assert manifest["default_events"] == [
        "issues",
        "issue_comment",
        "pull_request",
        "pull_request_review",
        "pull_request_review_comment",
        "check_suite",
        "check_run",
    ]
    assert manifest["public"] is False


def test_addresses_are_filled_in() -> None:
    manifest = read_manifest(app_yml(), f"{URL}/", name="Fixer of Acme")
    assert manifest["name"] == "Fixer of Acme"
    assert manifest["url"] == URL
    assert manifest["hook_attributes"] == {"url": f"{URL}/webhooks/github", "active": True}
    assert manifest["redirect_url"] == f"{URL}/setup/callback"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a list",
        "a: [",
        "name: x\nhook_attributes: {url: 'https://evil.example'}",
        "name: x\ndefault_permissions: {contents: admin}\ndefault_events: []",
        "name: x\ndefault_permissions: {contents: read}\ndefault_events: issues",
        "!!python/object/apply:os.system ['true']",
    ],
)
def test_another_app_yml_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(Misconfigured, match=r"app\.yml"):
        read_manifest(text, URL)


@pytest.mark.parametrize("url", ["acp.example.com", "ftp://x", "https://", "https://x/?a=1"])
def test_a_public_address_is_an_address(url: str) -> None:
    with pytest.raises(Misconfigured, match="public address"):
        read_manifest(app_yml(), url)


def test_the_form_is_posted_to_the_owner_of_the_app() -> None:
    addresses = Addresses.of("https://api.github.com")
    mine = form_address(addresses, "s&t")
    assert mine == "https://github.com/settings/apps/new?state=s%26t"
    theirs = form_address(Addresses.of("https://ghe.acme.com/api/v3/"), "s", "acme")
    assert theirs == "https://ghe.acme.com/organizations/acme/settings/apps/new?state=s"


def test_credentials_do_not_spell_their_secrets_out() -> None:
    made = AppCredentials(1, "acp", "https://h", "Iv1", "PEM-text", "hook-secret", "client-secret")
    assert not {"PEM-text", "hook-secret", "client-secret"} & set(repr(made).split("'"))


@pytest.mark.parametrize(
    ("api", "web", "noreply"),
    [
        ("https://api.github.com", "https://github.com", "users.noreply.github.com"),
        ("https://GHE.acme.com/api/v3/", "https://ghe.acme.com", "users.noreply.ghe.acme.com"),
        ("https://api.acme.ghe.com", "https://acme.ghe.com", "users.noreply.acme.ghe.com"),
        ("http://127.0.0.1:81/api/v3", "http://127.0.0.1:81", "users.noreply.127.0.0.1"),
    ],
)
def test_every_kind_of_github_has_its_addresses(api: str, web: str, noreply: str) -> None:
    assert Addresses.of(api) == Addresses(api.rstrip("/"), web, noreply)


@pytest.mark.parametrize("api", ["", "api.github.com", "https://user:secret@ghe.acme.com/api/v3"])
def test_what_is_no_address_is_refused_without_being_repeated(api: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        Addresses.of(api)
    assert "secret" not in str(caught.value)
