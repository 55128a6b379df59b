"""Accounts, Apps, installations and deliveries as GitHub's JSON."""

from __future__ import annotations

import json
from typing import Any

from bot.emulators.github.hooks import Delivery
from bot.emulators.github.hub import Hub, Json, node
from bot.emulators.github.model import Account, App, Installation
from bot.emulators.github.world import iso

_LINKS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}


def account(hub: Hub, one: Account) -> Json:
    """A `simple-user`."""
    url = f"{hub.api_url}/users/{one.login.replace('[', '%5B').replace(']', '%5D')}"
    page = f"apps/{one.login.removesuffix('[bot]')}" if one.kind == "Bot" else one.login
    return {
        "login": one.login,
        "id": one.id,
        "node_id": node("U", one.id),
        "avatar_url": f"{hub.url}/avatars/u/{one.id}?v=4",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{hub.url}/{page}",
        **{name: url + suffix for name, suffix in _LINKS.items()},
        "type": one.kind,
        "user_view_type": "public",
        "site_admin": False,
    }


def maybe(hub: Hub, account_id: int | None) -> Json | None:
    """A `nullable-simple-user` by id."""
    one = hub.account_of(account_id)
    return None if one is None else account(hub, one)


def public(hub: Hub, one: Account) -> Json:
    """A `public-user`."""
    owned = [r for r in hub.world.repositories.values() if r.owner_id == one.id and not r.private]
    return account(hub, one) | {
        "name": one.name or None,
        "company": None,
        "blog": "",
        "location": None,
        "email": one.email or None,
        "hireable": None,
        "bio": None,
        "twitter_username": None,
        "public_repos": len(owned),
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": iso(one.created_at),
        "updated_at": iso(one.created_at),
    }


def app(hub: Hub, one: App) -> Json:
    """An `integration`."""
    return {
        "id": one.id,
        "client_id": one.client_id,
        "slug": one.slug,
        "node_id": node("A", one.id),
        "owner": account(hub, hub.world.accounts[one.owner_id]),
        "name": one.name,
        "description": "",
        "external_url": one.external_url or hub.url,
        "html_url": f"{hub.url}/apps/{one.slug}",
        "created_at": iso(one.created_at),
        "updated_at": iso(one.created_at),
        "permissions": dict(one.permissions),
        "events": list(one.events),
    }


def maybe_app(hub: Hub, app_id: int | None) -> Json | None:
    """A `nullable-integration` by id."""
    one = None if app_id is None else hub.world.apps.get(app_id)
    return None if one is None else app(hub, one)


def installation(hub: Hub, one: Installation) -> Json:
    """An `installation`."""
    target = hub.world.accounts[one.account_id]
    return {
        "id": one.id,
        "client_id": hub.app_of(one).client_id,
        "account": account(hub, target),
        "repository_selection": "all" if one.repository_ids is None else "selected",
        "access_tokens_url": f"{hub.api_url}/app/installations/{one.id}/access_tokens",
        "repositories_url": f"{hub.api_url}/installation/repositories",
        "html_url": f"{hub.url}/settings/installations/{one.id}",
        "app_id": one.app_id,
        "app_slug": hub.app_of(one).slug,
        "target_id": target.id,
        "target_type": target.kind,
        "permissions": dict(one.permissions),
        "events": list(one.events),
        "created_at": iso(one.created_at),
        "updated_at": iso(one.created_at),
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "suspended_by": maybe(hub, one.suspended_by),
        "suspended_at": iso(one.suspended_at),
    }


def delivery(one: Delivery) -> Json:
    """A `hook-delivery-item`."""
    return {
        "id": one.id,
        "guid": one.guid,
        "delivered_at": iso(one.delivered_at),
        "redelivery": one.redelivery,
        "duration": one.duration,
        "status": one.status,
        "status_code": one.status_code,
        "event": one.event,
        "action": one.action,
        "installation_id": one.installation_id,
        "repository_id": one.repository_id,
        "throttled_at": None,
    }


def delivery_whole(one: Delivery) -> Json:
    """A `hook-delivery`."""
    payload: Any = json.loads(one.body)
    return delivery(one) | {
        "url": one.url,
        "request": {"headers": one.headers, "payload": payload},
        "response": {"headers": one.response_headers, "payload": one.response},
    }
