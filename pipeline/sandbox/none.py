"""The explicit way out: commands run as the user, with no isolation at all. For code you trust."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from pathlib import Path

from pipeline.errors import SandboxError, SandboxUnavailable
from pipeline.sandbox.base import Caps, ExecResult, Session, Spec
from pipeline.sandbox.local import (
    Job,
    LocalSession,
    as_result,
    check_in_place,
    check_spec,
    through_relay,
)
from pipeline.sandbox.process import Command, Ended, run

_RELAY = Path(__file__).with_name("relay.py")
_PATH = ("/usr/local/bin", "/usr/bin", "/bin")
_CAPS = Caps(
    backend="none",
    grade="none",
    net="open",
    filesystem=False,
    pid_namespace=False,
    own_uid=False,
    memory="none",
    loopback=True,
)


class NoSandbox:
    """No isolation: only a cleared environment, the wall clock, bounded output and a group to kill.

    A command may read and write whatever its user can, and a daemon that leaves the process group
    outlives it.
    """

    async def probe(self) -> Caps:
        """Say that nothing is isolated. Raises SandboxUnavailable on Windows."""
        if sys.platform == "win32":
            raise SandboxUnavailable("Windows has no process groups as needed here: use WSL.")
        return _CAPS

    async def open(self, spec: Spec) -> Session:
        """Open a session; `Spec.read_only` must name paths that are where they should be seen."""
        await self.probe()
        # Not at the top: on Windows this module must load, so that probe() can say what to do.
        from pipeline.sandbox.files import Tree

        check_spec(spec)
        check_in_place(spec, "without a sandbox")
        # Beside the tree, so that it goes with the run's directory even if we are killed.
        beside = spec.tree.resolve().parent
        home = await asyncio.to_thread(tempfile.mkdtemp, prefix="home-", dir=beside)
        tree = Tree(spec.tree)
        return LocalSession(spec, tree, _Plain(spec, tree.root, Path(home)))


class _Plain:
    def __init__(self, spec: Spec, root: Path, home: Path) -> None:
        self._root = root
        self._home = home
        self._proxy = spec.proxy_socket
        self._basics = {
            "PATH": ":".join((*spec.path, *_PATH)),
            "HOME": str(home),
            "TMPDIR": str(home),
            "LANG": "C.UTF-8",
        }

    @property
    def workdir(self) -> str:
        return str(self._root)

    async def run(self, job: Job, stop: asyncio.Event) -> ExecResult:
        env = {**self._basics, **job.env}
        argv = through_relay(job.argv, self._proxy, _RELAY) if self._proxy else job.argv
        command = Command(argv, env, str(self._root / job.cwd))
        try:
            ended = await run(command, job.limits, stop, job.sink)
        except (FileNotFoundError, NotADirectoryError):
            ended = _unstarted(job.argv[0], "no such file or directory")
            return as_result(ended, 127)
        except PermissionError:
            return as_result(_unstarted(job.argv[0], "permission denied"), 126)
        except OSError as error:
            raise SandboxError(f"{job.argv[0]} could not be started: {error.strerror}") from error
        return as_result(ended, ended.returncode)

    async def close(self) -> None:
        await asyncio.to_thread(shutil.rmtree, self._home, ignore_errors=True)


def _unstarted(program: str, why: str) -> Ended:
    output = os.fsencode(f"{program}: {why}\n")
    return Ended(0, "exit", output, len(output), 0.0)
