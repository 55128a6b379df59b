"""A look at the repository before anything is paid for: is it there, where does it stand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bot.errors import UserError
from pipeline.errors import CheckoutError
from pipeline.workspace.dirty import has_changes
from pipeline.workspace.source import LocalRepository, parse_source


@dataclass(frozen=True, slots=True)
class Survey:
    """`repo` is as given, a local path absolute; `base` "" where only the clone will tell it."""

    repo: str | None = None
    base: str = ""
    local: bool = False
    warnings: tuple[str, ...] = ()


async def survey(repo: str | None) -> Survey:
    """Look at `repo`: a URL, a path, or None. Raises CheckoutError, UserError; never clones."""
    if repo is None:
        return Survey(warnings=await _not_assumed())
    source = parse_source(repo)
    if source.local is None:
        return Survey(repo)
    if not source.local.is_dir():
        raise UserError(f"{source.shown} is not a directory; give the directory of the repository")
    found = await LocalRepository.find(source)
    base = await found.commit_id("HEAD")
    dirty = await has_changes(found.git)
    warning = "uncommitted changes are not part of the base; commit them first if they matter"
    return Survey(str(source.local), base, local=True, warnings=(warning,) if dirty else ())


async def _not_assumed() -> tuple[str, ...]:
    """Say so where somebody may have meant the repository around them."""
    try:
        await LocalRepository.find(parse_source(str(Path.cwd())))
    except CheckoutError:
        return ()
    return (
        "starting from an empty tree; to work on the repository of this directory, add --repo .",
    )
