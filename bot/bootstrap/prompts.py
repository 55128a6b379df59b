"""Role texts of the operator's own: for a seat or a role, for all repositories or for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import Misconfigured
from pipeline.defaults import ROLES

if TYPE_CHECKING:
    from bot.settings import Settings


def prompts_of(settings: Settings, repository: str) -> dict[str, str]:
    """Seat -> role text, where the operator has one. `repository` is "owner/name", or "".

    A file of the repository goes before one for all, and a seat's before its role's. Raises
    Misconfigured for a file that cannot be read, is empty, or is named after nobody.
    """
    if settings.prompts_dir is None:
        return {}
    home = settings.prompts_dir.expanduser()
    if not home.is_dir():
        raise Misconfigured(f"ACP_PROMPTS_DIR: {home} is not a directory; make it or unset it")
    places = [home]
    if repository:
        places.insert(0, home.joinpath(*repository.lower().split("/")))
    for place in places:
        _refuse_strangers(place)
    found = {seat: _first(_files(places, seat, role)) for seat, role in ROLES.items()}
    return {seat: text for seat, text in found.items() if text}


def _files(places: list[Path], seat: str, role: str) -> Iterator[Path]:
    return (place / f"{name}.md" for place in places for name in (seat, role))


def _first(files: Iterator[Path]) -> str:
    for file in files:
        if file.is_file():
            return _read(file)
    return ""


def _read(file: Path) -> str:
    try:
        text = file.read_text("utf-8").strip()
    except (OSError, UnicodeError):
        raise Misconfigured(
            f"ACP_PROMPTS_DIR: {file} cannot be read; it must be UTF-8 text"
        ) from None
    if not text:
        raise Misconfigured(f"ACP_PROMPTS_DIR: {file} is empty; write the role's text or remove it")
    return text


def _refuse_strangers(place: Path) -> None:
    """A file with a slip in its name would be passed over in silence."""
    known = {*ROLES, *ROLES.values()}
    for file in place.glob("*.md"):
        if file.stem not in known:
            names = ", ".join(sorted(known))
            raise Misconfigured(f"ACP_PROMPTS_DIR: {file} is named after nobody; there are {names}")
