"""The one place that runs the git binary: pinned environment, pinned configuration, safe errors."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.errors import CheckoutError, WorkspaceError

_IDENTITY = {"NAME": "Agentic Coding Pipeline", "EMAIL": "acp@localhost"}
_ENVIRONMENT: Mapping[str, str] = {
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "TZ": "UTC",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    # Set but empty: no askpass program, not even one named by a repository's configuration.
    "GIT_ASKPASS": "",
    "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    **{
        f"GIT_{who}_{key}": text
        for who in ("AUTHOR", "COMMITTER")
        for key, text in _IDENTITY.items()
    },
}
_CONFIG: Mapping[str, str] = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.alternateRefsCommand": "true",
    "core.attributesFile": os.devnull,
    "core.excludesFile": os.devnull,
    "core.autocrlf": "false",
    "core.safecrlf": "false",
    "core.symlinks": "true",
    "core.fileMode": "true",
    "core.ignoreCase": "false",
    "core.precomposeUnicode": "false",
    "core.quotePath": "true",
    "core.compression": "1",
    "core.logAllRefUpdates": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "submodule.recurse": "false",
    "protocol.version": "2",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "60",
    # Only commands on a path that the caller named run outside our own directory.
    "safe.directory": "*",
}
_PINS = tuple(word for key, text in _CONFIG.items() for word in ("-c", f"{key}={text}"))
_SECRET = re.compile(r"(?<=://)[^/\s@]*@|(?<=\?)[^\s'\"]+")
_LINE = re.compile(r"^(?:fatal|error): *(.+)$", re.MULTILINE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_SENTENCE_CHARS = 240
_KILL_WAIT_S = 5.0
_ROOT = Path(os.sep)


class GitError(WorkspaceError):
    """A git command failed. The message is safe to show; `stderr` is raw and only for deciding."""

    def __init__(self, message: str, *, code: int | None, stderr: str) -> None:
        super().__init__(message)
        self.code = code
        self.stderr = stderr


@dataclass(frozen=True, slots=True)
class Git:
    """The git binary, pinned to one repository.

    `at` are the words that name the repository (`--git-dir=...`, or `-C` and a path, absolute);
    `env` is laid over the pinned environment. No variable of the host's own reaches git.
    """

    at: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)

    def with_env(self, **more: str) -> Git:
        """The same repository with `more` laid over the environment."""
        return Git(self.at, {**self.env, **more})

    async def run(
        self, *args: str, stdin: bytes = b"", timeout_s: float = 300.0, cwd: Path | None = None
    ) -> bytes:
        """Stdout of git. Raises GitError where it fails, CheckoutError where git is missing."""
        program = _program()
        process = await asyncio.create_subprocess_exec(
            program,
            *_PINS,
            *self.at,
            *args,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # Never the host's own directory: it may be gone, or be somebody's repository.
            cwd=cwd or _ROOT,
            env={"PATH": _search_path(program), **_ENVIRONMENT, **self.env},
            start_new_session=True,
        )
        verb = _verb(args)
        try:
            out, err = await asyncio.wait_for(process.communicate(stdin), timeout_s)
        except TimeoutError:
            message = f"git {verb} was stopped after {timeout_s:.0f} s"
            raise GitError(message, code=None, stderr="timed out") from None
        finally:
            await _end(process)
        stderr = err.decode("utf-8", "replace")
        if process.returncode != 0:
            raise GitError(_sentence(verb, stderr), code=process.returncode, stderr=stderr)
        return out

    async def line(self, *args: str, stdin: bytes = b"") -> str:
        """Stdout as text without the last newline. Raises as `run`."""
        out = await self.run(*args, stdin=stdin)
        return out.decode("utf-8", "surrogateescape").removesuffix("\n")


def _program() -> str:
    program = shutil.which("git")
    if program is None:
        raise CheckoutError("git is not installed: install git 2.34 or newer and put it on PATH")
    return program


def _search_path(program: str) -> str:
    return os.pathsep.join((str(Path(program).parent), "/usr/local/bin", "/usr/bin", "/bin"))


def _verb(args: tuple[str, ...]) -> str:
    words = iter(args)
    for word in words:
        if word == "-c":
            next(words, None)
        elif not word.startswith("-"):
            return word
    return ""


async def _end(process: asyncio.subprocess.Process) -> None:
    """Leave nothing behind: ssh and remote helpers are in the process group of their git."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    await asyncio.wait_for(process.wait(), _KILL_WAIT_S)


def _sentence(verb: str, stderr: str) -> str:
    """What git said first about the failure, on one line, without anything that may be a secret."""
    found = _LINE.search(stderr)
    said = found[1] if found else stderr.strip().partition("\n")[0]
    said = _CONTROL.sub(" ", _SECRET.sub("", said))[:_SENTENCE_CHARS]
    return f"git {verb} failed: {said}" if said else f"git {verb} failed"
