"""Which paths are tests, documentation or product, and where the reproduction may be written."""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_TEST_FILES = (
    *("test_*.py", "*_test.py", "*_tests.py", "tests.py", "conftest.py"),
    *("*_test.go", "*Test.java", "*Tests.java", "*Test.kt", "*Test.php", "*_test.rb", "*_spec.rb"),
    *("*.test.[jt]s", "*.test.[jt]sx", "*.test.[cm][jt]s"),
    *("*.spec.[jt]s", "*.spec.[jt]sx", "*.spec.[cm][jt]s"),
    *("jest.config.*", "vitest.config.*", ".mocharc.*"),
)
_MAKEFILES = ("GNUmakefile", "makefile", "Makefile")
_CONFIG = frozenset({"pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", "tox.ini"})
_ALWAYS = frozenset({"tests", "__snapshots__", "__tests__"})
_MAYBE = frozenset({"test", "testing"})
_HIDDEN_CODE = ("*.pyc", "*.pth", "sitecustomize.py", "usercustomize.py")
_HIDDEN_FOLDERS = ("*.egg-info", "*.dist-info", "__pycache__")
_DOCUMENTS = frozenset({".md", ".rst", ".txt", ".adoc", ".png", ".svg", ".jpg", ".gif", ".cff"})
_DOCUMENT_NAMES = ("readme*", "changelog*", "changes*", "license*", "contributing*", "authors*")
_SETTINGS = frozenset({".toml", ".cfg", ".ini", ".yml", ".yaml", ".json", ".lock"})
_SETTING_NAMES = frozenset({"dockerfile", "makefile", "codeowners"})
_SLUG_CHARS = 32


@dataclass(frozen=True, slots=True)
class TestPaths:
    """Knows a repository's test paths. `folders` are those that its base shows to hold tests.

    `commands` are the files that say what the command of the tests does. A package called `testing`
    is product unless tests lie in it: the fix of a true bug there must reach the verdict.
    """

    __test__ = False  # pytest must not collect it

    folders: frozenset[str]
    commands: frozenset[str] = frozenset()

    @classmethod
    def of(cls, paths: Iterable[str], commands: Iterable[str] = ()) -> TestPaths:
        """Learn from the paths of the base."""
        found: set[str] = set()
        for path in map(PurePosixPath, paths):
            if any(fnmatchcase(path.name, pattern) for pattern in _TEST_FILES):
                found.update(str(folder) for folder in path.parents if folder.name in _MAYBE)
        return cls(frozenset(found), frozenset(commands))

    def match(self, path: str) -> bool:
        """Whether `path` is a test, test data, or configuration of pytest."""
        pure = PurePosixPath(path)
        if pure.name in _CONFIG or any(fnmatchcase(pure.name, p) for p in _TEST_FILES):
            return True
        above = pure.parents
        return any(str(one) == "test" or one.name in _ALWAYS for one in above) or any(
            str(one) in self.folders for one in above
        )

    def restored(self, path: str) -> bool:
        """Whether a verdict takes `path` from the base: tests, their command, unasked code."""
        return self.match(path) or is_unasked(path) or path in self.commands


def command_files(paths: Iterable[str], folder: str, argv: Sequence[str]) -> frozenset[str]:
    """The files of `paths` that `argv`, run in `folder`, names; where it calls make, its files too.

    A Makefile may be one that is not there: a change must not put its own before the base's.
    """
    words = [word for part in argv for word in re.findall(r"[\w./-]+", part)]
    words += _MAKEFILES if "make" in words else ()
    named = {posixpath.normpath(posixpath.join(folder, word)) for word in words}
    made = {name for name in named if name.rpartition("/")[2] in _MAKEFILES}
    return frozenset(named.intersection(paths) | made)


def is_foreign_test(path: str) -> bool:
    """Whether a file holds tests by its name, in another language than Python."""
    name = path.rpartition("/")[2]
    known = any(fnmatchcase(name, pattern) for pattern in _TEST_FILES)
    return known and not name.endswith(".py") and ".config." not in name and name[:1] != "."


def is_unasked(path: str) -> bool:
    """Configuration of pytest, and code that runs without being imported by name."""
    pure = PurePosixPath(path)
    return (
        pure.name in _CONFIG
        or any(fnmatchcase(pure.name, pattern) for pattern in _HIDDEN_CODE)
        or any(fnmatchcase(one.name, p) for one in pure.parents for p in _HIDDEN_FOLDERS)
    )


def is_document(path: str) -> bool:
    """Documentation. A Markdown file inside a package may be a template: it does not count."""
    pure = PurePosixPath(path)
    if pure.parts[0].lower() in {"docs", "doc"}:
        return True
    named = any(fnmatchcase(pure.name.lower(), pattern) for pattern in _DOCUMENT_NAMES)
    plain = pure.suffix.lower() in _DOCUMENTS | {""}
    top = len(pure.parts) == 1 and not pure.name.startswith("requirements")
    return (named and plain) or (top and pure.suffix.lower() in _DOCUMENTS)


def is_setting(path: str) -> bool:
    """Configuration of the repository: at its top or in a hidden folder; elsewhere it is data."""
    pure = PurePosixPath(path)
    if pure.parts[0].startswith("."):
        return True
    kind = pure.suffix.lower() in _SETTINGS or pure.name.lower() in _SETTING_NAMES
    needs = fnmatchcase(pure.name, "requirements*.txt")
    return len(pure.parts) == 1 and (kind or needs)


def reproduction_path(paths: Sequence[str], task: str) -> str:
    """The one path that the tester may write, fitting the layout; never one that is in `paths`.

    Beside the most test files; a shallower folder wins a draw; `tests/` where there are none.
    """
    files = [
        path
        for path in map(PurePosixPath, paths)
        if fnmatchcase(path.name, "test_*.py") or fnmatchcase(path.name, "*_test.py")
    ]
    count = Counter(str(path.parent) for path in files)
    best = min(count, key=lambda name: (-count[name], name.count("/"), name), default="tests")
    folder = "" if best == "." else f"{best}/"
    taken = frozenset(paths)
    stem = f"{folder}test_acp_{slug(task)}"
    names = (f"{stem}{'' if n == 1 else f'_{n}'}.py" for n in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


def slug(task: str) -> str:
    """The first line's words; a digest where none of them can stand in a module's name."""
    title = next((line for line in task.splitlines() if line.strip()), "")
    words = re.findall(r"[a-z0-9]+", title.lower())
    slug = "_".join(words)[:_SLUG_CHARS].strip("_")
    return slug or hashlib.sha256(task.encode("utf-8", "replace")).hexdigest()[:8]
