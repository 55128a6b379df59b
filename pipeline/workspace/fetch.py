"""The shallow clone: one commit without history, into a git directory that only the host sees."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from pipeline.errors import CheckoutError, SourceAway
from pipeline.workspace.gitcmd import Git, GitError
from pipeline.workspace.objects import listing, tree_of
from pipeline.workspace.source import LocalRepository, Source, sha256_refused

BASE = "refs/acp/base"
_FETCH_TIMEOUT_S = 900.0
# With the highest precedence of all attributes: content is bytes, whatever a repository says.
_ATTRIBUTES = "* -text !eol -crlf -ident !filter !working-tree-encoding !merge\n"
_FETCH = (
    "fetch",
    "--quiet",
    "--depth=1",
    "--no-tags",
    "--no-recurse-submodules",
    "--no-auto-maintenance",
    "--no-write-fetch-head",
)
_AWAY: tuple[tuple[tuple[str, ...], str], ...] = (
    (("timed out", "too slow"), "{what} took too long to answer: check the network and try again"),
    (
        ("Could not resolve", "Failed to connect", "Connection refused", "unable to connect"),
        "{what} cannot be reached: check the address and the network",
    ),
    (("returned error: 5",), "{what} answers with an error of its own: try again later"),
)
_SAYINGS: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("Host key verification failed",),
        "{what}: its host key is not known here: connect once by ssh and accept it",
    ),
    (
        ("could not read Username", "Authentication failed", "Permission denied", " 401", " 403"),
        "{what} needs credentials that were not given or not accepted: check token or ssh key",
    ),
    (
        ("not found", "does not appear to be a git repository", "not a git repository"),
        "there is no repository at {what}, or it is private: check the address and the credentials",
    ),
    (
        ("not our ref", "unadvertised object", "remote ref"),
        "{what} has no {want}: check the name, and that it was pushed",
    ),
    (("Could not read from remote",), "{what} cannot be read: check the address and the ssh key"),
    (
        ("missing blob", "lazy fetching", "promisor", "unable to read", "bad tree object"),
        "{what} is a partial clone that lacks files of that commit: give the URL of its remote",
    ),
    (("certificate", "SSL"), "{what}: its TLS certificate was not accepted: check the address"),
)


async def create(directory: Path) -> Git:
    """An empty bare repository. Raises CheckoutError where it cannot be made or git is missing."""
    # A workspace is a cache and never the truth: waiting for the disk buys nothing.
    git = Git((f"--git-dir={directory}", "-c", "core.fsync=none"))
    try:
        await asyncio.to_thread(_prepare, directory)
        await git.run("init", "--quiet", "--bare", "--template=", "--object-format=sha1")
    except (OSError, GitError) as error:
        raise CheckoutError(f"cannot make a git directory at {directory}: {error}") from error
    return git


def directory_of(git: Git) -> Path:
    """The git directory that `create` made."""
    return Path(git.at[0].partition("=")[2])


def _prepare(directory: Path) -> None:
    # The directory above is one that others may pass through.
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    info = directory / "info"
    info.mkdir()
    (info / "attributes").write_text(_ATTRIBUTES)


async def fetch_base(git: Git, source: Source, want: str, auth_env: Mapping[str, str]) -> str:
    """Fetch `want` ("HEAD", a ref or a commit id) without history. Returns the commit's id.

    `auth_env` is laid over git's environment for this one command. Raises CheckoutError.
    """
    address, env = source.address, dict(auth_env)
    if source.local is not None:
        local = await LocalRepository.find(source)
        want = await local.commit_id(want)
        address, env = local.directory, _trusting(git)
    caller = git.with_env(GIT_ALLOW_PROTOCOL=source.protocols, **env)
    args = (*_FETCH, "--end-of-options", address, f"+{want}:{BASE}")
    try:
        await caller.run(*args, timeout_s=_FETCH_TIMEOUT_S)
        return await git.line("rev-parse", "--verify", f"{BASE}^{{commit}}")
    except GitError as error:
        raise _explained(error, source.shown, want) from error


def _trusting(git: Git) -> dict[str, str]:
    """An environment in which git reads a repository of another user, as in a container.

    The serving side of a fetch ignores `-c`; a file is the only way to tell it.
    """
    config = directory_of(git) / "trusting.config"
    config.write_text("[safe]\n\tdirectory = *\n")
    return {"GIT_CONFIG_GLOBAL": str(config)}


def _explained(error: GitError, what: str, want: str) -> CheckoutError:
    if "mismatched algorithms" in error.stderr or "object format" in error.stderr:
        return sha256_refused(what)
    if want == "HEAD" and "remote ref HEAD" in error.stderr:
        return CheckoutError(
            f"{what} has no commits on its default branch: push a first commit, or name a branch"
        )
    for signs, sentence in _AWAY:
        if any(sign in error.stderr for sign in signs):
            return SourceAway(sentence.format(what=what))
    for signs, sentence in _SAYINGS:
        if any(sign in error.stderr for sign in signs):
            return CheckoutError(sentence.format(what=what, want=want))
    return CheckoutError(f"{what} cannot be cloned: {error}")


async def base_tree(git: Git, commit: str, shown: str) -> str:
    """The commit's tree, rebuilt from its listing.

    Sound trees come out with the id that they had; those that old tools wrote (padded or unusual
    modes) come out in today's form, so that an unchanged snapshot compares equal. Raises
    CheckoutError.
    """
    tree = await git.line("rev-parse", "--verify", f"{commit}^{{tree}}")
    items = await listing(git, tree)
    rebuilt = await tree_of(git, items)
    if rebuilt != tree and len(await listing(git, rebuilt)) != len(items):
        raise CheckoutError(
            f"{shown} holds paths that cannot be checked out safely: see 'git fsck' there"
        )
    return rebuilt
