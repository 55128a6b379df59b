"""What a pipeline is given so that it can set environments up: who makes them, and how."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from pipeline.environment.environment import (
    Environment,
    combined,
    environment_at_hand,
    find_environment,
)
from pipeline.environment.plan import Recipe
from pipeline.environment.provision import Base, Provisioner, Source
from pipeline.sandbox.base import Sandbox

_FILE = ".github/acp.yml"


class Repository(Source, Protocol):
    """What an environment is made for."""

    @property
    def base_tree(self) -> str:
        """The tree that the run starts from."""


@dataclass(frozen=True, slots=True)
class Supply:
    """`recipes` are what the repository says of its projects; without one all is found out.

    Where there is none, `reads` makes them of the base's own `.github/acp.yml`; what it raises is
    raised.
    """

    provisioner: Provisioner
    recipes: tuple[Recipe, ...] = ()
    reads: Callable[[bytes], tuple[Recipe, ...]] | None = None

    async def asked(self, repository: Repository) -> tuple[Recipe, ...]:
        """How the repository's projects are to be set up; at least one."""
        said = self.recipes
        if not said and self.reads is not None:
            with suppress(FileNotFoundError):
                said = self.reads(await repository.read(repository.base_tree, _FILE))
        return said or (Recipe(),)


@asynccontextmanager
async def supplied(
    supply: Supply | None,
    sandbox: Sandbox,
    repository: Repository,
    repo: str | None,
    python: Path | None,
) -> AsyncIterator[Environment]:
    """What is at hand (a named interpreter, the repository's own venv), else what is set up.

    `repo` is the address or the local path that the run was given.
    """
    if supply is None:
        yield find_environment(repo, python)
        return
    if at_hand := environment_at_hand(repo, python):
        yield at_hand
        return
    tenant = tenant_of(repo)
    async with AsyncExitStack() as held:
        parts = []
        for recipe in await supply.asked(repository):
            base = Base(repository, repository.base_tree, recipe, tenant)
            made = supply.provisioner.environment(sandbox, base)
            parts.append(await held.enter_async_context(made))
        yield parts[0] if len(parts) == 1 else combined(tuple(parts))


def tenant_of(repo: str | None) -> str:
    """Who shares environments: the owner of a repository on its host, or one local directory."""
    if not repo:
        return ""
    parts = urlsplit(repo)
    if not parts.hostname:
        return str(Path(repo).resolve())
    owner = parts.path.strip("/").rpartition("/")[0]
    return f"{parts.hostname}:{parts.port or ''}/{owner}".lower()
