"""Git with the run's token: only in the environment, only for one host, only in our directory."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from typing_extensions import override

from bot.adapters.github.tokens import basic
from bot.domain.forge import PushReason, PushRefused
from bot.errors import BotError, ForgeUnavailable, NotAllowed, NotFound
from pipeline.workspace.gitcmd import Git, GitError

_PUSH_TIMEOUT_S = 600.0
_SHA = re.compile(r"[0-9a-f]{40}")
_BRANCH = re.compile(r"(?!-)[^\s~^:?*\[\\\x00-\x1f\x7f]+")
_LOST = (
    "Could not resolve",
    "Failed to connect",
    "Couldn't connect",
    "Connection refused",
    "timed out",
    "too slow",
    "returned error: 5",
    "RPC failed",
    "hung up",
    "early EOF",
    "Recv failure",
)
_REFUSED: tuple[tuple[tuple[str, ...], PushReason, str], ...] = (
    (
        ("GH009", "secret-scanning", "contain secrets"),
        "secret",
        "push protection found a secret in the change; it was not pushed",
    ),
    (
        ("verified signatures", "must be signed"),
        "signature",
        "the repository takes signed commits only",
    ),
    (
        ("create or update workflow",),
        "workflow",
        "the change touches a workflow, which the App may not push",
    ),
    (
        ("stale info", "fetch first", "non-fast-forward", "reference already exists"),
        "moved",
        "the branch has commits that are not ours; they were left alone",
    ),
    (
        ("GH001", "file size limit"),
        "size",
        "the change has a file that is larger than GitHub takes",
    ),
    (
        ("GH006", "GH013", "protected branch", "rule violations", "hook declined"),
        "protected",
        "a rule of the repository forbids this push",
    ),
)


class Unauthorized(Exception):
    """Git's credential was not taken."""


class Redirected(Exception):
    """The repository has another address now."""


class _SecretEnvironment(dict[str, str]):
    """Variables that no traceback or log line spells out."""

    @override
    def __repr__(self) -> str:
        return "<environment with a credential>"


def git_environment(web: str, token: str) -> Mapping[str, str]:
    """Configuration of git by environment: the header goes to `web` alone, redirects nowhere."""
    pairs = (
        (f"http.{web}/.extraheader", f"Authorization: Basic {basic(token)}"),
        ("http.followRedirects", "false"),
        ("credential.helper", ""),
    )
    settings = _SecretEnvironment(GIT_CONFIG_COUNT=str(len(pairs)))
    for number, (key, value) in enumerate(pairs):
        settings[f"GIT_CONFIG_KEY_{number}"] = key
        settings[f"GIT_CONFIG_VALUE_{number}"] = value
    return settings


async def push_commit(
    git_dir: str, url: str, commit: str, ref: tuple[str, str], env: Mapping[str, str]
) -> None:
    """Push `commit` to the branch `ref[0]`, which must be at `ref[1]` ("": must not exist).

    `git_dir` belongs to the host: no agent ever wrote there, and hooks are off. Raises PushRefused,
    NotAllowed, NotFound, ForgeUnavailable, Unauthorized, Redirected.
    """
    branch, expected = ref
    if not _SHA.fullmatch(commit) or (expected and not _SHA.fullmatch(expected)):
        raise ValueError("a push takes full commit ids")
    if not _BRANCH.fullmatch(branch):
        raise ValueError(f"{branch!r} is no name of a branch")
    target = f"refs/heads/{branch}"
    git = Git((f"--git-dir={os.fspath(git_dir)}",), env).with_env(
        GIT_ALLOW_PROTOCOL=urlsplit(url).scheme
    )
    lease = f"--force-with-lease={target}:{expected}"
    args = ("push", "--no-verify", "--no-recurse-submodules", "--no-signed", lease)
    try:
        await git.run(*args, url, f"{commit}:{target}", timeout_s=_PUSH_TIMEOUT_S)
    except GitError as error:
        raise explained_push(error.stderr, branch, str(error)) from None


def explained_push(stderr: str, branch: str, said: str) -> BotError | Unauthorized | Redirected:
    """What git's words mean for us. `said` is git's first sentence, safe to show."""
    for signs, reason, sentence in _REFUSED:
        if any(sign in stderr for sign in signs):
            return PushRefused(f"cannot push {branch}: {sentence}", reason=reason)
    if any(s in stderr for s in ("could not read Username", "Authentication failed", "error: 401")):
        return Unauthorized()
    if "redirect" in stderr or any(f"error: 30{n}" in stderr for n in "12378"):
        return Redirected()
    if "error: 403" in stderr or "Write access" in stderr:
        return NotAllowed(f"cannot push {branch}: the App may not write to this repository")
    if "not found" in stderr:
        return NotFound(f"cannot push {branch}: the repository is gone, or the App was removed")
    if any(sign in stderr for sign in _LOST):
        return ForgeUnavailable(f"cannot push {branch}: GitHub cannot be reached; try again later")
    return NotAllowed(f"cannot push {branch}: {said}")
