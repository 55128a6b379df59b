"""Events on their way to the Apps that asked for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.emulators.github import view_accounts, view_repositories
from bot.emulators.github.hub import Hub, node
from bot.emulators.github.model import Account, Installation, Repository


@dataclass(frozen=True)
class Actor:
    """Who does something, and through which App."""

    account: Account
    app_id: int | None = None


def emit(
    hub: Hub, repository: Repository, actor: Actor, event: str, action: str = "", **payload: Any
) -> None:
    """Deliver an event of a repository to every App that is installed there and subscribed."""
    common = {
        "repository": view_repositories.repository(hub, repository),
        "sender": view_accounts.account(hub, actor.account),
    }
    owner = hub.world.accounts[repository.owner_id]
    if owner.kind == "Organization":
        common["organization"] = {"login": owner.login, "id": owner.id}
    for installation in hub.world.installations_of(repository):
        if event not in installation.events or installation.suspended_at is not None:
            continue
        reference = {"id": installation.id, "node_id": node("MDIz", installation.id)}
        hub.courier.send(
            hub.app_of(installation),
            event,
            ({"action": action} if action else {}) | payload | common | {"installation": reference},
            installation.id,
            repository.id,
        )


def emit_installation(
    hub: Hub, installation: Installation, sender: Account, event: str, action: str, **payload: Any
) -> None:
    """Deliver an event of an installation itself; these come unasked."""
    whole = {
        "action": action,
        "installation": view_accounts.installation(hub, installation),
        **payload,
        "sender": view_accounts.account(hub, sender),
    }
    hub.courier.send(hub.app_of(installation), event, whole, installation.id)


def short(hub: Hub, repository: Repository) -> dict[str, Any]:
    """A repository as events of installations name it."""
    return {
        "id": repository.id,
        "node_id": node("R", repository.id),
        "name": repository.name,
        "full_name": hub.world.full_name(repository),
        "private": repository.private,
    }
