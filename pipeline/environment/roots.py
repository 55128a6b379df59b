"""Where a project's own packages are imported from, as its build has told the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

_MOST_BYTES = 1 << 18
_MAPPED = re.compile(r"'([\w.]+)': '([^']+)'")


def import_roots(env: Path, workdir: str, path: str = ".") -> list[str]:
    """Folders of the tree, relative to it, that an editable installation puts on the import path.

    `workdir` is where the tree stood while the environment was made. Links are not followed.
    """
    roots = []
    for line in _lines(env):
        try:
            root = PurePosixPath(os.path.normpath(line)).relative_to(workdir)
        except ValueError:
            continue
        roots.append(str(root))
    roots.append(path)
    return list(dict.fromkeys(roots))


def _lines(env: Path) -> Iterator[str]:
    for site in sorted(env.glob("lib/python3*/site-packages")):
        for file in sorted(site.glob("*.pth")):
            yield from (line.strip() for line in _text(file).splitlines())
        for file in sorted(site.glob("__editable__*finder.py")):
            # setuptools maps packages to folders: the folder above each package is the root.
            for name, folder in _MAPPED.findall(_text(file)):
                yield str(PurePosixPath(folder).parents[name.count(".")])


def _text(file: Path) -> str:
    if file.is_symlink() or not file.is_file() or file.stat().st_size > _MOST_BYTES:
        return ""
    return file.read_text("utf-8", "replace")
