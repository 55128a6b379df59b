"""What a change must not do, and what its readers must know: asked before anything is pushed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Protocol

from bot.domain.markdown import code
from bot.domain.patch import FileDiff, parse
from bot.domain.policy import Rules

_FILE, _EXECUTABLE, _LINK, _SUBMODULE = 0o100644, 0o100755, 0o120000, 0o160000
_LARGEST = 1_000_000
_SHOWN = 10
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_GIT = re.compile(r"(?:\.git|git~1)[ .]*", re.IGNORECASE)
_MANIFESTS = re.compile(
    r"(?:.*requirements.*\.(?:txt|in)|constraints.*\.txt|pyproject\.toml|setup\.(?:py|cfg)|Pipfile|"
    r"environment\.ya?ml|package\.json|go\.mod|Cargo\.toml|Gemfile|.*\.gemspec|pom\.xml|"
    r"build\.gradle(?:\.kts)?|composer\.json|.*\.csproj|Package\.swift|mix\.exs)",
    re.IGNORECASE,
)
_LOCKS = re.compile(
    r"(?:.*\.lock|package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|go\.sum|"
    r"uv\.lock|poetry\.lock|Pipfile\.lock|Cargo\.lock|Gemfile\.lock)",
    re.IGNORECASE,
)

Ground = Literal[
    "protected path", "unsafe path", "link", "submodule", "file mode", "too large", "secret"
]


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a change is not published. `text` is a sentence, without the secret if it is one."""

    ground: Ground
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Dependencies:
    """A manifest or lock file that changes. `added`: new lines, at most ten, none of a lock."""

    path: str
    added: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """What the guards have seen. `notes` are sentences that belong into the pull request."""

    refused: tuple[Refused, ...] = ()
    dependencies: tuple[Dependencies, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Secret:
    """Something that looks like a secret. `kind` names its sort, never its value."""

    line: int
    kind: str


class SecretScan(Protocol):
    """Looks for secrets in what a change adds to one file."""

    def __call__(self, path: str, lines: Sequence[tuple[int, str]]) -> Sequence[Secret]:
        """What was found among (line number, text)."""


def inspect(diff: str, rules: Rules, scan: SecretScan, *, links: Collection[str]) -> Findings:
    """Look at the whole diff that would be pushed: the change and its tests.

    `links` are the paths of symbolic links that a diff of two trees renames: git's text does not
    say what a file is that only moves (`Repository.changes` does, by `old_mode`).
    """
    files = parse(diff)
    refused = [*_too_large(diff, files, rules)]
    for file in files:
        refused += _forbidden(file, rules.protected)
        if file.path != file.old_path and file.old_path in links:
            refused.append(
                Refused("link", file.path, "A symbolic link moves, and with it its end.")
            )
        if file.added:
            refused += (_secret(file.path, one) for one in scan(file.path, file.added))
    return Findings(tuple(refused), tuple(_dependencies(files)), tuple(_notes(files)))


@lru_cache(maxsize=512)
def glob(pattern: str) -> re.Pattern[str]:
    """A glob as an expression: `*` stays in a folder, `**` does not.

    A pattern without a slash counts in every folder. Case does not matter: there are file systems
    that do not tell it apart.
    """
    if "/" not in pattern:
        pattern = f"**/{pattern}"
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern.removeprefix("/"))
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    body = "".join(known.get(part, re.escape(part)) for part in parts)
    return re.compile(body, re.IGNORECASE | re.DOTALL)


def _too_large(diff: str, files: Sequence[FileDiff], rules: Rules) -> Iterator[Refused]:
    lines = sum(file.lines for file in files)
    if len(files) > rules.max_files:
        text = f"The change touches {len(files):,} files; at most {rules.max_files:,} are allowed."
        yield Refused("too large", "", text)
    if lines > rules.max_lines:
        text = f"The change has {lines:,} lines; at most {rules.max_lines:,} are allowed."
        yield Refused("too large", "", text)
    if len(diff) > _LARGEST:
        text = f"The diff has {len(diff):,} characters; at most {_LARGEST:,} are allowed."
        yield Refused("too large", "", text)


def _forbidden(file: FileDiff, protected: Sequence[str]) -> Iterator[Refused]:
    for path in dict.fromkeys((file.old_path, file.path)):
        if path and _unsafe(path):
            yield Refused("unsafe path", path, "A path leaves the tree or enters `.git`.")
        found = next((one for one in protected if path and glob(one).fullmatch(path)), None)
        if found:
            yield Refused("protected path", path, f"No change may touch `{found}`.")
    if _SUBMODULE in (file.old_mode, file.new_mode):
        yield Refused("submodule", file.path, "A change may not touch a submodule.")
    elif file.new_mode == _LINK and (why := _leaves(file)):
        yield Refused("link", file.path, f"A symbolic link {why}.")
    elif file.new_mode not in (0, _FILE, _EXECUTABLE, _LINK):
        yield Refused("file mode", file.path, f"The file mode {file.new_mode:o} is not allowed.")


def _unsafe(path: str) -> bool:
    parts = path.split("/")
    return any(part in {"", ".", ".."} or _GIT.fullmatch(part) for part in parts)


def _leaves(file: FileDiff) -> str:
    """Why the link's target is no path of the tree, or ""."""
    if file.binary or len(file.added) != 1:
        return "shows no target"
    target = file.added[0][1]
    if target.startswith("/") or "\\" in target or ":" in target:
        return "points out of the tree"
    parts = [part for part in target.split("/") if part not in {"", "."}]
    up = next((n for n, part in enumerate(parts) if part != ".."), len(parts))
    # Behind another link "..", too, could lead out, so it counts only at the beginning.
    if up > file.path.count("/") or ".." in parts[up:]:
        return "points out of the tree"
    return "points into `.git`" if any(_GIT.fullmatch(part) for part in parts[up:]) else ""


def _secret(path: str, found: Secret) -> Refused:
    return Refused("secret", path, f"Line {found.line} looks like a secret ({found.kind}).")


def _dependencies(files: Sequence[FileDiff]) -> Iterator[Dependencies]:
    for file in files:
        name = file.path.rpartition("/")[2]
        if _LOCKS.fullmatch(name) and file.lines:
            yield Dependencies(file.path, ())
        elif _MANIFESTS.fullmatch(name):
            said = [text.strip() for _, text in file.added]
            added = [line for line in said if line and not line.startswith(("#", "//"))]
            if added:
                yield Dependencies(file.path, tuple(added[:_SHOWN]))


def _notes(files: Sequence[FileDiff]) -> Iterator[str]:
    for file in files:
        name = code(file.path)
        if file.new_mode == _EXECUTABLE and file.old_mode != _EXECUTABLE:
            yield f"{name} becomes executable."
        if file.binary and file.new_mode:
            yield f"{name} is binary: its content shows in no review."
        line = next((number for number, text in file.added if _BIDI.search(text)), 0)
        if line:
            yield f"{name} line {line} holds characters that change the direction of text."
