"""The image gets what the program imports, at the versions that the tests have seen."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def pins(file: str) -> dict[str, str]:
    """Name -> version of a lock file."""
    return dict(_PIN.findall((ROOT / file).read_text("utf-8")))


def names(requirements: list[str]) -> set[str]:
    """The packages that a list of requirements names."""
    found = (_NAME.match(one) for one in requirements)
    return {re.sub(r"[-_.]+", "-", one[0]).lower() for one in found if one}


EVERYTHING, RUNTIME = pins("requirements.lock"), pins("requirements-runtime.lock")
NEEDED = names(PROJECT["project"]["dependencies"])


def test_the_lock_of_the_image_is_a_part_of_the_whole_lock() -> None:
    assert RUNTIME.items() <= EVERYTHING.items()


def test_the_lock_of_the_image_holds_every_dependency_and_no_tool_of_ours() -> None:
    assert RUNTIME.keys() >= NEEDED
    tools = names(PROJECT["dependency-groups"]["dev"])
    assert RUNTIME.keys() & (tools - NEEDED) == set()
    assert len(RUNTIME) < len(EVERYTHING)


def test_every_line_of_the_lock_of_the_image_has_its_hash() -> None:
    text = (ROOT / "requirements-runtime.lock").read_text("utf-8")
    entries = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(entries) == len(RUNTIME)
    assert all("--hash=sha256:" in entry for entry in entries)
