"""Where a repository comes from: a URL or a local path, safe to use and safe to show."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.errors import CheckoutError
from pipeline.workspace.gitcmd import Git, GitError

_PROTOCOLS = {
    "https": "https",
    "http": "http:https",
    "ssh": "ssh",
    "git": "git",
    "file": "file",
}
_SCP = re.compile(r"(?P<user>[\w.-]+@)?(?P<host>[\w.-]+):(?P<path>[^:].*)", re.DOTALL)
_REF = re.compile(r"(?![-+/])[^\s~^:?*\[\\\x00-\x1f\x7f]+")
_CONTROL = re.compile(r"[\x00-\x1f]")
_SHA = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Source:
    """A repository to fetch from.

    `address` is what git is given, `shown` what people and logs see, `protocols` git's allow-list
    for it, `local` the path on this machine, or None.
    """

    address: str
    shown: str
    protocols: str
    local: Path | None = None


def parse_source(text: str) -> Source:
    """Tell a URL from a path. Raises CheckoutError; what may be a password is never repeated."""
    if not text or text.startswith("-") or _CONTROL.search(text):
        raise CheckoutError(
            "that is neither a URL nor a path: give a repository's URL or directory"
        )
    if "://" in text:
        return _url(text)
    if Path(text).exists():
        return Source(text, text, "file", Path(text).absolute())
    scp = _SCP.fullmatch(text)
    if "::" in text or scp is None:
        raise CheckoutError(f"{text!r} does not exist: give a repository's directory or its URL")
    return Source(text, text, "ssh")


def _url(text: str) -> Source:
    try:
        parts = urlsplit(text)
        user, password, host = parts.username, parts.password, parts.hostname
    except ValueError:
        raise CheckoutError("that URL cannot be read: check how it is written") from None
    scheme = parts.scheme.lower()
    if scheme not in _PROTOCOLS:
        known = ", ".join(_PROTOCOLS)
        raise CheckoutError(f"URLs of this kind are not supported: use one of {known}")
    if password is not None or (user is not None and scheme != "ssh") or "@" in parts.path[:1]:
        raise CheckoutError(
            "the URL carries credentials, which end up in logs: leave out the part before '@'"
            " and hand the token over separately"
        )
    if parts.query or parts.fragment or any(char.isspace() for char in text):
        raise CheckoutError("the URL has more than an address: leave out everything after the path")
    if not host and scheme != "file":
        raise CheckoutError(f"{text!r} names no host: check how the URL is written")
    return Source(text, text, _PROTOCOLS[scheme])


def check_ref(ref: str) -> str:
    """A ref that is safe as an argument of fetch. Raises CheckoutError."""
    if _REF.fullmatch(ref) is None or ".." in ref or "@{" in ref:
        raise CheckoutError(f"{ref!r} is not a name of a branch, tag or commit")
    return ref


def check_sha(sha: str) -> str:
    """A full commit id. Raises CheckoutError."""
    if _SHA.fullmatch(sha) is None:
        raise CheckoutError(f"{sha!r} is not a full commit id (40 hexadecimal digits)")
    return sha


@dataclass(frozen=True, slots=True)
class LocalRepository:
    """The user's own repository: read from, and given a branch; never otherwise touched."""

    git: Git
    directory: str
    shown: str

    @classmethod
    async def find(cls, source: Source) -> LocalRepository:
        """The repository that contains the path. Raises CheckoutError."""
        path = source.local
        if path is None:
            raise CheckoutError(f"{source.shown} is not a directory of this machine")
        git = Git(("-C", str(path if path.is_dir() else path.parent)))
        try:
            out = await git.line(
                "rev-parse", "--path-format=absolute", "--git-common-dir", "--show-object-format"
            )
        except GitError as error:
            raise CheckoutError(
                f"{source.shown} is not in a git repository: run 'git init' there and commit,"
                " or give another path"
            ) from error
        directory, _, algorithm = out.rpartition("\n")
        if algorithm != "sha1":
            raise sha256_refused(source.shown)
        return cls(git, directory, source.shown)

    async def commit_id(self, name: str) -> str:
        """The commit that `name` stands for there. Raises CheckoutError."""
        try:
            return await self.git.line("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        except GitError as error:
            raise CheckoutError(await self._why_missing(name)) from error

    async def _why_missing(self, name: str) -> str:
        if name != "HEAD":
            return (
                f"{self.shown} has no branch, tag or commit {name!r}: see 'git branch --all' there"
            )
        return f"{self.shown} has no commits yet: make a first commit there"


def sha256_refused(shown: str) -> CheckoutError:
    """What to say of a repository with SHA-256 object ids."""
    return CheckoutError(
        f"{shown} uses SHA-256 object ids, which are not supported: give a SHA-1 repository"
    )
