"""The set-up in the browser: from the link on the console to files that only we can read."""

from __future__ import annotations

import html
import json
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from starlette.testclient import TestClient

from bot.bootstrap.app import app_facts, wanted_app
from bot.emulators.github import GitHubEmulator
from bot.entrypoints.http.application import application
from bot.entrypoints.http.service import Service
from bot.services.check_setup import shortcomings
from bot.settings import Settings

PUBLIC = "https://acp.example.com"
Browser = TestClient


@pytest.fixture
def github() -> Iterator[GitHubEmulator]:
    with GitHubEmulator() as emulator:
        emulator.account("ana")
        emulator.account("acme", "Organization")
        yield emulator


@pytest.fixture
def service(
    github: GitHubEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Service]:
    for field in Settings.model_fields.values():
        for name in field.validation_alias.choices:  # type: ignore[union-attr]
            monkeypatch.delenv(str(name), raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ACP_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("ACP_PUBLIC_URL", PUBLIC)
    monkeypatch.setenv("GITHUB_API_URL", github.api_url)
    opened = Service(Settings.load())
    yield opened
    opened.inbox.close()


def browser(service: Service) -> Browser:
    return TestClient(application(service), base_url=PUBLIC, follow_redirects=False)


def let_in(service: Service) -> Browser:
    opened = browser(service)
    answer = opened.get(service.setup_link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/setup")
    return opened


def form_of(page: str) -> tuple[str, str]:
    """Where the second form goes, and its manifest."""
    (action,) = re.findall(r'<form method="post" action="([^"]+)"', page)
    (manifest,) = re.findall(r'name="manifest" value="([^"]+)"', page)
    return html.unescape(action), html.unescape(manifest)


def through_github(action: str, manifest: str) -> str:
    """Post the form, press GitHub's button; the path that GitHub sends the browser back to."""
    with httpx2.Client() as client:
        shown = client.post(action, data={"manifest": manifest})
        assert shown.status_code == 200, shown.text
        fields = dict(re.findall(r'<input[^>]*name="(\w+)" value="([^"]*)"', shown.text))
        pressed = client.post(
            f"{action.partition('/settings')[0].partition('/organizations')[0]}"
            "/settings/apps/manifest",
            data={name: html.unescape(value) for name, value in fields.items()},
        )
    assert pressed.status_code == 302, pressed.text
    back = urlsplit(pressed.headers["location"])
    assert f"{back.scheme}://{back.netloc}" == PUBLIC
    return f"{back.path}?{back.query}"


def test_the_app_is_made_and_its_key_is_kept(
    service: Service, github: GitHubEmulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    person = let_in(service)
    page = person.get("/setup", params={"organization": "acme", "name": "acme-fixer"})
    action, manifest = form_of(page.text)
    assert "/organizations/acme/settings/apps/new?state=" in action
    assert json.loads(manifest)["hook_attributes"]["url"] == f"{PUBLIC}/webhooks/github"
    made = person.get(through_github(action, manifest))
    assert made.status_code == 200
    app = github.find_app("acme-fixer")
    assert "/acme-fixer/installations/new" in made.text
    kept = service.settings.data_dir
    for name in ("github-app.pem", "github-app.env"):
        assert stat.S_IMODE((kept / name).stat().st_mode) == 0o600
    loaded = Settings.load()
    assert (loaded.github_app_id, loaded.app_key()) == (str(app.id), app.private_key)
    shown = made.text + caplog.text + str(made.headers)
    for secret in (app.webhook_secret, app.private_key.splitlines()[1]):
        assert secret not in shown


def test_after_that_the_setup_is_closed(service: Service, github: GitHubEmulator) -> None:
    person = let_in(service)
    back = through_github(*form_of(person.get("/setup").text))
    assert person.get(back).status_code == 200
    assert person.get(back).status_code == 404
    assert person.get("/setup").status_code == 404
    assert service.app_missing() == "the worker has not asked GitHub yet who the App is"


async def test_the_smoke_check_names_what_is_missing(
    service: Service, github: GitHubEmulator
) -> None:
    person = let_in(service)
    page = person.get("/setup", params={"name": "fixer"})
    person.get(through_github(*form_of(page.text)))
    settings = service.settings
    (only,) = shortcomings(await app_facts(settings), wanted_app(settings))
    assert only.startswith("the App is not installed anywhere yet: http")
    app: Any = github.find_app("fixer")
    github.account("shop")
    github.install(app, "shop")
    assert shortcomings(await app_facts(settings), wanted_app(settings)) == ()
    app.webhook_url = "https://old.example.com/webhooks/github"
    (only,) = shortcomings(await app_facts(settings), wanted_app(settings))
    assert f"https://old.example.com/webhooks/github and not to {PUBLIC}" in only


def test_the_link_works_once_and_a_wrong_one_never(service: Service) -> None:
    link = service.setup_link
    assert browser(service).get(f"{PUBLIC}/setup?token=wrong").status_code == 403
    person = browser(service)
    answer = person.get(link)
    cookie = answer.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("httponly", "samesite=lax", "secure", "path=/setup"))
    assert browser(service).get(link).status_code == 403
    assert browser(service).get("/setup").status_code == 403
    assert person.get("/setup").status_code == 200


def test_an_answer_that_nobody_asked_for_is_refused(
    service: Service, github: GitHubEmulator
) -> None:
    person = let_in(service)
    action, manifest = form_of(person.get("/setup").text)
    back = through_github(action, manifest)
    stranger = browser(service)
    assert stranger.get(back).status_code == 403
    code = parse_qs(urlsplit(back).query)["code"][0]
    assert person.get("/setup/callback", params={"code": code, "state": "x"}).status_code == 403
    assert person.get("/setup/callback", params={"code": code}).status_code == 403
    state = parse_qs(urlsplit(back).query)["state"][0]
    wrong = person.get("/setup/callback", params={"code": "nonsense", "state": state})
    assert (wrong.status_code, "start the setup again" in wrong.text) == (502, True)
    assert person.get("/setup/callback", params={"code": code, "state": state}).status_code == 403
    assert not (service.settings.data_dir / "github-app.pem").exists()


def test_what_is_typed_in_is_shown_as_text_alone(service: Service) -> None:
    nasty = '"><script>alert(1)</script>'
    page = let_in(service).get("/setup", params={"name": nasty, "organization": nasty})
    assert "<script" not in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert page.headers["x-frame-options"] == "DENY"
