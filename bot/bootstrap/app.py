"""The GitHub App as a whole: made, recognised, asked after, and the lock of its webhook door."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.errors import Misconfigured

if TYPE_CHECKING:
    from bot.adapters.github.client import GitHubApp
    from bot.adapters.github.webhooks import AppIdentity
    from bot.domain.store import Delivery, Order, Receipt, Store
    from bot.services.check_setup import AppFacts, Wanted
    from bot.settings import Settings

_IDENTITY = "github-app.json"


async def learn_identity(settings: Settings, app: GitHubApp) -> AppIdentity:
    """Ask GitHub who the App is, and note it for the web process, which never asks GitHub.

    Raises Misconfigured, NotFound, RateLimited, ForgeUnavailable.
    """
    from bot.settings.kept import private_directory, write_private

    found = await app.identity()
    noted = {
        "for": [settings.github_api_url, settings.github_app_id],
        "app_id": found.app_id,
        "bot_id": found.me.id,
        "bot_login": found.me.login,
    }
    write_private(private_directory(settings.data_dir) / _IDENTITY, json.dumps(noted))
    return _identity_of(noted)


def noted_identity(settings: Settings) -> AppIdentity | None:
    """Who the App is, as last noted for these settings, or None."""
    try:
        noted = json.loads((settings.data_dir / _IDENTITY).read_text("utf-8"))
        same = noted["for"] == [settings.github_api_url, settings.github_app_id]
        return _identity_of(noted) if same else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def github_lock(
    settings: Settings, identity: AppIdentity
) -> tuple[
    tuple[bytes, ...], Callable[..., bool], Callable[[str, str, bytes], tuple[Delivery, Order]]
]:
    """The secrets that may sign deliveries, how that is checked, and how one is read.

    Our own secrets are taken out of what people wrote before anything is kept of it.
    """
    from bot.adapters.github.webhooks import read, verify
    from bot.bootstrap.journals import redactor_of
    from bot.domain.cleaning import cleaned

    redact = redactor_of(settings)

    def taken(event: str, guid: str, body: bytes) -> tuple[Delivery, Order]:
        delivery, order = read(event, guid, body, app=identity, label=settings.label)
        return delivery, cleaned(order, redact)

    return settings.webhook_secrets(), verify, taken


def replay(
    settings: Settings, identity: AppIdentity, store: Store, named: tuple[str, str], body: bytes
) -> Receipt:
    """Take a saved delivery in; `named` is its event and its id.

    It is signed as GitHub would, so that it passes the same lock. Raises StoreUnavailable.
    """
    import hmac

    secrets, verify, read = github_lock(settings, identity)
    signature = hmac.new(secrets[0], body, "sha256").hexdigest() if secrets else ""
    if not verify(secrets, body, f"sha256={signature}"):
        raise Misconfigured("ACP_GITHUB_WEBHOOK_SECRET is missing; run `acp setup`")
    return store.receive(*read(*named, body))


@dataclass(frozen=True, slots=True)
class AppMaking:
    """Making a GitHub App: the manifest under a name, where it is posted, and what comes back."""

    manifest: Callable[[str], Mapping[str, Any]]
    form: Callable[[str, str], str]
    finish: Callable[[str], Awaitable[str]]


def making_of_app(settings: Callable[[], Settings]) -> AppMaking:
    """The manifest flow. `finish(code)` keeps the credentials and returns the App's page."""
    from bot.adapters.github.http import Addresses, GitHubHttp
    from bot.adapters.github.manifest import app_yml, convert, form_address, read_manifest
    from bot.settings.kept import keep_app

    def manifest(name: str) -> Mapping[str, Any]:
        return read_manifest(app_yml(), settings().reached_at(), name=name)

    def form(state: str, organization: str) -> str:
        return form_address(Addresses.of(settings().github_api_url), state, organization)

    async def finish(code: str) -> str:
        api_url = settings().github_api_url
        http = GitHubHttp(Addresses.of(api_url))
        try:
            made = await convert(http, code)
        finally:
            await http.aclose()
        keep_app(
            settings().data_dir,
            app_id=made.id,
            pem=made.pem,
            secret=made.webhook_secret,
            api_url=api_url,
        )
        return made.html_url

    return AppMaking(manifest, form, finish)


async def app_facts(settings: Settings) -> AppFacts:
    """What GitHub has on record of the App. Raises Misconfigured, RateLimited, ForgeUnavailable."""
    from bot.adapters.github.auth import AppAuth
    from bot.adapters.github.http import Addresses, GitHubHttp, Refusal
    from bot.services.check_setup import AppFacts

    auth = AppAuth(settings.github_app_id or "", settings.app_key())
    http = GitHubHttp(Addresses.of(settings.github_api_url))
    try:
        app = (await http.request("GET", "/app", f"Bearer {auth.jwt()}")).data
        hook = (await http.request("GET", "/app/hook/config", f"Bearer {auth.jwt()}")).data
    except Refusal:
        raise Misconfigured(
            "GitHub refuses the App's credential; check ACP_GITHUB_APP_ID, the key and the clock"
        ) from None
    finally:
        await http.aclose()
    return AppFacts(
        html_url=str(app.get("html_url", "")),
        permissions=app.get("permissions") or {},
        events=tuple(app.get("events") or ()),
        installations=int(app.get("installations_count") or 0),
        hook_url=str((hook or {}).get("url") or ""),
    )


def wanted_app(settings: Settings) -> Wanted:
    """What `app.yml` asks for, at our address. Raises Misconfigured."""
    from bot.adapters.github.manifest import app_yml, read_manifest
    from bot.services.check_setup import Wanted

    manifest = read_manifest(app_yml(), settings.reached_at())
    return Wanted(
        permissions=manifest["default_permissions"],
        events=tuple(manifest["default_events"]),
        hook_url=manifest["hook_attributes"]["url"],
    )


def _identity_of(noted: Mapping[str, Any]) -> AppIdentity:
    from bot.adapters.github.webhooks import AppIdentity

    return AppIdentity(int(noted["app_id"]), int(noted["bot_id"]), str(noted["bot_login"]))
