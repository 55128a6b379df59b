"""A repository's content: a bare git repository on disk, read and written by plumbing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.emulators.github.process import GitError, run_git

ZERO = "0" * 40
_FIELDS = "%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B"
_CONFIG = """
[http]
	receivepack = true
[uploadpack]
	allowFilter = true
	allowAnySHA1InWant = true
[gc]
	auto = 0
[receive]
	autogc = false
	hideRefs = refs/pull
"""
_RULES = """#!/bin/sh
# Refuses what GitHub's rulesets refuse; what holds is told by the environment.
while read -r old new ref; do
  case "$ref" in refs/heads/*) ;; *) continue ;; esac
  if [ -n "$EMULATOR_SIGNATURES" ]; then
    echo "error: GH013: Repository rule violations found for $ref." >&2
    echo "- Commits must have verified signatures." >&2
    echo "  Found 1 violation:" >&2
    echo "  $new" >&2
    exit 1
  fi
  case " $EMULATOR_PROTECTED " in *" $ref "*)
    echo "error: GH006: Protected branch update failed for $ref." >&2
    echo "error: Changes must be made through a pull request." >&2
    exit 1 ;;
  esac
  if [ -z "$EMULATOR_WORKFLOWS" ] && [ "${new#0000000000}" = "$new" ]; then
    for commit in $(git rev-list "$new" --not --all); do
      touched=$(git diff-tree -r --root --no-commit-id --name-only "$commit" -- .github/workflows)
      if [ -n "$touched" ]; then
        echo "refusing to allow a GitHub App to create or update workflow" >&2
        echo "\\`$touched\\` without \\`workflows\\` permission" >&2
        exit 1
      fi
    done
  fi
done
"""


@dataclass(frozen=True)
class Signature:
    """Who and when, of a commit. `date` is ISO 8601."""

    name: str
    email: str
    date: str


@dataclass(frozen=True)
class Commit:
    """A commit's own fields."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Signature
    committer: Signature
    message: str


@dataclass(frozen=True)
class Entry:
    """One line of a tree. `size` is None but for blobs."""

    mode: str
    kind: str
    sha: str
    size: int | None
    path: str


class GitStore:
    """One bare repository; revisions are anything that git resolves. Methods raise GitError."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def create(self, branch: str) -> None:
        """Make it, empty, with HEAD on `branch` and the ruleset hook in place."""
        self.path.mkdir(parents=True)
        self.git("init", "-q", "--bare", f"--initial-branch={branch}", ".")
        with (self.path / "config").open("a", encoding="utf-8") as config:
            config.write(_CONFIG)
        hook = self.path / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(_RULES, "utf-8")
        hook.chmod(0o755)

    def git(self, *args: str, stdin: bytes = b"", env: dict[str, str] | None = None) -> bytes:
        """Plumbing."""
        safe = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory"}
        return run_git(
            self.path, *args, stdin=stdin, env=safe | {"GIT_CONFIG_VALUE_0": "*"} | (env or {})
        )

    def text(self, *args: str) -> str:
        """Plumbing whose answer is text."""
        return self.git(*args).decode("utf-8", "replace").strip()

    def seed(self, directory: Path, branch: str, message: str) -> None:
        """Take a directory in: a work tree with its history, or bare files as one commit."""
        if (directory / ".git").exists():
            self.git("fetch", "-q", str(directory.resolve()), f"+HEAD:refs/heads/{branch}")
            return
        with TemporaryDirectory() as scratch:
            index = {
                "GIT_DIR": str(self.path.resolve()),
                "GIT_WORK_TREE": str(directory.resolve()),
                "GIT_INDEX_FILE": str(Path(scratch) / "index"),
            }
            self.git("add", "-A", ".", env=index)
            tree = self.git("write-tree", env=index).decode().strip()
        self.set_ref(f"refs/heads/{branch}", self.write_commit(tree, [], message))

    def refs(self, prefix: str = "refs/") -> dict[str, str]:
        """Full ref names under a prefix, to shas."""
        lines = self.text("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        pairs = (line.split(" ") for line in lines)
        return {name: sha for name, sha in pairs if name.startswith(prefix)}

    def resolve(self, revision: str) -> str:
        """The sha of the commit that a branch, tag or sha names, or ""."""
        for name in (f"refs/heads/{revision}", f"refs/tags/{revision}", revision):
            try:
                return self.text(
                    "rev-parse", "-q", "--verify", "--end-of-options", f"{name}^{{commit}}"
                )
            except GitError:
                continue
        return ""

    def kind(self, sha: str) -> str:
        """What an object is: "commit", "tree", "blob" or "tag"; "" if it is not there."""
        try:
            return self.text("cat-file", "-t", "--end-of-options", sha)
        except GitError:
            return ""

    def set_ref(self, ref: str, new: str, old: str | None = None) -> None:
        """Move or make a ref; `old` guards it (`ZERO`: it must not be there)."""
        self.git("update-ref", ref, new, *([] if old is None else [old]))

    def drop_ref(self, ref: str) -> None:
        """Delete a ref."""
        self.git("update-ref", "-d", ref)

    def commit(self, revision: str) -> Commit:
        """One commit."""
        return self.log(revision, limit=1)[0]

    def log(self, revisions: str, *, limit: int = 250, path: str = "") -> list[Commit]:
        """Commits of a range, newest first."""
        args = ["log", f"-n{limit}", f"--format={_FIELDS}%x01", revisions]
        out = self.git(*args, "--", *([path] if path else [])).decode("utf-8", "replace")
        return [_commit(part.lstrip("\n")) for part in out.split("\x01") if part.strip("\n")]

    def tree(self, revision: str, path: str = "", *, recursive: bool = False) -> list[Entry]:
        """The lines of a tree, or of the folder `path` in it."""
        flags = ["-r", "-t"] if recursive else []
        place = f"{revision}:{path}" if path else revision
        out = self.git("ls-tree", "-z", "-l", *flags, place).decode("utf-8", "surrogateescape")
        return [_entry(line) for line in out.split("\0") if line]

    def blob(self, sha: str) -> bytes:
        """A blob's bytes."""
        return self.git("cat-file", "blob", sha)

    def is_ancestor(self, old: str, new: str) -> bool:
        """Whether `new` holds `old`: the move is a fast-forward."""
        try:
            self.git("merge-base", "--is-ancestor", old, new)
        except GitError:
            return False
        return True

    def write_blob(self, data: bytes) -> str:
        """A new blob's sha."""
        return self.git("hash-object", "-w", "--stdin", stdin=data).decode().strip()

    def write_tree(self, base: str, lines: Iterable[tuple[str, str, str]]) -> str:
        """The tree `base` ("" for none) with (mode, sha, path) put in; sha "" takes a path out."""
        with TemporaryDirectory() as scratch:
            index = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
            if base:
                self.git("read-tree", base, env=index)
            fed = b"".join(
                f"{mode if sha else '0'} {sha or ZERO}\t{path}\0".encode()
                for mode, sha, path in lines
            )
            self.git("update-index", "-z", "--add", "--index-info", stdin=fed, env=index)
            return self.git("write-tree", env=index).decode().strip()

    def write_commit(
        self,
        tree: str,
        parents: Iterable[str],
        message: str,
        author: Signature | None = None,
        committer: Signature | None = None,
    ) -> str:
        """A new commit's sha."""
        env: dict[str, str] = {}
        for role, who in (("AUTHOR", author), ("COMMITTER", committer or author)):
            if who is not None:
                env |= {f"GIT_{role}_NAME": who.name, f"GIT_{role}_EMAIL": who.email}
                env |= {f"GIT_{role}_DATE": who.date} if who.date else {}
        flags = [word for parent in parents for word in ("-p", parent)]
        return (
            self.git("commit-tree", tree, *flags, stdin=message.encode(), env=env).decode().strip()
        )


def _commit(record: str) -> Commit:
    sha, tree, parents, an, ae, ad, cn, ce, cd, message = record.split("\0", 9)
    author, committer = Signature(an, ae, ad), Signature(cn, ce, cd)
    return Commit(sha, tree, tuple(parents.split()), author, committer, message.rstrip("\n"))


def _entry(line: str) -> Entry:
    head, path = line.split("\t", 1)
    mode, kind, sha, size = head.split()
    return Entry(mode, kind, sha, None if size == "-" else int(size), path)
