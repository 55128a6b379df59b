"""Starts pytest so that the tree under test can be imported, but cannot shadow pytest.

Runs on Python 3.8 and newer, where `python -P` may not exist yet; a script's own directory stands
where the current directory would, so nothing of the tree can be imported before pytest is.
Arguments: "first" or "last" (of the tree against site-packages), then pytest's own.
"""
# Entries of sys.path are strings.
# ruff: noqa: PTH100, PTH109, PTH112, PTH118, PTH120

from __future__ import annotations

import os
import sys
import tempfile


def import_path(order: str, tree: list[str]) -> list[str]:
    """`sys.path` with `tree` behind the standard library, before or after site-packages."""
    here = os.path.dirname(os.path.abspath(__file__))
    path = [*(entry for entry in sys.path if os.path.abspath(entry) != here), here]
    sites = ("site-packages", "dist-packages")
    packages = [n for n, entry in enumerate(path) if entry.endswith(sites)]
    at = packages[0] if packages and order == "first" else len(path)
    return [*path[:at], *tree, *path[at:]]


def tree_of(root: str) -> list[str]:
    """The folders below `root` that modules come from: as the environment has it, or the usual."""
    named = os.environ.pop("ACP_ROOTS", "src:.")  # noqa: TID251 -- set by the environment
    folders = [os.path.normpath(os.path.join(root, name)) for name in named.split(":")]
    return [folder for folder in folders if os.path.isdir(folder)]


def main() -> int:
    """Run pytest in the current directory, which is the tree's root; returns its exit code."""
    order, arguments = sys.argv[1], sys.argv[2:]
    root = os.getcwd()
    tree = tree_of(root)
    path = import_path(order, tree)
    # pytest comes in while the tree is not on the path yet.
    sys.path[:] = [entry for entry in path if entry not in tree]
    try:
        import pytest
    except ModuleNotFoundError:
        # The project is one that pytest itself needs: then it comes from the tree, and last.
        sys.path += tree
        import pytest
    sys.path[:] = path
    # Tests that start `sys.executable -m project` need the tree too.
    os.environ["PYTHONPATH"] = os.pathsep.join(tree)  # noqa: TID251 -- the child's, not ours
    sys.argv[0] = os.path.join(os.path.dirname(pytest.__file__), "__main__.py")
    with tempfile.TemporaryDirectory(prefix="pytest-cache-") as cache:
        # Not `-p no:cacheprovider`: `--ff` in a project's addopts would then be a usage error.
        return int(pytest.main([*arguments, "-o", "cache_dir=" + cache]))


if __name__ == "__main__":
    sys.exit(main())
