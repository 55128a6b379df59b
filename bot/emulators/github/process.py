"""The one place of the emulator that starts processes: git, with nothing of the host's settings."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

_TIMEOUT_S = 60


class GitError(Exception):
    """Git said no; the text is its standard error."""


def run_git(
    directory: Path, *args: str, stdin: bytes = b"", env: Mapping[str, str] | None = None
) -> bytes:
    """The standard output of `git ARGS` in a repository. Raises GitError."""
    git = shutil.which("git")
    if git is None:
        raise GitError("git is not installed")
    done = subprocess.run(
        [git, *args],
        cwd=directory,
        input=stdin,
        env=_environment(git) | dict(env or {}),
        capture_output=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        raise GitError(done.stderr.decode("utf-8", "replace").strip())
    return done.stdout


def _environment(git: str) -> dict[str, str]:
    return {
        "PATH": f"{Path(git).parent}:/usr/bin:/bin",
        "HOME": "/nonexistent",
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "GitHub",
        "GIT_AUTHOR_EMAIL": "noreply@github.com",
        "GIT_COMMITTER_NAME": "GitHub",
        "GIT_COMMITTER_EMAIL": "noreply@github.com",
    }
