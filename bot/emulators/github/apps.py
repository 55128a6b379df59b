"""Apps, their installations and tokens."""

from __future__ import annotations

import secrets
import string
from collections.abc import Iterable, Mapping
from functools import cache

from bot.emulators.github import events
from bot.emulators.github.guard import covers
from bot.emulators.github.hub import Hub
from bot.emulators.github.model import Account, App, Installation, Permissions, Repository, Token
from bot.emulators.github.rules import invalid
from bot.emulators.github.world import NotThere, Problem, World

HOUR_S = 3600.0
_LETTERS = string.ascii_letters + string.digits
UNASKED = ("installation", "installation_repositories")


def key_pair() -> tuple[str, str]:
    """A fresh RSA key as PEM: private (as GitHub gives it) and public."""
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = form.Encoding.PEM
    private = key.private_bytes(pem, form.PrivateFormat.TraditionalOpenSSL, form.NoEncryption())
    public = key.public_key().public_bytes(pem, form.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


@cache
def shared_key_pair() -> tuple[str, str]:
    """One pair per process: making keys is slow."""
    return key_pair()


def make_app(
    world: World,
    owner: Account,
    name: str,
    permissions: Mapping[str, str],
    asked: Iterable[str],
    *,
    keys: tuple[str, str],
) -> App:
    """Register an App and its bot account. Raises Problem if the name is taken."""
    slug = "".join(c if c.isalnum() else "-" for c in name.lower()).strip("-")
    bot = world.add_account(f"{slug}[bot]", "Bot")
    app = App(
        id=world.next_id(),
        slug=slug,
        name=name,
        owner_id=owner.id,
        bot_id=bot.id,
        client_id="Iv23li" + _random(14),
        private_key=keys[0],
        public_key=keys[1],
        permissions=dict(permissions) | {"metadata": "read"},
        events=sorted(set(asked)),
        webhook_secret="",
        webhook_url="",
        created_at=world.clock.now(),
    )
    world.apps[app.id] = app
    return app


def install(
    hub: Hub, app: App, account: Account, repositories: Iterable[Repository] | None = None
) -> Installation:
    """Install an App on an account, for some repositories or all. Raises Problem if it is."""
    for known in hub.world.installations.values():
        if (known.app_id, known.account_id) == (app.id, account.id):
            raise Problem(422, f"{app.slug} is installed on {account.login} already")
    chosen = None if repositories is None else {one.id for one in repositories}
    made = Installation(
        id=hub.world.next_id(),
        app_id=app.id,
        account_id=account.id,
        permissions=dict(app.permissions),
        events=list(app.events),
        created_at=hub.world.clock.now(),
        repository_ids=chosen,
    )
    hub.world.installations[made.id] = made
    covered = [events.short(hub, one) for one in reached(hub.world, made)]
    kind = "installation"
    events.emit_installation(hub, made, account, kind, "created", repositories=covered)
    return made


def uninstall(hub: Hub, installation: Installation, sender: Account) -> None:
    """Take an installation away, and its tokens with it."""
    covered = [events.short(hub, one) for one in reached(hub.world, installation)]
    kind = "installation"
    events.emit_installation(hub, installation, sender, kind, "deleted", repositories=covered)
    del hub.world.installations[installation.id]


def suspend(hub: Hub, installation: Installation, sender: Account, *, on: bool) -> None:
    """Suspend or unsuspend."""
    installation.suspended_at = hub.world.clock.now() if on else None
    installation.suspended_by = sender.id if on else None
    action = "suspend" if on else "unsuspend"
    covered = [events.short(hub, one) for one in reached(hub.world, installation)]
    events.emit_installation(
        hub, installation, sender, "installation", action, repositories=covered
    )


def choose(
    hub: Hub, installation: Installation, sender: Account, repositories: Iterable[Repository]
) -> None:
    """Change which repositories an installation covers."""
    before = {one.id: one for one in reached(hub.world, installation)}
    installation.repository_ids = {one.id for one in repositories}
    after = {one.id: one for one in reached(hub.world, installation)}
    added = [events.short(hub, one) for key, one in after.items() if key not in before]
    removed = [events.short(hub, one) for key, one in before.items() if key not in after]
    for action, changed in (("added", added), ("removed", removed)):
        if changed:
            events.emit_installation(
                hub,
                installation,
                sender,
                "installation_repositories",
                action,
                repository_selection="selected",
                repositories_added=added if action == "added" else [],
                repositories_removed=removed if action == "removed" else [],
                requester=None,
            )


def accept(
    hub: Hub, installation: Installation, sender: Account, permissions: Mapping[str, str]
) -> None:
    """The account's owner accepts what the App now asks for."""
    installation.permissions = dict(permissions) | {"metadata": "read"}
    action = "new_permissions_accepted"
    events.emit_installation(hub, installation, sender, "installation", action)


def reached(world: World, installation: Installation) -> list[Repository]:
    """The repositories that an installation covers."""
    return [one for one in world.repositories.values() if world.installed(installation, one)]


def mint(
    hub: Hub,
    installation: Installation,
    repositories: Iterable[Repository] | None,
    permissions: Permissions | None,
    *,
    dotted: bool,
) -> Token:
    """An installation token for an hour, no wider than the installation. Raises Problem."""
    world = hub.world
    if installation.suspended_at is not None:
        raise Problem(403, "This installation has been suspended")
    for name, level in (permissions or {}).items():
        if level not in ("read", "write", "admin"):
            raise invalid("InstallationToken", "permissions", "invalid")
        if not covers(installation.permissions, name, level):
            raise Problem(
                422,
                "The permissions requested are not granted to this installation.",
            )
    chosen = None if repositories is None else frozenset(one.id for one in repositories)
    token = Token(
        value=_dotted(installation.app_id) if dotted else "ghs_" + _random(36),
        account_id=hub.app_of(installation).bot_id,
        installation_id=installation.id,
        repository_ids=chosen,
        permissions=(permissions or dict(installation.permissions)) | {"metadata": "read"},
        expires_at=world.clock.now() + HOUR_S,
    )
    world.tokens[token.value] = token
    return token


def personal_token(world: World, account: Account) -> Token:
    """A personal token with all rights of its account."""
    token = Token("ghp_" + _random(36), account.id)
    world.tokens[token.value] = token
    return token


def chosen_repositories(
    world: World, installation: Installation, ids: Iterable[int], names: Iterable[str]
) -> list[Repository]:
    """The named repositories, all of which the installation must cover. Raises Problem 422."""
    covered = reached(world, installation)
    found = []
    for wanted in [*ids, *names]:
        try:
            found.append(next(one for one in covered if wanted in (one.id, one.name)))
        except StopIteration:
            raise Problem(
                422,
                "There is at least one repository that does not exist or is not accessible to "
                "the parent installation.",
            ) from None
    return found


def installation_for(world: World, app: App, account: Account) -> Installation:
    """The App's installation on an account. Raises NotThere."""
    for one in world.installations.values():
        if (one.app_id, one.account_id) == (app.id, account.id):
            return one
    raise NotThere


def _random(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def _dotted(app_id: int) -> str:
    """The long shape: `ghs_APPID_` and what looks like a JWT, about 520 characters."""
    head = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9"
    return f"ghs_{app_id}_{head}.{secrets.token_urlsafe(96)}.{secrets.token_urlsafe(256)}"
