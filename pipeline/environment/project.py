"""The paths of a project and the text of its manifests: all that detection looks at."""

from __future__ import annotations

import configparser
import json
import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

MANIFESTS = frozenset(
    {
        *("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml", "pyproject.toml", "setup.py"),
        *("setup.cfg", "tox.ini", ".python-version", "package.json", "package-lock.json"),
        *("npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock", "pnpm-workspace.yaml"),
        *(".npmrc", ".yarnrc.yml", "go.mod", "go.sum", "Cargo.toml", "Cargo.lock"),
        *(".cargo/config.toml", "pom.xml", "build.gradle", "build.gradle.kts", "gradle.lockfile"),
        *("Makefile", "makefile", "GNUmakefile", "PKG-INFO"),
    }
)
# At the top, or in a folder that says so.
_REQUIREMENTS = re.compile(r"([\w.-]*requirements[\w.-]*|(requirements|tests?)/[\w.-]+)\.txt")
_MOST_BYTES = 4 << 20


@dataclass(frozen=True)
class Project:
    """`paths` are relative to the project's folder; `texts` holds what `manifests` asked for."""

    paths: frozenset[str]
    texts: Mapping[str, str]

    @classmethod
    def of(cls, texts: Mapping[str, str], others: Collection[str] = ()) -> Project:
        """From the text of files, and further paths whose content does not matter."""
        return cls(frozenset({*texts, *others}), texts)

    def first(self, names: Iterable[str]) -> str:
        """The first of `names` that is there, else ""."""
        return next((name for name in names if name in self.paths), "")

    def text(self, name: str) -> str:
        """A manifest's text, "" where it is missing."""
        return self.texts.get(name, "")

    @property
    def requirements(self) -> tuple[str, ...]:
        """Every file that looks like a list of requirements, sorted."""
        return tuple(sorted(path for path in self.paths if _REQUIREMENTS.fullmatch(path)))

    @cached_property
    def pyproject(self) -> Mapping[str, Any]:
        """The table of pyproject.toml; {} where it is missing or cannot be read."""
        try:
            return tomllib.loads(self.text("pyproject.toml"))
        except (tomllib.TOMLDecodeError, RecursionError):
            return {}

    @cached_property
    def setup_cfg(self) -> configparser.ConfigParser:
        """The sections of setup.cfg."""
        return ini(self.text("setup.cfg"))

    def table(self, *keys: str) -> Mapping[str, Any]:
        """A table of pyproject.toml, {} where there is none."""
        found: Any = self.pyproject
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else {}


def manifests(paths: Collection[str]) -> tuple[str, ...]:
    """The files whose text detection wants to see, sorted."""
    wanted = (path for path in paths if path in MANIFESTS or _REQUIREMENTS.fullmatch(path))
    return tuple(sorted(wanted))


def decoded(data: bytes) -> str:
    """A manifest's text; an unreasonably large one counts as empty."""
    return data.decode("utf-8", "replace") if len(data) <= _MOST_BYTES else ""


def ini(text: str) -> configparser.ConfigParser:
    """An ini file, without interpolation; what cannot be read has no sections."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return configparser.ConfigParser()
    return parser


def table_of(text: str) -> Mapping[str, Any]:
    """A JSON object; what cannot be read is an empty one."""
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
