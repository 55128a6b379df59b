"""What still stands between a set-up App and its first pull request, as sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

_LEVELS = ("", "read", "write", "admin")
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0"})  # noqa: S104 - recognised, not bound
HOOK_PATH = "/webhooks/github"


@dataclass(frozen=True, slots=True)
class AppFacts:
    """An App as GitHub has it on record."""

    html_url: str
    permissions: Mapping[str, str]
    events: tuple[str, ...]
    installations: int
    hook_url: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the App needs: its permissions, its events, and the address that GitHub posts to."""

    permissions: Mapping[str, str]
    events: tuple[str, ...]
    hook_url: str


def shortcomings(facts: AppFacts, wanted: Wanted) -> tuple[str, ...]:
    """One sentence for each thing that is missing at GitHub, with its mend."""
    said = [
        f"the App lacks the permission {name}: {level}; grant it on its page"
        for name, level in wanted.permissions.items()
        if _rank(facts.permissions.get(name, "")) < _rank(level)
    ]
    if silent := [event for event in wanted.events if event not in facts.events]:
        said.append(f"the App does not hear of {', '.join(silent)}; subscribe to it on its page")
    if facts.hook_url.rstrip("/") != wanted.hook_url:
        said.append(
            f"GitHub sends deliveries to {facts.hook_url or 'nowhere'} and not to "
            f"{wanted.hook_url}; change it on the App's page, or ACP_PUBLIC_URL"
        )
    if not facts.installations:
        said.append(f"the App is not installed anywhere yet: {install_link(facts.html_url)}")
    return tuple(said)


def install_link(html_url: str) -> str:
    """Where an App is installed."""
    return f"{html_url.rstrip('/')}/installations/new"


def unreachable(public_url: str) -> str:
    """A sentence where an address can hardly be reached from GitHub, or ""."""
    parts = urlsplit(public_url)
    if (parts.hostname or "") in _LOCAL:
        return (
            f"GitHub cannot reach {public_url}; set ACP_PUBLIC_URL to the address of your "
            "proxy or tunnel"
        )
    if parts.scheme != "https":
        return f"{public_url} is not encrypted; put a proxy with https before it"
    return ""


def _rank(level: str) -> int:
    return _LEVELS.index(level) if level in _LEVELS else 0
