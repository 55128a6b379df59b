"""Sets environments up as the settings say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.settings import Settings
    from pipeline.environment.blocked import Why
    from pipeline.environment.plan import Recipe
    from pipeline.environment.supply import Supply

_GB = 10**9


def mends() -> Mapping[Why, str]:
    """What the operator sets where a set-up was kept from something that it needs."""
    from pipeline.environment.blocked import Why

    return {
        Why.UNKNOWN: "if the operator trusts it, ACP_REGISTRIES lets it through",
        Why.PRIVATE: "if it is the operator's own, ACP_REGISTRY_NETWORKS has to name its network",
    }


def supply_of(settings: Settings, recipes: Sequence[Recipe]) -> Supply | None:
    """What installs what tests need; None where that is switched off. Raises Misconfigured.

    Without `recipes` the base's own `.github/acp.yml` is read, as on the command line.
    """
    from bot.domain.repo_config import read
    from bot.domain.repo_config import recipes as recipes_of
    from bot.settings.kept import private_directory
    from pipeline.environment.provision import Provisioner
    from pipeline.environment.supply import Supply

    if settings.environments == "off":
        return None
    home = private_directory(settings.data_dir).absolute() / "environments"
    most = int(settings.environments_gb * _GB)
    registries = settings.registries_of()
    provisioner = Provisioner(home, registries, most_bytes=most, mends=mends())
    return Supply(provisioner, tuple(recipes), lambda data: recipes_of(read(data)))
