"""REST: the App, its installations, tokens, hook and deliveries."""

from __future__ import annotations

from bot.emulators.github import apps, view_accounts, view_repositories
from bot.emulators.github.hooks import Delivery
from bot.emulators.github.hub import Json
from bot.emulators.github.model import App, Installation
from bot.emulators.github.wire import NO_CONTENT, Answer, Call, Routes, count
from bot.emulators.github.world import NotThere, Problem, iso

route = Routes()


def _app(call: Call) -> App:
    if call.caller.app is None:
        raise Problem(401, "A JSON web token could not be decoded")
    return call.caller.app


def _installation(call: Call) -> Installation:
    found = call.hub.world.installations.get(call.number("installation_id"))
    if found is None or found.app_id != _app(call).id:
        raise NotThere
    return found


@route("GET /app", "app")
def show_app(call: Call) -> Answer:
    """The App that asks."""
    app = _app(call)
    mine = sum(one.app_id == app.id for one in call.hub.world.installations.values())
    return Answer(200, view_accounts.app(call.hub, app) | {"installations_count": mine})


@route("GET /apps/{app_slug}", "open")
def show_app_by_slug(call: Call) -> Answer:
    """Any App."""
    for app in call.hub.world.apps.values():
        if app.slug == call.params["app_slug"]:
            return Answer(200, view_accounts.app(call.hub, app))
    raise NotThere


@route("GET /app/installations", "app")
def list_installations(call: Call) -> Answer:
    """The App's installations."""
    app = _app(call)
    mine = [one for one in call.hub.world.installations.values() if one.app_id == app.id]
    return call.listed(mine, lambda one: view_accounts.installation(call.hub, one))


@route("GET /app/installations/{installation_id}", "app")
def show_installation(call: Call) -> Answer:
    """One installation."""
    return Answer(200, view_accounts.installation(call.hub, _installation(call)))


@route("DELETE /app/installations/{installation_id}", "app")
def delete_installation(call: Call) -> Answer:
    """Uninstall."""
    bot = call.hub.world.accounts[_app(call).bot_id]
    apps.uninstall(call.hub, _installation(call), bot)
    return Answer(NO_CONTENT)


@route("PUT /app/installations/{installation_id}/suspended", "app")
def suspend(call: Call) -> Answer:
    """Suspend."""
    bot = call.hub.world.accounts[_app(call).bot_id]
    apps.suspend(call.hub, _installation(call), bot, on=True)
    return Answer(NO_CONTENT)


@route("DELETE /app/installations/{installation_id}/suspended", "app")
def unsuspend(call: Call) -> Answer:
    """Unsuspend."""
    bot = call.hub.world.accounts[_app(call).bot_id]
    apps.suspend(call.hub, _installation(call), bot, on=False)
    return Answer(NO_CONTENT)


@route("POST /app/installations/{installation_id}/access_tokens", "app")
def mint(call: Call) -> Answer:
    """A token; the header X-GitHub-Stateless-S2S-Token chooses its shape."""
    world, installation = call.hub.world, _installation(call)
    ids, names = call.get("repository_ids", list), call.get("repositories", list)
    chosen = None
    if ids is not None or names is not None:
        chosen = apps.chosen_repositories(world, installation, ids or [], names or [])
    shape = call.incoming.headers.get("x-github-stateless-s2s-token", "").lower()
    permissions = call.get("permissions", dict)
    token = apps.mint(call.hub, installation, chosen, permissions, dotted=shape == "enabled")
    data: Json = {
        "token": token.value,
        "expires_at": iso(token.expires_at),
        "permissions": token.permissions,
        "repository_selection": "all"
        if chosen is None and installation.repository_ids is None
        else "selected",
    }
    if chosen is not None:
        data["repositories"] = [view_repositories.repository(call.hub, one) for one in chosen]
    return Answer(201, data)


@route("DELETE /installation/token", "installation")
def revoke(call: Call) -> Answer:
    """Revoke the token that asks."""
    if call.caller.token is not None:
        del call.hub.world.tokens[call.caller.token.value]
    return Answer(NO_CONTENT)


@route("GET /installation/repositories", "installation")
def list_repositories(call: Call) -> Answer:
    """The repositories that the token reaches."""
    token, world = call.caller.token, call.hub.world
    if token is None or token.installation_id is None:
        raise NotThere
    covered = apps.reached(world, world.installations[token.installation_id])
    chosen = token.repository_ids
    seen = [one for one in covered if chosen is None or one.id in chosen]
    data, headers = call.page(seen, lambda one: view_repositories.repository(call.hub, one))
    whole = {"total_count": len(seen), "repositories": data, "repository_selection": "selected"}
    return Answer(200, whole, headers)


@route("GET /repos/{owner}/{repo}/installation", "app")
def repository_installation(call: Call) -> Answer:
    """The App's installation that covers a repository."""
    for one in call.hub.world.installations_of(call.repository):
        if one.app_id == _app(call).id:
            return Answer(200, view_accounts.installation(call.hub, one))
    raise NotThere


@route("GET /users/{username}/installation", "app")
def account_installation(call: Call) -> Answer:
    """The App's installation on an account."""
    account = call.hub.world.account(call.params["username"])
    found = apps.installation_for(call.hub.world, _app(call), account)
    return Answer(200, view_accounts.installation(call.hub, found))


def _hook(app: App) -> Json:
    secret = {"secret": "********"} if app.webhook_secret else {}
    return {"url": app.webhook_url, "content_type": "json", "insecure_ssl": "0"} | secret


@route("GET /app/hook/config", "app")
def show_hook(call: Call) -> Answer:
    """Where the App's events go."""
    return Answer(200, _hook(_app(call)))


@route("PATCH /app/hook/config", "app")
def change_hook(call: Call) -> Answer:
    """Change address or secret."""
    app = _app(call)
    url, secret = call.get("url", str), call.get("secret", str)
    app.webhook_url = app.webhook_url if url is None else url
    app.webhook_secret = app.webhook_secret if secret is None else secret
    return Answer(200, _hook(app))


def _mine(call: Call) -> list[Delivery]:
    app = _app(call)
    return [one for one in call.hub.courier.deliveries if one.app_id == app.id][::-1]


@route("GET /app/hook/deliveries", "app")
def list_deliveries(call: Call) -> Answer:
    """Deliveries, newest first, by cursor."""
    query, mine = call.incoming.query, _mine(call)
    cursor = query.get("cursor", "")
    start = next((i for i, one in enumerate(mine) if f"v1_{one.id}" == cursor), 0)
    size = min(count(query.get("per_page"), 30), 100)
    shown, rest = mine[start : start + size], mine[start + size :]
    headers = {}
    if rest:
        url = f"{call.hub.api_url}/app/hook/deliveries?per_page={size}&cursor=v1_{rest[0].id}"
        headers["Link"] = f'<{url}>; rel="next"'
    return Answer(200, [view_accounts.delivery(one) for one in shown], headers)


def _delivery(call: Call) -> Delivery:
    for one in _mine(call):
        if one.id == call.number("delivery_id"):
            return one
    raise NotThere


@route("GET /app/hook/deliveries/{delivery_id}", "app")
def show_delivery(call: Call) -> Answer:
    """One delivery with request and response."""
    return Answer(200, view_accounts.delivery_whole(_delivery(call)))


@route("POST /app/hook/deliveries/{delivery_id}/attempts", "app")
def redeliver(call: Call) -> Answer:
    """Send it again."""
    call.hub.courier.redeliver(_app(call), _delivery(call))
    return Answer(202, {})
