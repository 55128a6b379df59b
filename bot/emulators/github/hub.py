"""The emulated GitHub as its parts see it: state, addresses, and the way out for events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.emulators.github.hooks import Courier
from bot.emulators.github.model import Account, App, Installation, Repository
from bot.emulators.github.world import World

Json = dict[str, Any]


@dataclass
class Hub:
    """State, the two addresses (`url` of pages and git, `api_url` of REST), and the courier."""

    world: World
    courier: Courier
    url: str
    api_url: str

    def web(self, repository: Repository) -> str:
        """The repository's page."""
        return f"{self.url}/{self.world.full_name(repository)}"

    def api(self, repository: Repository) -> str:
        """The repository's resource."""
        return f"{self.api_url}/repos/{self.world.full_name(repository)}"

    def account_of(self, account_id: int | None) -> Account | None:
        """An account by id, None for None."""
        return None if account_id is None else self.world.accounts[account_id]

    def app_of(self, installation: Installation) -> App:
        """The App behind an installation."""
        return self.world.apps[installation.app_id]


def node(kind: str, number: int | str) -> str:
    """A global node id."""
    return f"{kind}_kwDO{number}"
