"""The manifest flow: the form's page, the redirect with a code, and what the code buys."""

from __future__ import annotations

import html
import json
import secrets
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from bot.emulators.github import apps, view_accounts
from bot.emulators.github.hub import Hub, Json
from bot.emulators.github.model import Account, PendingApp
from bot.emulators.github.page_frame import page
from bot.emulators.github.wire import Answer, Call, Incoming, Routes
from bot.emulators.github.world import NotThere, Problem

route = Routes()
_GOOD_FOR_S = 3600.0
# the permission without which an App cannot subscribe to an event
_NEEDS = {
    "issues": "issues",
    "issue_comment": "issues",
    "check_run": "checks",
    "check_suite": "checks",
    "status": "statuses",
    "push": "contents",
    "pull_request": "pull_requests",
    "pull_request_review": "pull_requests",
    "pull_request_review_comment": "pull_requests",
}


def form(hub: Hub, incoming: Incoming, owner: Account) -> Answer:
    """The page that a POST of `manifest` shows: what the App asks for, and one button."""
    fields = parse_qs(incoming.body.decode("utf-8", "replace"))
    try:
        asked = json.loads(fields.get("manifest", [""])[0])
    except ValueError:
        raise Problem(422, "manifest is not JSON") from None
    problems = check(asked)
    if problems:
        return page("Invalid GitHub App configuration", _listed(problems), 422)
    state = incoming.query.get("state", fields.get("state", [""])[0])
    name = html.escape(str(asked.get("name", "")))
    rights = [f"{key}: {level}" for key, level in asked.get("default_permissions", {}).items()]
    body = (
        f"<p>Create an App for <b>{html.escape(owner.login)}</b> from this manifest.</p>"
        f"<h3>Permissions</h3>{_listed(sorted(rights))}"
        f"<h3>Events</h3>{_listed(asked.get('default_events', []))}"
        f'<form method="post" action="{hub.url}/settings/apps/manifest">'
        f'<input type="hidden" name="manifest" value="{html.escape(json.dumps(asked))}">'
        f'<input type="hidden" name="owner" value="{html.escape(owner.login, quote=True)}">'
        f'<input type="hidden" name="state" value="{html.escape(state, quote=True)}">'
        f'<label>Name <input name="name" value="{name}"></label> '
        f"<button>Create GitHub App for {html.escape(owner.login)}</button></form>"
    )
    return page("Create GitHub App", body)


def agree(hub: Hub, incoming: Incoming) -> Answer:
    """The button: back to `redirect_url` with a code, good once and for an hour."""
    fields = {k: v[0] for k, v in parse_qs(incoming.body.decode("utf-8", "replace")).items()}
    try:
        asked: Json = json.loads(fields.get("manifest", ""))
    except ValueError:
        raise Problem(422, "manifest is not JSON") from None
    problems = check(asked)
    if problems:
        return page("Invalid GitHub App configuration", _listed(problems), 422)
    asked["name"] = fields.get("name") or asked.get("name")
    owner = hub.world.account(fields.get("owner", ""))
    code = secrets.token_hex(20)
    hub.world.manifests[code] = PendingApp(asked, owner, hub.world.clock.now())
    query = {"code": code} | ({"state": fields["state"]} if fields.get("state") else {})
    target = str(asked["redirect_url"])
    joined = f"{target}{'&' if urlsplit(target).query else '?'}{urlencode(query)}"
    return Answer(302, None, {"Location": joined})


def check(asked: Any) -> list[str]:
    """What is wrong with a manifest."""
    if not isinstance(asked, dict):
        return ["The manifest is not a JSON object."]
    missing = [name for name in ("url", "redirect_url") if not asked.get(name)]
    problems = [f'"{name}" wasn\'t supplied.' for name in missing]
    rights = asked.get("default_permissions", {})
    if not isinstance(rights, dict) or {str(level) for level in rights.values()} - {
        "read",
        "write",
        "admin",
    }:
        problems.append("Default permission records are invalid.")
        rights = {}
    hook = asked.get("hook_attributes", {"active": False})
    if not isinstance(hook, dict) or (hook.get("active", True) and not hook.get("url")):
        problems.append("Hook url cannot be blank.")
    wanted = asked.get("default_events", [])
    lacking = [event for event in wanted if _NEEDS.get(event, "") not in {"", *rights}]
    said = "Default events are not supported by permissions"
    return problems + [f"{said}: {event}." for event in lacking]


@route("POST /app-manifests/{code}/conversions", "open")
def convert(call: Call) -> Answer:
    """The App, with its key and secrets, once. Raises NotThere for a bad or old code."""
    hub = call.hub
    pending = hub.world.manifests.pop(call.params["code"], None)
    if pending is None or pending.made_at + _GOOD_FOR_S < hub.world.clock.now():
        raise NotThere
    asked = pending.manifest
    app = apps.make_app(
        hub.world,
        pending.owner,
        str(asked.get("name") or "app"),
        asked.get("default_permissions", {}),
        asked.get("default_events", []),
        keys=apps.key_pair(),
    )
    hook = asked.get("hook_attributes", {})
    app.webhook_url = str(hook.get("url", "")) if hook.get("active", True) else ""
    app.webhook_secret, app.external_url = secrets.token_hex(20), str(asked["url"])
    private = {
        "client_secret": secrets.token_hex(20),
        "webhook_secret": app.webhook_secret,
        "pem": app.private_key,
    }
    return Answer(201, view_accounts.app(hub, app) | private)


def _listed(items: list[str]) -> str:
    return "<ul>" + "".join(f"<li>{html.escape(str(one))}</li>" for one in items) + "</ul>"
