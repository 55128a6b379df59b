"""What lies between two commits: files, patches, distance, and whether they merge."""

from __future__ import annotations

from dataclasses import dataclass

from bot.emulators.github.gitstore import ZERO, GitStore
from bot.emulators.github.process import GitError

_STATUS = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "T": "changed"}


@dataclass(frozen=True)
class FileDiff:
    """One changed file, as GitHub tells it. `patch` is None for binary files."""

    sha: str
    path: str
    status: str
    additions: int
    deletions: int
    patch: str | None
    previous: str = ""


def merge_base(store: GitStore, base: str, head: str) -> str:
    """The best common ancestor, or "" for histories without one."""
    try:
        return store.text("merge-base", base, head)
    except GitError:
        return ""


def distance(store: GitStore, base: str, head: str) -> tuple[int, int]:
    """How many commits `head` is ahead of and behind `base`."""
    behind, ahead = store.text("rev-list", "--left-right", "--count", f"{base}...{head}").split()
    return int(ahead), int(behind)


def merged_tree(store: GitStore, base: str, head: str) -> str | None:
    """The tree of a merge, or None if it conflicts."""
    try:
        return store.text("merge-tree", "--write-tree", base, head).splitlines()[0]
    except GitError:
        return None


def files(store: GitStore, old: str, new: str) -> list[FileDiff]:
    """The files that differ between two commits."""
    raw = store.git("diff", "--raw", "--no-abbrev", "-M", "-z", old, new)
    counts = _counts(store, old, new)
    patches = _patches(store, old, new)
    found = []
    words = iter(raw.decode("utf-8", "surrogateescape").split("\0"))
    for head in words:
        if not head:
            continue
        _, _, before, after, kind = head.split()
        first = next(words)
        path = next(words) if kind[0] in "RC" else first
        added, removed = counts.get(path, (0, 0))
        sha = after if after != ZERO else before
        previous = first if path != first else ""
        status = _STATUS.get(kind[0], "changed")
        patch = patches.get(path)
        found.append(FileDiff(sha, path, status, added, removed, patch, previous))
    return found


def _counts(store: GitStore, old: str, new: str) -> dict[str, tuple[int, int]]:
    out = store.git("diff", "--numstat", "-M", "-z", old, new).decode("utf-8", "surrogateescape")
    found: dict[str, tuple[int, int]] = {}
    words = iter(out.split("\0"))
    for word in words:
        if not word:
            continue
        added, removed, path = word.split("\t", 2)
        if not path:
            _, path = next(words), next(words)
        found[path] = (int(added), int(removed)) if added != "-" else (0, 0)
    return found


def _patches(store: GitStore, old: str, new: str) -> dict[str, str]:
    """Hunks by path; git quotes no path here, and writes names in the header of each file."""
    out = store.git("-c", "core.quotepath=off", "diff", "-M", "--no-color", old, new)
    found: dict[str, str] = {}
    for part in ("\n" + out.decode("utf-8", "replace")).split("\ndiff --git ")[1:]:
        header, hunk, rest = part.partition("\n@@ ")
        if not hunk:
            continue
        names = dict(line.split(" ", 1) for line in header.splitlines() if line[:4] in _NAMES)
        name = names["+++"] if names["+++"] != "/dev/null" else names["---"]
        found[name.strip('"').rstrip("\t")[2:]] = ("@@ " + rest).rstrip("\n")
    return found


_NAMES = ("--- ", "+++ ")
