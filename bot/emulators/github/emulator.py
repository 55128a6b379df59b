"""The emulator's face in Python: start it, act as people do, look at what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from time import monotonic
from typing import Any, Self

from bot.emulators.github import apps, setting
from bot.emulators.github.api import Api, Exchange
from bot.emulators.github.faults import Faults
from bot.emulators.github.hooks import Courier
from bot.emulators.github.hub import Hub
from bot.emulators.github.limits import Limits
from bot.emulators.github.model import Account, App, Installation, Repository
from bot.emulators.github.people import People
from bot.emulators.github.server import API, HOST, Server, listening
from bot.emulators.github.world import Clock, World

_LOOK_EVERY_S = 0.02


class GitHubEmulator(People):
    """A GitHub on loopback, shaped like an Enterprise Server; a context manager.

    `url` serves pages and git, `api_url` REST. `clock` moves time, `faults` disturb requests,
    `hooks` deliveries, `limits` the rate limit; `exchanges` are the REST requests so far. Accounts
    are given by login and made when first named; repositories by "owner/name". `port` 0 takes a
    free one. Everything lives in memory and a temporary directory and is gone with `close`.
    """

    def __init__(self, *, port: int = 0) -> None:
        self._scratch = TemporaryDirectory(prefix="github-emulator-")
        bound = listening(port)
        self.url = f"http://{HOST}:{bound.getsockname()[1]}"
        self.api_url = f"{self.url}{API}"
        world = World(Path(self._scratch.name))
        self.hooks = Courier(world.clock)
        self.faults = Faults()
        self.limits = Limits(world.clock)
        super().__init__(Hub(world, self.hooks, self.url, self.api_url))
        self._api = Api(self._hub, self.limits, self.faults)
        self._server = Server(self._hub, self._api, self.faults, bound)

    @property
    def clock(self) -> Clock:
        """The time here."""
        return self._hub.world.clock

    def private_mode(self) -> None:
        """Show nothing to who does not say who it is, as an Enterprise Server can be told to."""
        self._hub.world.private_mode = True

    @property
    def exchanges(self) -> Sequence[Exchange]:
        """Every REST request and answer so far, oldest first."""
        return tuple(self._api.exchanges)

    def close(self) -> None:
        """Stop serving and sending, and forget everything."""
        self._server.close()
        self.hooks.close()
        self._scratch.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def account(
        self, login: str, kind: str = "User", *, name: str = "", email: str = ""
    ) -> Account:
        """The account of that login, made if need be. `kind`: "User", "Organization", "Bot"."""
        with self._hub.world.lock:
            return setting.account(self._hub.world, login, kind, name=name, email=email)

    def token(self, login: str) -> str:
        """A personal token of an account."""
        with self._hub.world.lock:
            return apps.personal_token(self._hub.world, self.account(login)).value

    def repository(
        self,
        full_name: str,
        *,
        from_directory: Path | str | None = None,
        files: Mapping[str, str] | None = None,
        private: bool = False,
        default_branch: str = "main",
    ) -> Repository:
        """A repository, with a directory's content (and history, if it is a work tree), or files.

        Without either it is empty. It is made once: again, the known one is returned.
        """
        with self._hub.world.lock:
            known = setting.known_repository(self._hub.world, full_name)
            if known is not None:
                return known
            made = setting.repository(self._hub, full_name, default_branch, private=private)
            setting.fill(self._hub.world.store(made), default_branch, from_directory, files)
            return made

    def fork(self, full_name: str, *, by: str) -> Repository:
        """A fork of a repository, under the same name, with all its branches."""
        with self._hub.world.lock:
            return setting.fork(self._hub, self._hub.world.repository(full_name), self.account(by))

    def rename(self, full_name: str, new_full_name: str) -> None:
        """Rename or transfer a repository; the old name redirects."""
        with self._hub.world.lock:
            setting.rename(self._hub, self._hub.world.repository(full_name), new_full_name)

    def collaborator(self, full_name: str, login: str, role: str) -> Account:
        """Give a role, a custom one by its name, or "none" to take it away."""
        with self._hub.world.lock:
            account = self.account(login)
            setting.collaborator(self._hub.world.repository(full_name), account, role)
            return account

    def custom_role(self, full_name: str, name: str, base: str) -> None:
        """A custom role that extends one of the five."""
        with self._hub.world.lock:
            self._hub.world.repository(full_name).custom_roles[name] = base

    def ruleset(
        self,
        full_name: str,
        *,
        signatures: bool = False,
        drafts: bool = True,
        protected: Iterable[str] = (),
    ) -> None:
        """Ask for signed commits, refuse draft pull requests, protect branches from pushes."""
        with self._hub.world.lock:
            repository = self._hub.world.repository(full_name)
            repository.signatures_required, repository.drafts_allowed = signatures, drafts
            repository.protected = set(protected)

    def app(
        self,
        name: str = "acp",
        *,
        permissions: Mapping[str, str],
        events: Iterable[str] = (),
        webhook_url: str = "",
        webhook_secret: str = "",
        owner: str = "",
    ) -> App:
        """Register an App; all of its apps share one key per process, as keys are slow to make."""
        with self._hub.world.lock:
            who = self.account(owner or f"{name}-maker")
            keys = apps.shared_key_pair()
            app = apps.make_app(self._hub.world, who, name, permissions, events, keys=keys)
            app.webhook_url, app.webhook_secret = webhook_url, webhook_secret
            return app

    def find_app(self, slug: str) -> App:
        """An App, say one made through the manifest flow. Raises LookupError."""
        with self._hub.world.lock:
            return next(one for one in self._hub.world.apps.values() if one.slug == slug)

    def install(
        self, app: App, login: str, repositories: Iterable[str] | None = None
    ) -> Installation:
        """Install an App on an account, for some repositories ("owner/name") or all of them."""
        world = self._hub.world
        with world.lock:
            names = None if repositories is None else [world.repository(r) for r in repositories]
            return apps.install(self._hub, app, self.account(login), names)

    def uninstall(self, installation: Installation) -> None:
        """Take an installation away; its tokens die."""
        with self._hub.world.lock:
            apps.uninstall(self._hub, installation, self._owner(installation))

    def suspend(self, installation: Installation, *, on: bool = True) -> None:
        """Suspend an installation, or unsuspend it."""
        with self._hub.world.lock:
            apps.suspend(self._hub, installation, self._owner(installation), on=on)

    def choose(self, installation: Installation, repositories: Iterable[str]) -> None:
        """Change the repositories that an installation covers."""
        world = self._hub.world
        with world.lock:
            chosen = [world.repository(one) for one in repositories]
            apps.choose(self._hub, installation, self._owner(installation), chosen)

    def accept(self, installation: Installation, permissions: Mapping[str, str]) -> None:
        """Grant an installation other permissions than it has."""
        with self._hub.world.lock:
            apps.accept(self._hub, installation, self._owner(installation), permissions)

    def installation_token(
        self,
        installation: Installation,
        *,
        repositories: Iterable[str] | None = None,
        permissions: Mapping[str, str] | None = None,
        dotted: bool = False,
    ) -> str:
        """A token of an installation, in the short or the long shape. Raises Problem."""
        world = self._hub.world
        with world.lock:
            chosen = None if repositories is None else [world.repository(r) for r in repositories]
            rights = None if permissions is None else dict(permissions)
            return apps.mint(self._hub, installation, chosen, rights, dotted=dotted).value

    def deliver(self, app: App, event: str, payload: Mapping[str, Any]) -> str:
        """Send a delivery made by hand; returns its GUID."""
        return self.hooks.send(app, event, payload).guid

    def wait_for(self, holds: Callable[[], bool], timeout: float = 60.0) -> bool:
        """Look again and again until `holds`; False if that took longer than `timeout` seconds."""
        deadline = monotonic() + timeout
        while not holds():
            if monotonic() > deadline:
                return False
            Event().wait(_LOOK_EVERY_S)
        return True

    def _owner(self, installation: Installation) -> Account:
        return self._hub.world.accounts[installation.account_id]
