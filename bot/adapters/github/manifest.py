"""The App's manifest: `app.yml` with addresses filled in, and its conversion into credentials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from bot.adapters.github.http import Addresses, GitHubHttp, Refusal
from bot.errors import ForgeUnavailable, Misconfigured

_PLACES = (Path(__file__).parents[2] / "app.yml", Path(__file__).parents[3] / "app.yml")
_TAKEN = frozenset({"name", "description", "public", "default_permissions", "default_events"})
_LEVELS = frozenset({"read", "write"})


@dataclass(frozen=True, slots=True)
class AppCredentials:
    """What GitHub gives once for a new App. Its secrets do not show in `repr`."""

    id: int
    slug: str
    html_url: str
    client_id: str
    pem: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    client_secret: str = field(repr=False)


def app_yml() -> str:
    """The text of the `app.yml` that this version ships. Raises Misconfigured."""
    for place in _PLACES:
        if place.is_file():
            return place.read_text(encoding="utf-8")
    raise Misconfigured("app.yml is missing from this installation; install it again")


def read_manifest(text: str, url: str, *, name: str = "") -> Mapping[str, Any]:
    """The manifest for GitHub's form, from the text of an `app.yml` and our public address.

    Raises Misconfigured.
    """
    import yaml  # type: ignore[import-untyped]

    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError:
        data = None
    if not isinstance(data, dict) or not _TAKEN.issuperset(data):
        raise Misconfigured(f"app.yml may hold {', '.join(sorted(_TAKEN))} and nothing else")
    permissions, events = data.get("default_permissions"), data.get("default_events")
    if not isinstance(permissions, dict) or not _LEVELS.issuperset(permissions.values()):
        raise Misconfigured("default_permissions in app.yml maps names to read or write")
    if not isinstance(events, list) or not all(isinstance(event, str) for event in events):
        raise Misconfigured("default_events in app.yml is a list of names")
    base = _public(url)
    return {
        **data,
        "name": name or data.get("name"),
        "url": base,
        "hook_attributes": {"url": f"{base}/webhooks/github", "active": True},
        "redirect_url": f"{base}/setup/callback",
    }


def form_address(addresses: Addresses, state: str, organization: str = "") -> str:
    """Where the form with the manifest is posted to, for an organization or for oneself."""
    owner = f"/organizations/{quote(organization, safe='')}" if organization else ""
    return f"{addresses.web}{owner}/settings/apps/new?state={quote(state, safe='')}"


async def convert(http: GitHubHttp, code: str) -> AppCredentials:
    """The credentials for the code that GitHub's redirect brought; it works once, for an hour.

    Raises Misconfigured, RateLimited, ForgeUnavailable.
    """
    path = f"/app-manifests/{quote(code, safe='')}/conversions"
    try:
        data = (await http.request("POST", path, "")).data
    except Refusal:
        raise Misconfigured(
            "GitHub does not know this code; it works once and for an hour: start the setup again"
        ) from None
    try:
        return AppCredentials(
            id=int(data["id"]),
            slug=str(data["slug"]),
            html_url=str(data["html_url"]),
            client_id=str(data["client_id"]),
            pem=str(data["pem"]),
            webhook_secret=str(data["webhook_secret"] or ""),
            client_secret=str(data["client_secret"]),
        )
    except (KeyError, TypeError, ValueError):
        raise ForgeUnavailable(
            "GitHub answered without the App's credentials; delete the App and start again"
        ) from None


def _public(url: str) -> str:
    parts = urlsplit(url.rstrip("/"))
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
        raise Misconfigured("the public address must look like https://acp.example.com")
    return parts.geturl()
