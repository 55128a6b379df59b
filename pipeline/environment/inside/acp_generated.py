"""Finds modules that the project's build has generated, where the tree under test has none.

Lies in the environment's site-packages, where a .pth file imports it. Compiled modules and files
such as a written version stand only in the tree that was built, never in the repository.
"""
# Paths are strings, as everywhere in importlib; this runs before anything else.
# ruff: noqa: PTH113, PTH118

from __future__ import annotations

import os
import sys
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
from importlib.util import spec_from_file_location
from typing import Any

_HOME = os.path.join(sys.prefix, "generated")


class Generated:
    """The last finder that is asked."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:  # noqa: ARG004
        """A module by its full name."""
        stem = os.path.join(_HOME, *name.split("."))
        files = (stem + suffix for suffix in (".py", *EXTENSION_SUFFIXES))
        found = next((file for file in files if os.path.isfile(file)), None)
        return spec_from_file_location(name, found) if found else None


sys.meta_path.append(Generated)
