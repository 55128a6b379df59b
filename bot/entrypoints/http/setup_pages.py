"""The pages of the set-up: plain HTML without script; each with the policy that fits it."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from http import HTTPStatus
from urllib.parse import urlsplit

from bot.services.check_setup import install_link

Page = tuple[str, int, dict[str, str]]
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}"
    "label{display:block;margin:.5rem 0}button{font:inherit;padding:.4rem 1rem}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()


def door_page(action: str, manifest: str, name: str, organization: str) -> Page:
    """Asks for name and owner, and hands the manifest to GitHub."""
    whose = f"the organization {escape(organization)}" if organization else "your own account"
    body = f"""<h1>Make the GitHub App</h1>
<form method="get" action="/setup">
<label>Name <input name="name" maxlength="34" value="{escape(name)}"></label>
<label>Organization <input name="organization" value="{escape(organization)}"
 placeholder="none: your own account"></label>
<button>Use these</button></form>
<p>GitHub will show what the App may do before it makes it.</p>
<form method="post" action="{escape(action)}">
<input type="hidden" name="manifest" value="{escape(manifest)}">
<button>Make {escape(name)} for {whose}</button></form>"""
    parts = urlsplit(action)
    return _page("Make the GitHub App", body, f"'self' {parts.scheme}://{parts.netloc}")


def made_page(html_url: str) -> Page:
    """The App is there; next it is installed."""
    body = f"""<h1>The GitHub App is made</h1>
<p>Its key and secret are kept in the data directory, readable by their owner alone.</p>
<p><a href="{escape(install_link(html_url))}">Install it on your repositories</a>, put the label on
an issue, and watch. <code>acp setup --check</code> says what is still missing.</p>"""
    return _page("The GitHub App is made", body, "'none'")


def refusal_page(said: str) -> Page:
    """A sentence."""
    return _page("Set-up", f"<h1>Set-up</h1><p>{escape(said)}</p>", "'none'")


def _page(title: str, body: str, form_action: str) -> Page:
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body>{body}</body></html>"
    )
    policy = (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action {form_action}; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    return text, HTTPStatus.OK, {"content-security-policy": policy}
