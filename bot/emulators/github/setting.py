"""Setting the scene: accounts, repositories and their content."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.emulators.github.gitstore import GitStore
from bot.emulators.github.hub import Hub
from bot.emulators.github.model import Account, Repository
from bot.emulators.github.world import BASIC, NotThere, Problem, World


def account(world: World, login: str, kind: str, *, name: str = "", email: str = "") -> Account:
    """The account of that login, made if need be."""
    try:
        return world.account(login)
    except NotThere:
        return world.add_account(login, kind, name=name, email=email)


def known_repository(world: World, full_name: str) -> Repository | None:
    """The repository of that name, if there is one."""
    try:
        return world.repository(full_name)
    except NotThere:
        return None


def repository(
    hub: Hub, full_name: str, default_branch: str, *, private: bool, fork_of: int | None = None
) -> Repository:
    """A new, empty repository; its owner is made if need be."""
    world = hub.world
    owner_login, _, name = full_name.partition("/")
    owner = account(world, owner_login, "User")
    now = world.clock.now()
    made = Repository(
        id=world.next_id(),
        owner_id=owner.id,
        name=name,
        created_at=now,
        pushed_at=now,
        private=private,
        default_branch=default_branch,
        fork_of=fork_of,
    )
    world.store(made).create(default_branch)
    world.repositories[made.id] = made
    return made


def fill(
    store: GitStore, branch: str, directory: Path | str | None, files: Mapping[str, str] | None
) -> None:
    """Give a new repository its first content."""
    if directory is not None:
        store.seed(Path(directory), branch, "Initial commit")
    if not files:
        return
    with TemporaryDirectory() as scratch:
        for path, text in files.items():
            target = Path(scratch) / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, "utf-8")
        store.seed(Path(scratch), branch, "Initial commit")


def fork(hub: Hub, source: Repository, owner: Account) -> Repository:
    """A fork with all branches."""
    name = f"{owner.login}/{source.name}"
    branch = source.default_branch
    made = repository(hub, name, branch, private=source.private, fork_of=source.id)
    path = str(hub.world.store(source).path.resolve())
    hub.world.store(made).git("fetch", "-q", path, "+refs/heads/*:refs/heads/*")
    return made


def rename(hub: Hub, it: Repository, new_full_name: str) -> None:
    """Another name or owner; the old name is remembered."""
    world = hub.world
    world.former_names[world.full_name(it).lower()] = it.id
    owner_login, _, it.name = new_full_name.partition("/")
    it.owner_id = account(world, owner_login, "User").id
    world.former_names.pop(new_full_name.lower(), None)


def collaborator(it: Repository, who: Account, role: str) -> None:
    """Give a role; "none" takes it away. Raises Problem for a role that there is not."""
    if role == "none":
        it.collaborators.pop(who.id, None)
    elif role in (*BASIC, *it.custom_roles):
        it.collaborators[who.id] = role
    else:
        raise Problem(422, f"there is no role {role}")
