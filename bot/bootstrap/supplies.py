"""Sets environments up as the settings say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.settings import Settings
    from pipeline.environment.plan import Recipe
    from pipeline.environment.supply import Supply

_GB = 10**9


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
    provisioner = Provisioner(home, settings.registries_of(), most_bytes=most)
    return Supply(provisioner, tuple(recipes), lambda data: recipes_of(read(data)))
